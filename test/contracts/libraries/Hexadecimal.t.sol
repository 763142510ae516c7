// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Hexadecimal} from "../../../contracts/libraries/Hexadecimal.sol";

/// @notice The digits, against OpenZeppelin's.
contract HexadecimalTest {
    function testFuzz_endsWith_itsOwnDigits(address account, string calldata before) public pure {
        require(Hexadecimal.endsWith(string.concat(before, Strings.toHexString(account)), account));
        require(Hexadecimal.endsWith(string.concat(before, Strings.toChecksumHexString(account)), account));
    }

    /// @dev Any one digit changed makes it another's.
    function testFuzz_endsWith_noOther(address account, uint256 where, uint8 digit) public pure {
        bytes memory text = bytes(Strings.toHexString(account));
        uint256 place = 2 + (where % 40);
        bytes1 other = bytes16("0123456789abcdef")[digit % 16];
        bool same = text[place] == other;
        text[place] = other;
        require(Hexadecimal.endsWith(string(text), account) == same);
    }

    function testFuzz_endsWith_noOtherAddress(address account, address other) public pure {
        require(Hexadecimal.endsWith(Strings.toHexString(other), account) == (account == other));
    }

    function test_endsWith_edges() public pure {
        require(!Hexadecimal.endsWith("", address(0)));
        require(!Hexadecimal.endsWith("000000000000000000000000000000000000000", address(0)));
        require(Hexadecimal.endsWith("0000000000000000000000000000000000000000", address(0)));
        require(Hexadecimal.endsWith("fFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfFfF", address(type(uint160).max)));
        require(!Hexadecimal.endsWith("0000000000000000000000000000000000000000 ", address(0)));
        // What stands where digits should: nobody's address.
        require(!Hexadecimal.endsWith("gggggggggggggggggggggggggggggggggggggggg", address(0)));
    }

    function testFuzz_endsWith_anyTextHasAnAnswer(string calldata text, address account) public pure {
        Hexadecimal.endsWith(text, account);
    }
}
