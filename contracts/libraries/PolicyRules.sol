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
} from "../types/KillPolicy.sol";
import {Bounds} from "./Bounds.sol";

/// @title What a kill policy may say, and which of two is tighter
/// @notice
/// Design
/// ------
/// - Field by field, the tighter of two well-formed policies is well formed again: minima of ordered values are
///   ordered, and so are maxima. So policies can be merged whenever they are read, and a type's policy cannot become
///   looser than a default that is tightened later.
/// - The error window has no tighter side: a longer one reaches its sample sooner and dilutes bursts. The default's holds.
/// - Documents cannot be compared. Default and type both apply, which is tighter than either.
library PolicyRules {
    uint256 internal constant MAX_URI_LENGTH = 256;
    uint256 internal constant MAX_TRUST_SCORE = 1000;

    /// @dev A document has both hash and URI, or neither.
    error IncompleteDocument(bytes32 hash, string uri);
    /// @dev The URI is longer than 256 bytes.
    error UriTooLong(uint256 length);

    /// @notice Reverts unless every value is within its bounds and the document references are complete.
    /// @param policy the policy
    /// @param minCooldown the least resume cool-down, in seconds
    function check(KillPolicy memory policy, uint256 minCooldown) internal pure {
        Limits memory limits = policy.limits;
        _checkBreaker(limits.breaker);
        _checkActions(limits.actions);
        _checkReturn(limits.resumed, minCooldown);
        _checkCanary(limits.canary);
        _checkTiers(limits.tiers);
        _checkDocument(policy.boundary);
        _checkDocument(policy.decisions);
    }

    /// @notice The tighter of each field; the error window of the first.
    /// @param a the default's limits
    /// @param b the type's limits
    /// @return limits as tight as either
    function tighter(Limits memory a, Limits memory b) internal pure returns (Limits memory limits) {
        return
            Limits({
                breaker: Breaker({
                    consecutiveFailures: a.breaker.consecutiveFailures.min(b.breaker.consecutiveFailures),
                    errorRate: a.breaker.errorRate.min(b.breaker.errorRate),
                    errorSample: a.breaker.errorSample.min(b.breaker.errorSample),
                    errorWindow: a.breaker.errorWindow,
                    anomalyScore: a.breaker.anomalyScore.min(b.breaker.anomalyScore)
                }),
                actions: ActionLimits({
                    perMinute: a.actions.perMinute.min(b.actions.perMinute),
                    perDay: a.actions.perDay.min(b.actions.perDay)
                }),
                resumed: Return({
                    probation: a.resumed.probation.max(b.resumed.probation),
                    resumeCooldown: a.resumed.resumeCooldown.max(b.resumed.resumeCooldown)
                }),
                canary: Canary({
                    interval: a.canary.interval.min(b.canary.interval),
                    check: a.canary.check.min(b.canary.check),
                    safeMode: a.canary.safeMode.min(b.canary.safeMode)
                }),
                tiers: Tiers({
                    probationary: a.tiers.probationary.max(b.tiers.probationary),
                    standard: a.tiers.standard.max(b.tiers.standard),
                    trusted: a.tiers.trusted.max(b.tiers.trusted),
                    verified: a.tiers.verified.max(b.tiers.verified)
                })
            });
    }

    /// @notice Whether no field of `b` is looser than that of `a`.
    /// @param a the default's limits
    /// @param b the type's limits
    /// @return whether `b` tightens `a`
    function isTightening(Limits memory a, Limits memory b) internal pure returns (bool) {
        return keccak256(abi.encode(tighter(a, b))) == keccak256(abi.encode(b));
    }

    function _checkBreaker(Breaker memory breaker) private pure {
        // One failure is no series: at one, any hiccup would be a kill.
        Bounds.check("consecutiveFailures", breaker.consecutiveFailures.raw(), 2, 1000);
        Bounds.check("errorRate", breaker.errorRate.raw(), 500, 10_000);
        Bounds.check("errorSample", breaker.errorSample.raw(), 5, 100_000);
        Bounds.check("errorWindow", breaker.errorWindow.inSeconds(), 10 seconds, 1 days);
        Bounds.check("anomalyScore", breaker.anomalyScore.raw(), 10, 100);
    }

    function _checkActions(ActionLimits memory actions) private pure {
        Bounds.check("actionsPerMinute", actions.perMinute.raw(), 1, 1_000_000);
        Bounds.check("actionsPerDay", actions.perDay.raw(), actions.perMinute.raw(), 1_000_000_000);
    }

    function _checkReturn(Return memory resumed, uint256 minCooldown) private pure {
        Bounds.check("probation", resumed.probation.inSeconds(), 1 minutes, 90 days);
        Bounds.check("resumeCooldown", resumed.resumeCooldown.inSeconds(), minCooldown, 30 days);
    }

    function _checkCanary(Canary memory canary) private pure {
        uint256 interval = canary.interval.inSeconds();
        Bounds.check("canaryInterval", interval, 1 minutes, 30 days);
        Bounds.check("canaryCheck", canary.check.inSeconds(), 10 seconds, interval);
        Bounds.check("canarySafeMode", canary.safeMode.inSeconds(), interval, 90 days);
    }

    function _checkTiers(Tiers memory tiers) private pure {
        uint256 first = tiers.probationary.raw();
        uint256 second = tiers.standard.raw();
        uint256 third = tiers.trusted.raw();
        Bounds.check("tierProbationary", first, 1, MAX_TRUST_SCORE - 3);
        Bounds.check("tierStandard", second, first + 1, MAX_TRUST_SCORE - 2);
        Bounds.check("tierTrusted", third, second + 1, MAX_TRUST_SCORE - 1);
        Bounds.check("tierVerified", tiers.verified.raw(), third + 1, MAX_TRUST_SCORE);
    }

    function _checkDocument(Document memory document) private pure {
        uint256 length = bytes(document.uri).length;
        require((document.hash == 0) == (length == 0), IncompleteDocument(document.hash, document.uri));
        require(length <= MAX_URI_LENGTH, UriTooLong(length));
    }
}
