// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Uuids} from "../../../contracts/libraries/Uuids.sol";

contract UuidsTest {
    function test_toText_vectors() public pure {
        // RFC 9562, appendix B.2: an example of version 8.
        check(0x5c146b143c528afd938a375d0df1fbf6, "5c146b14-3c52-8afd-938a-375d0df1fbf6");
        check(0, "00000000-0000-0000-0000-000000000000");
        check(type(uint128).max, "ffffffff-ffff-ffff-ffff-ffffffffffff");
        check(0x0123456789abcdef0123456789abcdef, "01234567-89ab-cdef-0123-456789abcdef");
    }

    function test_fromHash_vectors() public pure {
        require(Uuids.fromHash(0) == 0x00000000000080008000000000000000);
        require(Uuids.fromHash(bytes32(type(uint256).max)) == 0xffffffffffff8fffbfffffffffffffff);
    }

    function testFuzz_fromHash_setsVersionAndVariantOnly(bytes32 hash) public pure {
        uint256 uuid = Uuids.fromHash(hash);
        require(uuid >> 128 == 0);
        require((uuid >> 76) & 0xf == 8);
        require((uuid >> 62) & 3 == 2);
        uint256 others = type(uint128).max ^ (0xf << 76) ^ (3 << 62);
        require(uuid & others == (uint256(hash) >> 128) & others);
    }

    function check(uint256 uuid, string memory text) private pure {
        require(keccak256(bytes(Uuids.toText(uuid))) == keccak256(bytes(text)), text);
    }
}
