// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {
    ActionLimits,
    Breaker,
    Canary,
    Document,
    KillPolicy,
    Limits,
    Return,
    Tiers
} from "../../../contracts/types/KillPolicy.sol";
import {
    Actions,
    AnomalyScore,
    BasisPoints,
    Count,
    Duration,
    TrustScore
} from "../../../contracts/types/Units.sol";

/// @notice Policies for tests: the usual one, and one made of numbers, field by field.
library Policies {
    uint256 internal constant FIELDS = 16;

    /// @dev The fields in the order of the struct; the fourth, the error window, has no tighter side.
    uint256 internal constant ERROR_WINDOW = 3;

    function usual() internal pure returns (KillPolicy memory policy) {
        policy.limits = fromNumbers(usualNumbers());
    }

    function usualNumbers() internal pure returns (uint256[FIELDS] memory) {
        return
            [
                uint256(10),
                8000,
                20,
                60,
                90,
                600,
                100_000,
                1 hours,
                900,
                24 hours,
                6 hours,
                48 hours,
                300,
                500,
                700,
                900
            ];
    }

    /// @dev Bounds of each field while the others are as usual; `minCooldown` is that of the tests' KillSwitch.
    function bounds(
        uint256 minCooldown
    )
        internal
        pure
        returns (bytes32[FIELDS] memory names, uint256[FIELDS] memory least, uint256[FIELDS] memory most)
    {
        names = [
            bytes32("consecutiveFailures"),
            "errorRate",
            "errorSample",
            "errorWindow",
            "anomalyScore",
            "actionsPerMinute",
            "actionsPerDay",
            "probation",
            "resumeCooldown",
            "canaryInterval",
            "canaryCheck",
            "canarySafeMode",
            "tierProbationary",
            "tierStandard",
            "tierTrusted",
            "tierVerified"
        ];
        least = [
            uint256(2),
            500,
            5,
            10,
            10,
            1,
            600,
            60,
            minCooldown,
            6 hours,
            10,
            24 hours,
            1,
            301,
            501,
            701
        ];
        most = [
            uint256(1000),
            10_000,
            100_000,
            1 days,
            100,
            100_000,
            1_000_000_000,
            90 days,
            30 days,
            48 hours,
            24 hours,
            90 days,
            499,
            699,
            899,
            1000
        ];
    }

    /// @dev 1: a smaller value is tighter; 2: a larger one; 0: neither.
    function tighterSide(uint256 field) internal pure returns (uint256) {
        if (field == ERROR_WINDOW) return 0;
        return field == 7 || field == 8 || field >= 12 ? 2 : 1;
    }

    function fromNumbers(uint256[FIELDS] memory n) internal pure returns (Limits memory) {
        return
            Limits({
                breaker: Breaker({
                    consecutiveFailures: Count.wrap(uint32(n[0])),
                    errorRate: BasisPoints.wrap(uint16(n[1])),
                    errorSample: Count.wrap(uint32(n[2])),
                    errorWindow: Duration.wrap(uint32(n[3])),
                    anomalyScore: AnomalyScore.wrap(uint8(n[4]))
                }),
                actions: ActionLimits({
                    perMinute: Actions.wrap(uint32(n[5])),
                    perDay: Actions.wrap(uint32(n[6]))
                }),
                resumed: Return({
                    probation: Duration.wrap(uint32(n[7])),
                    resumeCooldown: Duration.wrap(uint32(n[8]))
                }),
                canary: Canary({
                    interval: Duration.wrap(uint32(n[9])),
                    check: Duration.wrap(uint32(n[10])),
                    safeMode: Duration.wrap(uint32(n[11]))
                }),
                tiers: Tiers({
                    probationary: TrustScore.wrap(uint16(n[12])),
                    standard: TrustScore.wrap(uint16(n[13])),
                    trusted: TrustScore.wrap(uint16(n[14])),
                    verified: TrustScore.wrap(uint16(n[15]))
                })
            });
    }

    function toNumbers(Limits memory limits) internal pure returns (uint256[FIELDS] memory numbers) {
        // Every field of the nested structs is one word of the encoding.
        return abi.decode(abi.encode(limits), (uint256[16]));
    }

    function document(bytes32 hash, string memory uri) internal pure returns (Document memory) {
        return Document({hash: hash, uri: uri});
    }
}
