// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Actions, AnomalyScore, BasisPoints, Count, Duration, TrustScore} from "./Units.sol";

/// @dev Layout of `KillPolicy`. Later layouts get later numbers and contracts of their own; readers of events tell
/// them apart by it.
uint16 constant POLICY_SCHEMA = 1;

/// @notice When a circuit breaker stops an agent: at the first of three conditions.
/// @param consecutiveFailures failures in a row
/// @param errorRate share of failures among the actions of the window, once they are `errorSample`
/// @param errorSample the fewest actions in the window of which the error rate counts
/// @param errorWindow how far back the error rate looks
/// @param anomalyScore score from which behaviour counts as anomalous
struct Breaker {
    Count consecutiveFailures;
    BasisPoints errorRate;
    Count errorSample;
    Duration errorWindow;
    AnomalyScore anomalyScore;
}

/// @notice How much an agent may do.
/// @param perMinute actions in any minute
/// @param perDay actions in any day
struct ActionLimits {
    Actions perMinute;
    Actions perDay;
}

/// @notice What a resumed agent waits for.
/// @param probation how long it is watched after a resume
/// @param resumeCooldown the least time between the request of a resume and the agent's next SVID
struct Return {
    Duration probation;
    Duration resumeCooldown;
}

/// @notice The dead man's switch.
/// @param interval how long an agent may be silent
/// @param check how often it is looked whether it is
/// @param safeMode how long a silent agent may stay in safe mode before it is killed
struct Canary {
    Duration interval;
    Duration check;
    Duration safeMode;
}

/// @notice The trust scores at which the tiers begin, lowest first. Below the first an agent is untrusted.
struct Tiers {
    TrustScore probationary;
    TrustScore standard;
    TrustScore trusted;
    TrustScore verified;
}

/// @notice A document outside the chain.
/// @param hash SHA-256 of its bytes; zero where there is none
/// @param uri where it is found, at most 256 bytes; empty where there is none
struct Document {
    bytes32 hash;
    string uri;
}

/// @notice The numbers of a kill policy. Each but `errorWindow` has a tighter side.
struct Limits {
    Breaker breaker;
    ActionLimits actions;
    Return resumed;
    Canary canary;
    Tiers tiers;
}

/// @notice Under which conditions agents are stopped.
/// @param limits the numbers
/// @param boundary the actions and destinations that are allowed; without one all are
/// @param decisions the bundle of decision policies that is asked; without one none is
struct KillPolicy {
    Limits limits;
    Document boundary;
    Document decisions;
}

/// @notice What holds for one agent.
/// @param limits the numbers, the tighter of default and type
/// @param boundaries every one must allow an action; the default's first
/// @param decisions every bundle must allow an action; the default's first
/// @param defaultVersion version of the default that was read
/// @param typeVersion version of the type's policy that was read; 0 if it never had one
/// @param admitted whether the type's policy holds alone, because governance admitted the agent to it
struct EffectivePolicy {
    Limits limits;
    Document[] boundaries;
    Document[] decisions;
    uint64 defaultVersion;
    uint64 typeVersion;
    bool admitted;
}
