// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Addresses in hexadecimal, without a loop
/// @notice All digits of a word are made at once. A loop over the 40 digits of an address costs 16,000 gas.
library Hexadecimal {
    /// @dev Sets bit 5 of each byte: capital letters become small ones, digits stay what they are.
    uint256 private constant SMALL = uint256(
        bytes32(0x2020202020202020202020202020202020202020202020202020202020202020)
    );

    /// @notice Whether the text ends with the 40 digits of the address, in letters of any case.
    /// @dev Characters that differ from a digit in bit 5 alone, none of them printable, pass for it.
    /// @param text the text
    /// @param account the address
    /// @return whether it does
    function endsWith(string memory text, address account) internal pure returns (bool) {
        uint256 length = bytes(text).length;
        if (length < 40) return false;
        uint256 first;
        uint256 last;
        // Both words lie within the text: the last 40 bytes are 32 and 8.
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            let end := add(add(text, 0x20), length)
            first := mload(sub(end, 40))
            last := mload(sub(end, 32))
        }
        uint256 number = uint160(account);
        uint256 lowest = type(uint64).max;
        return
            (first | SMALL) == digits(number >> 32) && ((last | SMALL) & lowest) == (digits(number) & lowest);
    }

    /// @notice The 32 hexadecimal digits of the low 128 bits, in small letters.
    /// @param number the number
    /// @return text 32 characters
    function digits(uint256 number) internal pure returns (uint256 text) {
        // Halves move apart until each byte holds four bits.
        text = number & type(uint128).max;
        text = (text | (text << 64)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        text = (text | (text << 32)) & 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
        text = (text | (text << 16)) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
        text = (text | (text << 8)) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
        text = (text | (text << 4)) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
        // Ten and above carry into bit 4 when six is added; "a" is 39 above "9" plus one.
        uint256 letters =
            ((text + 0x0606060606060606060606060606060606060606060606060606060606060606) >> 4) &
                0x0101010101010101010101010101010101010101010101010101010101010101;
        text += 0x3030303030303030303030303030303030303030303030303030303030303030 + letters * 39;
    }
}
