// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What a kill covers. The subject of a scope is 32 bytes:
/// Agent: the agent id (a UUID, so 128 bits), right-aligned. Owner: the wallet, right-aligned.
/// AgentType: the type's ASCII bytes, left-aligned. Fleet: zero.
enum Scope {
    Agent,
    Owner,
    AgentType,
    Fleet
}

/// @notice Authorities by rank. `None` holds no power.
enum Rank {
    None,
    Breaker,
    Owner,
    Council,
    Governance
}

/// @notice Liveness of one subject, one storage slot. A kill is active while `killedAt > aliveSince`. Times are Unix seconds; "sequence" is the contract's one counter.
/// @param killedAt sequence of the latest kill; 0 if never killed
/// @param aliveSince sequence of the latest resume; of an agent, also of its registration
/// @param killTime time of the latest kill
/// @param rank highest rank of the kills that stand
/// @param reason reason code of the latest kill
/// @param resumeRequestTime time of the request of the last executed resume, or lowering of the rank; orders issued before it are
/// void
/// @param keySince agents only: sequence at which the current key was set; 0 while there is none, because none was ever set or a
/// transfer withdrew it
/// @param ownersKill a kill by the owner, or in its name, stands; nobody else lifts it
struct SubjectState {
    uint48 killedAt;
    uint48 aliveSince;
    uint40 killTime;
    Rank rank;
    uint16 reason;
    uint40 resumeRequestTime;
    uint48 keySince;
    bool ownersKill;
}

/// @notice A kill that someone signed (EIP-712). The nonce is unordered: each is used once per authority.
struct KillOrder {
    address authority;
    Scope scope;
    bytes32 subject;
    uint16 reason;
    string text;
    uint64 issuedAt;
    uint64 deadline;
    uint256 nonce;
}

/// @notice A pending resume.
/// @param sequence the counter when it was requested; any later kill that covers the subject voids it
/// @param requestTime when it was requested; 0 if there is none
/// @param cooldown seconds that had to pass according to the state at the request
struct ResumeRequest {
    uint48 sequence;
    uint40 requestTime;
    uint32 cooldown;
}

using {writeKill} for SubjectState global;

/// @dev Bits of `killedAt` (0 to 47), `killTime` (96 to 135), `rank` (136 to 143) and `reason` (144 to 159) in the slot
/// of a `SubjectState`; `ownersKill` is bit 248.
uint256 constant KILL_MASK = (2 ** 160 - 2 ** 96) | (2 ** 48 - 1);
uint256 constant RANK_MASK = 0xff << 136;
/// @dev Beside a rank: the kill is the owner's, or in its name.
uint256 constant OWNERS_KILL = 0x100;

/// @notice Writes a kill: its sequence, time and reason, its rank if that is higher than the one that stands there, and
/// `ownersKill` if it is one.
/// @param power the kill's rank, and `OWNERS_KILL` if it is the owner's
/// @dev One read and one write of the slot; the compiler would make four of each (800 gas more).
function writeKill(
    SubjectState storage state,
    uint48 killedAt,
    uint40 killTime,
    uint256 power,
    uint16 reason
) {
    uint256 kill = killedAt | (uint256(killTime) << 96) | (uint256(reason) << 144);
    // solhint-disable-next-line no-inline-assembly
    assembly ("memory-safe") {
        let word := sload(state.slot)
        let highest := and(word, RANK_MASK)
        let rank := and(shl(136, power), RANK_MASK)
        if gt(rank, highest) {
            highest := rank
        }
        let owners := shl(240, and(power, OWNERS_KILL))
        sstore(state.slot, or(or(and(word, not(KILL_MASK)), kill), or(highest, owners)))
    }
}
