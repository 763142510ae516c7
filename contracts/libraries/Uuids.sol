// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title UUIDs of version 8 (RFC 9562) as numbers
/// @notice How ids are made and written.
library Uuids {
    bytes16 private constant HEX_DIGITS = "0123456789abcdef";

    /// @dev RFC 9562, section 4.2: the version is the high nibble of octet 6, so bits 76 to 79 of the number.
    uint256 private constant VERSION_MASK = 0xf << 76;
    uint256 private constant VERSION_8 = 0x8 << 76;

    /// @dev RFC 9562, section 4.1: the variant is the two high bits of octet 8, so bits 62 and 63 of the number.
    uint256 private constant VARIANT_MASK = 0x3 << 62;
    uint256 private constant VARIANT_RFC = 0x2 << 62;

    /// @notice The UUID made of the high 128 bits of a hash, with version and variant put in.
    /// @param hash where its other 122 bits come from
    /// @return uuid its number
    function fromHash(bytes32 hash) internal pure returns (uint256 uuid) {
        uuid = uint256(hash) >> 128;
        uuid = (uuid & ~(VERSION_MASK | VARIANT_MASK)) | VERSION_8 | VARIANT_RFC;
    }

    /// @notice The UUID in its text form: lower-case hex in groups of 8, 4, 4, 4 and 12.
    /// @param uuid its number; only the low 128 bits count
    /// @return its text
    function toText(uint256 uuid) internal pure returns (string memory) {
        bytes memory text = new bytes(36);
        for (uint256 i = 36; i > 0;) {
            --i;
            if (i == 8 || i == 13 || i == 18 || i == 23) {
                text[i] = "-";
            } else {
                text[i] = HEX_DIGITS[uuid & 0xf];
                uuid >>= 4;
            }
        }
        return string(text);
    }
}
