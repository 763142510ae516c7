// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TrustDomains} from "../../../contracts/libraries/TrustDomains.sol";

contract TrustDomainsTest {
    function test_isValid_lengths() public pure {
        require(!TrustDomains.isValid(""));
        require(TrustDomains.isValid("a"));
        require(TrustDomains.isValid(repeat(254)));
        require(TrustDomains.isValid(repeat(255)));
        require(!TrustDomains.isValid(repeat(256)));
    }

    function test_isValid_everyCharacter() public pure {
        for (uint256 i = 0; i < 256; ++i) {
            bytes memory text = "a?z";
            text[1] = bytes1(uint8(i));
            bool expected = (i >= 97 && i <= 122) || (i >= 48 && i <= 57) || i == 45 || i == 46 || i == 95;
            require(TrustDomains.isValid(string(text)) == expected);
        }
    }

    function repeat(uint256 length) private pure returns (string memory) {
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) text[i] = "a";
        return string(text);
    }
}
