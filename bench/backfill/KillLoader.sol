// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

interface IKillable {
    function register(string calldata agentType, bytes32 key, bytes32 salt) external returns (uint256);
    function kill(uint8 scope, bytes32 subject, uint16 reason, string calldata text) external returns (uint48);
}

/// @notice Owns agents and kills them again and again: each call writes `count` kill events into one block.
contract KillLoader {
    IKillable private immutable _registry;
    bytes32[] private _agents;

    constructor(IKillable registry, uint256 agents) {
        _registry = registry;
        for (uint256 i = 0; i < agents; i++) {
            _agents.push(bytes32(registry.register("worker", bytes32(i + 1), bytes32(i))));
        }
    }

    function load(uint256 from, uint256 count) external {
        for (uint256 i = 0; i < count; i++) {
            _registry.kill(0, _agents[(from + i) % _agents.length], 5, "");
        }
    }
}
