// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {KillswitchToken} from "../../../contracts/token/KillswitchToken.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Supply, clock, delegation and past balances.
contract KillswitchTokenTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant SUPPLY = 1_000_000 ether;
    uint256 private constant SIGNER = 0xa11ce;
    address private constant BOB = address(0xb0b);

    KillswitchToken private token;

    function setUp() public {
        vm.warp(1_800_000_000);
        token = new KillswitchToken(address(this), SUPPLY);
    }

    function test_clock_isTheTime() public view {
        require(token.clock() == vm.getBlockTimestamp());
        require(keccak256(bytes(token.CLOCK_MODE())) == keccak256("mode=timestamp"));
    }

    function test_supply_isMadeOnce() public view {
        require(token.totalSupply() == SUPPLY && token.balanceOf(address(this)) == SUPPLY);
    }

    function test_power_mustBeDelegated() public {
        token.transfer(BOB, 10);
        require(token.getVotes(BOB) == 0);
        vm.prank(BOB);
        token.delegate(BOB);
        require(token.getVotes(BOB) == 10);
        require(token.delegates(BOB) == BOB);
    }

    function test_delegateBySig() public {
        address signer = vm.addr(SIGNER);
        token.transfer(signer, 7);
        uint256 expiry = vm.getBlockTimestamp() + 60;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER, delegation(BOB, 0, expiry));
        token.delegateBySig(BOB, 0, expiry, v, r, s);
        require(token.getVotes(BOB) == 7);
        vm.warp(expiry + 1);
        (v, r, s) = vm.sign(SIGNER, delegation(BOB, 1, expiry));
        vm.expectRevert(abi.encodeWithSelector(IVotes.VotesExpiredSignature.selector, expiry));
        token.delegateBySig(BOB, 1, expiry, v, r, s);
    }

    /// @dev One sequence of nonces for permits and delegations: a used one serves neither again.
    function test_permit_sharesItsNonces() public {
        address signer = vm.addr(SIGNER);
        uint256 deadline = vm.getBlockTimestamp() + 60;
        bytes32 typeHash = keccak256(
            "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            SIGNER,
            digest(keccak256(abi.encode(typeHash, signer, BOB, 5, 0, deadline)))
        );
        token.permit(signer, BOB, 5, deadline, v, r, s);
        require(token.allowance(signer, BOB) == 5 && token.nonces(signer) == 1);
    }

    /// @dev The balance at the end of a second is what counts for it.
    function test_pastBalances() public {
        uint256 start = vm.getBlockTimestamp();
        token.transfer(BOB, 10);
        vm.prank(BOB);
        token.transfer(address(this), 4);
        vm.warp(start + 10);
        token.transfer(BOB, 1);
        vm.warp(start + 20);
        require(token.getPastBalanceOf(BOB, start - 1) == 0);
        require(token.getPastBalanceOf(BOB, start) == 6);
        require(token.getPastBalanceOf(BOB, start + 9) == 6);
        require(token.getPastBalanceOf(BOB, start + 10) == 7);
        vm.expectRevert(
            abi.encodeWithSelector(Votes.ERC5805FutureLookup.selector, start + 20, uint48(start + 20))
        );
        token.getPastBalanceOf(BOB, start + 20);
    }

    function testFuzz_pastBalances_followEveryTransfer(uint256 seed) public {
        uint256 start = vm.getBlockTimestamp();
        uint256[] memory balances = new uint256[](12);
        for (uint256 i = 0; i < 12; ++i) {
            vm.warp(start + i);
            uint256 amount = uint256(keccak256(abi.encode(seed, i))) % SUPPLY;
            if (amount % 2 == 0) token.transfer(BOB, amount % (token.balanceOf(address(this)) + 1));
            else {
                amount %= token.balanceOf(BOB) + 1;
                vm.prank(BOB);
                token.transfer(address(this), amount);
            }
            balances[i] = token.balanceOf(BOB);
        }
        vm.warp(start + 12);
        for (uint256 i = 0; i < 12; ++i) require(token.getPastBalanceOf(BOB, start + i) == balances[i]);
    }

    function test_pastDelegates_areNotKept() public {
        vm.expectRevert(abi.encodeWithSelector(KillswitchToken.PastDelegatesNotKept.selector, BOB, 1));
        token.getPastDelegate(BOB, 1);
    }

    function delegation(address to, uint256 nonce, uint256 expiry) private view returns (bytes32) {
        bytes32 typeHash = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");
        return digest(keccak256(abi.encode(typeHash, to, nonce, expiry)));
    }

    function digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Killswitch"),
                keccak256("1"),
                block.chainid,
                address(token)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
