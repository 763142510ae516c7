// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title SPIFFE trust domains
/// @notice The name under which all identities of a deployment stand.
library TrustDomains {
    /// @notice Whether the name is `[a-z0-9._-]{1,255}` (SPIFFE-ID, section 2.1).
    /// @param trustDomain the name
    /// @return whether it is
    function isValid(string memory trustDomain) internal pure returns (bool) {
        bytes memory text = bytes(trustDomain);
        if (text.length == 0 || text.length > 255) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            bytes1 char = text[i];
            bool allowed =
                (char >= "a" && char <= "z") ||
                    (char >= "0" && char <= "9") ||
                    char == "." ||
                    char == "_" ||
                    char == "-";
            if (!allowed) return false;
        }
        return true;
    }
}
