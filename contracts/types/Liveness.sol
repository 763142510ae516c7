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
