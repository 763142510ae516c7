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
/// @param rank highest rank of the kills since the last resume
/// @param reason reason code of the latest kill
/// @param resumeRequestTime time of the request of the last executed resume; orders issued before it are void
/// @param keySince agents only: sequence at which the current key was set
/// @param keyCleared agents only: a transfer withdrew the key; no SVID and no resume until a different one is set
struct SubjectState {
    uint48 killedAt;
    uint48 aliveSince;
    uint40 killTime;
    Rank rank;
    uint16 reason;
    uint40 resumeRequestTime;
    uint48 keySince;
    bool keyCleared;
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
/// of a `SubjectState`.
uint256 constant KILL_MASK = (2 ** 160 - 2 ** 96) | (2 ** 48 - 1);

/// @notice Writes a kill: its sequence, time and reason, and its rank if that is higher than the one that stands there.
/// @dev One read and one write of the slot; the compiler would make four of each (800 gas more).
function writeKill(SubjectState storage state, uint48 killedAt, uint40 killTime, Rank rank, uint16 reason) {
    uint256 kill = killedAt | (uint256(killTime) << 96) | (uint256(reason) << 144);
    // solhint-disable-next-line no-inline-assembly
    assembly ("memory-safe") {
        let word := sload(state.slot)
        let highest := and(shr(136, word), 0xff)
        if gt(rank, highest) {
            highest := rank
        }
        sstore(state.slot, or(or(and(word, not(KILL_MASK)), kill), shl(136, highest)))
    }
}
