// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";

/// @title Agent types as one word
/// @notice A type is `[a-z0-9-]{1,32}`, stored left-aligned and padded with zeros, so that word and text determine
/// each other.
library AgentTypes {
    /// @notice The word of a type that agents may have.
    /// @param agentType the type's text
    /// @return word its word
    function toWord(string calldata agentType) internal pure returns (bytes32 word) {
        bytes calldata text = bytes(agentType);
        // Cuts off what is beyond 32 bytes; the comparison of lengths then fails. It also fails for a zero inside.
        word = bytes32(text);
        require(text.length > 0 && lengthOf(word) == text.length, IAgentRegistry.InvalidAgentType(agentType));
        require(!isReserved(word), IAgentRegistry.ReservedAgentType(agentType));
    }

    /// @notice The text of a well-formed word.
    /// @param word the type's word
    /// @return text its text
    function toText(bytes32 word) internal pure returns (string memory text) {
        text = string(abi.encodePacked(word));
        uint256 length = lengthOf(word);
        // Solidity has no way to shorten a string in place.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            mstore(text, length)
        }
    }

    /// @notice How long the type is; zero if the word is not well formed.
    /// @param word the type's word
    /// @return length 1 to 32, or 0
    function lengthOf(bytes32 word) internal pure returns (uint256 length) {
        while (length < 32 && _isAllowed(word[length])) ++length;
        if (length < 32 && (word << (8 * length)) != 0) return 0;
    }

    /// @notice Whether the type is kept for workloads that operators enrol.
    /// @param word the type's word
    /// @return whether it is
    function isReserved(bytes32 word) internal pure returns (bool) {
        return
            word == "service" ||
            word == "relayer" ||
            word == "admin" ||
            word == "governance" ||
            word == "spire";
    }

    function _isAllowed(bytes1 char) private pure returns (bool) {
        return (char >= "a" && char <= "z") || (char >= "0" && char <= "9") || char == "-";
    }
}
