// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AgentTypes} from "../../../contracts/libraries/AgentTypes.sol";

contract AgentTypesTest {
    function test_toText_bothEnds() public view {
        require(keccak256(bytes(this.roundTrip("a"))) == keccak256("a"));
        require(
            keccak256(bytes(this.roundTrip("abcdefghijklmnopqrstuvwxyz-01239"))) ==
                keccak256("abcdefghijklmnopqrstuvwxyz-01239")
        );
    }

    function testFuzz_toWord_acceptsExactlyTheDefinition(string calldata text) public view {
        checkDefinition(text);
    }

    /// @dev Texts of allowed characters but for one, which random bytes hardly ever are.
    function testFuzz_toWord_oneCharacter(
        bytes32 seed,
        uint8 length,
        uint8 position,
        bytes1 char
    ) public view {
        bytes memory text = new bytes(1 + (length % 40));
        bytes memory allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
        for (uint256 i = 0; i < text.length; ++i) {
            text[i] = allowed[uint256(keccak256(abi.encode(seed, i))) % allowed.length];
        }
        text[position % text.length] = char;
        checkDefinition(string(text));
    }

    function testFuzz_lengthOf_acceptsOnlyWhatATextMakes(bytes32 word) public view {
        uint256 length = AgentTypes.lengthOf(word);
        if (length == 0) return;
        require(AgentTypes.lengthOf(word) == bytes(AgentTypes.toText(word)).length);
        require(this.toWord(AgentTypes.toText(word)) == word);
    }

    function roundTrip(string calldata text) external pure returns (string memory) {
        return AgentTypes.toText(AgentTypes.toWord(text));
    }

    function toWord(string calldata text) external pure returns (bytes32) {
        return AgentTypes.toWord(text);
    }

    function checkDefinition(string memory text) private view {
        bytes memory chars = bytes(text);
        bool expected = chars.length > 0 && chars.length <= 32;
        for (uint256 i = 0; i < chars.length; ++i) {
            uint8 char = uint8(chars[i]);
            expected = expected && ((char >= 97 && char <= 122) || (char >= 48 && char <= 57) || char == 45);
        }
        try this.roundTrip(text) returns (string memory result) {
            require(expected, "accepted what is no type");
            require(keccak256(bytes(result)) == keccak256(chars), "changed the type");
        } catch {
            require(!expected, "refused a type");
        }
    }
}
