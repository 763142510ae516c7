// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Rank, Scope} from "../types/Liveness.sol";

/// @title Whether an agent is killed
/// @notice What other contracts need to know before they deal with an agent (ERC-165).
interface IAgentKillStatus {
    /// @notice Whether a kill covers the agent: its Agent or Owner kill is active and later than the agent's
    /// `aliveSince`, or its AgentType or Fleet kill is active. Reverts for an unknown agent.
    function isKilled(uint256 agentId) external view returns (bool);

    /// @notice The kill of the highest rank that covers the agent (of equals, the narrowest scope), or zeros.
    /// @return killed whether any does
    /// @return scope its scope
    /// @return rank its rank
    /// @return since time of its latest kill, Unix seconds
    /// @return reason its reason code
    function statusOf(
        uint256 agentId
    ) external view returns (bool killed, Scope scope, Rank rank, uint40 since, uint16 reason);
}
