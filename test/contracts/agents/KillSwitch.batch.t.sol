// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {KillOrder, Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {ExpensiveWallet, GasBurner, ReenteringWallet, ReturnBomb} from "../support/Wallets.sol";

/// @notice Orders that land in batches, among orders that should not.
contract KillSwitchBatchTest is KillSwitchTest {
    /// @dev What the interface promises to be enough for any order.
    uint256 private constant GAS_PER_ORDER = 530_000;

    KillOrder[] private _orders;
    bytes[] private _signatures;

    function test_landOrders_landsEachAndSaysHowMany() public {
        add(ALICE_KEY, orderOfAlice(1));
        add(GUARDIAN_KEY, orderBy(guardian, Scope.Owner, subjectOf(alice), 1));
        add(COUNCIL_KEY, orderBy(council, Scope.AgentType, TYPE_WORD, 1));
        add(EMERGENCY_KEY, orderBy(emergencyGovernor, Scope.Fleet, FLEET, 1));
        uint48 before = killSwitch.sequence();
        vm.prank(mallory);
        assertEq(killSwitch.landOrders(_orders, _signatures), 4);
        for (uint256 i = 0; i < 4; ++i)
            assertEq(killSwitch.nonceOf(_orders[i].authority, _orders[i].nonce), before + 1 + i);
        assertEq(killSwitch.stateOf(Scope.Fleet, FLEET).rank, Rank.Governance);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Owner);
    }

    /// @dev The same kills, whoever sends them and whether alone or together.
    function test_landOrders_writesTheEventsOfKillBySig() public {
        KillOrder memory order = orderOfAlice(1);
        add(ALICE_KEY, order);
        bytes32 digest = killSwitch.orderDigest(order);
        uint48 next = killSwitch.sequence() + 1;
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Agent,
            bytes32(agent),
            alice,
            Rank.Owner,
            COMPROMISED,
            next,
            digest,
            "leaked key"
        );
        expectEmit();
        emit IKillSwitch.OrderLanded(alice, 1, digest, next);
        killSwitch.landOrders(_orders, _signatures);
    }

    function test_landOrders_none() public {
        assertEq(killSwitch.landOrders(_orders, _signatures), 0);
    }

    function test_landOrders_unequalLengths() public {
        add(ALICE_KEY, orderOfAlice(1));
        bytes[] memory none = new bytes[](0);
        expectRevert(abi.encodeWithSelector(IKillSwitch.UnequalLengths.selector, 1, 0));
        killSwitch.landOrders(_orders, none);
        _signatures.push("");
        expectRevert(abi.encodeWithSelector(IKillSwitch.UnequalLengths.selector, 1, 2));
        killSwitch.landOrders(_orders, _signatures);
    }

    function test_landOrders_countsWhatLandedBefore() public {
        land(ALICE_KEY, orderOfAlice(1));
        add(ALICE_KEY, orderOfAlice(1));
        add(ALICE_KEY, orderOfAlice(2));
        add(ALICE_KEY, orderOfAlice(2));
        uint48 before = killSwitch.sequence();
        assertEq(killSwitch.landOrders(_orders, _signatures), 3);
        assertEq(killSwitch.sequence(), before + 1);
    }

    /// @dev Whoever sends orders lends them none of his power, nor does the contract that calls itself.
    function testFuzz_landOrders_senderDoesNotMatter(address sender) public {
        vm.assume(sender != address(0) && sender != address(vm));
        add(MALLORY_KEY, orderBy(mallory, Scope.Fleet, FLEET, 1));
        add(MALLORY_KEY, orderBy(address(killSwitch), Scope.Fleet, FLEET, 1));
        add(ALICE_KEY, orderOfAlice(1));
        vm.prank(sender);
        assertEq(killSwitch.landOrders(_orders, _signatures), 1);
        vm.prank(governance);
        killSwitch.setCouncil(sender);
        vm.prank(sender);
        assertEq(killSwitch.landOrders(_orders, _signatures), 1);
        assertEq(killSwitch.stateOf(Scope.Fleet, FLEET).killedAt, 0);
    }

    // ===== Refusals

    function test_landOrders_refusalsAreAnnouncedAndTheRestLands() public {
        KillOrder memory used = orderOfAlice(7);
        land(ALICE_KEY, used);
        used.text = "another";
        KillOrder memory burnt = orderOfAlice(8);
        burnt.deadline = burnt.issuedAt + 1 days;
        vm.prank(alice);
        killSwitch.burnOrder(burnt);
        skip(OWNER_COOLDOWN);
        KillOrder memory expired = orderOfAlice(9);
        (expired.issuedAt, expired.deadline) = (uint64(time() - 2), uint64(time() - 1));
        KillOrder memory wrong = orderOfAlice(10);
        KillOrder memory powerless = orderBy(mallory, Scope.Agent, bytes32(agent), 1);

        add(ALICE_KEY, orderOfAlice(1));
        add(ALICE_KEY, used);
        add(ALICE_KEY, burnt);
        add(ALICE_KEY, expired);
        add(MALLORY_KEY, wrong);
        add(MALLORY_KEY, powerless);
        add(ALICE_KEY, orderOfAlice(2));
        expectRefusal(1, abi.encodeWithSelector(IKillSwitch.NonceUsed.selector, alice, 7));
        expectRefusal(2, abi.encodeWithSelector(IKillSwitch.NonceUsed.selector, alice, 8));
        expectRefusal(3, abi.encodeWithSelector(IKillSwitch.OrderExpired.selector, expired.deadline, time()));
        bytes32 digest = killSwitch.orderDigest(wrong);
        expectRefusal(4, abi.encodeWithSelector(IKillSwitch.InvalidSignature.selector, alice, digest));
        expectRefusal(
            5,
            abi.encodeWithSelector(IKillSwitch.NotAuthorized.selector, mallory, Scope.Agent, bytes32(agent))
        );
        assertEq(killSwitch.landOrders(_orders, _signatures), 2);
        assertLanded(alice, 1);
        assertLanded(alice, 2);
        assertEq(killSwitch.nonceOf(alice, 10), 0);
    }

    function test_landOrders_aRefusedOrderCanStillLand() public {
        add(MALLORY_KEY, orderOfAlice(1));
        assertEq(killSwitch.landOrders(_orders, _signatures), 0);
        land(ALICE_KEY, orderOfAlice(1));
        assertKilled();
    }

    function test_landOrders_hugeTextsAndSignatures() public {
        KillOrder memory order = orderOfAlice(1);
        order.text = string(new bytes(20_000));
        add(ALICE_KEY, order);
        add(ALICE_KEY, orderOfAlice(2));
        _signatures[1] = new bytes(20_000);
        add(ALICE_KEY, orderOfAlice(3));
        expectRefusal(0, abi.encodeWithSelector(IKillSwitch.TextTooLong.selector, 20_000));
        assertEq(killSwitch.landOrders{gas: 3 * GAS_PER_ORDER}(_orders, _signatures), 1);
        assertLanded(alice, 3);
    }

    // ===== Attacks by the wallets that are asked (ERC-1271)

    function test_attack_walletsThatBurnGasOrBomb() public {
        address[3] memory wallets = [
            address(new GasBurner()),
            address(new ReturnBomb(false)),
            address(new ReturnBomb(true))
        ];
        add(ALICE_KEY, orderOfAlice(1));
        for (uint256 i = 0; i < 3; ++i) {
            register(wallets[i], "1");
            add(MALLORY_KEY, orderBy(wallets[i], Scope.Owner, subjectOf(wallets[i]), 1));
            add(ALICE_KEY, orderOfAlice(i + 2));
        }
        for (uint256 i = 0; i < 3; ++i) {
            bytes32 digest = killSwitch.orderDigest(_orders[2 * i + 1]);
            expectRefusal(
                2 * i + 1,
                abi.encodeWithSelector(IKillSwitch.InvalidSignature.selector, wallets[i], digest)
            );
        }
        assertEq(killSwitch.landOrders{gas: 7 * GAS_PER_ORDER}(_orders, _signatures), 4);
        for (uint256 nonce = 1; nonce <= 4; ++nonce) assertLanded(alice, nonce);
    }

    /// @dev The gas that the interface promises to be enough is, however many burn all of their share.
    function test_attack_twentyGasBurnersAndOneHonestOrder() public {
        address burner = address(new GasBurner());
        register(burner, "1");
        for (uint256 i = 0; i < 20; ++i) add(MALLORY_KEY, orderBy(burner, Scope.Owner, subjectOf(burner), i));
        add(ALICE_KEY, orderOfAlice(1));
        assertEq(killSwitch.landOrders{gas: 21 * GAS_PER_ORDER}(_orders, _signatures), 1);
        assertLanded(alice, 1);
    }

    /// @dev As dear as the verifier of a passkey in Solidity, with the longest text, into empty slots.
    function test_landOrders_theDearestHonestOrderLands() public {
        address wallet = address(new ExpensiveWallet(bob, 350_000));
        register(wallet, "1");
        KillOrder memory order = orderBy(wallet, Scope.Owner, subjectOf(wallet), 1);
        bytes memory text = new bytes(256);
        for (uint256 i = 0; i < 256; ++i) text[i] = "x";
        order.text = string(text);
        add(BOB_KEY, order);
        assertEq(killSwitch.landOrders{gas: GAS_PER_ORDER}(_orders, _signatures), 1);
    }

    /// @dev One whose wallet wants more than its share is refused, yet lands by itself.
    function test_landOrders_oneThatNeedsMoreLandsByItself() public {
        address wallet = address(new ExpensiveWallet(bob, 600_000));
        register(wallet, "1");
        KillOrder memory order = orderBy(wallet, Scope.Owner, subjectOf(wallet), 1);
        add(BOB_KEY, order);
        assertEq(killSwitch.landOrders(_orders, _signatures), 0);
        land(BOB_KEY, order);
        assertLanded(wallet, 1);
    }

    function test_attack_reentry() public {
        ReenteringWallet wallet = new ReenteringWallet();
        register(address(wallet), "1");
        KillOrder memory own = orderBy(address(wallet), Scope.Owner, subjectOf(address(wallet)), 1);
        KillOrder memory alices = orderOfAlice(9);
        bytes memory signature = signOrder(ALICE_KEY, alices);
        KillOrder[] memory inner = new KillOrder[](1);
        inner[0] = alices;
        bytes[] memory innerSignatures = new bytes[](1);
        innerSignatures[0] = signature;
        bytes[4] memory calls = [
            abi.encodeCall(IKillSwitch.killBySig, (alices, signature)),
            abi.encodeCall(IKillSwitch.killBySig, (own, "")),
            abi.encodeCall(IKillSwitch.burnOrder, (own)),
            abi.encodeCall(IKillSwitch.landOrders, (inner, innerSignatures))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            delete _orders;
            delete _signatures;
            wallet.onQuestion(address(killSwitch), calls[i]);
            own.nonce = i;
            add(MALLORY_KEY, own);
            add(ALICE_KEY, orderOfAlice(i));
            uint48 before = killSwitch.sequence();
            // The wallet would refuse its signature had the call back been let through.
            assertEq(killSwitch.landOrders(_orders, _signatures), 2);
            assertEq(killSwitch.sequence(), before + 2);
            assertLanded(alice, i);
            assertEq(killSwitch.nonceOf(alice, 9), 0);
            assertEq(killSwitch.burntFrom(killSwitch.orderDigest(own)), 0);
        }
    }

    // ===== Too little gas

    function test_landOrders_insufficientGasRevertsAll() public {
        for (uint256 i = 0; i < 3; ++i) add(ALICE_KEY, orderOfAlice(i));
        // Enough for the share of the first order, not for that of the third.
        (bool success, bytes memory error_) = landWithGas(580_000);
        require(!success, "landed with too little gas");
        assertEq(bytes32(bytes4(error_)), bytes32(IKillSwitch.InsufficientGas.selector));
        assertEq(killSwitch.nonceOf(alice, 0), 0);
        assertAlive();
    }

    /// @dev Whatever a sender gives, an honest order is never refused for want of gas: all land, or none does.
    function testFuzz_landOrders_allOrNoneForAnyGas(uint256 gas_) public {
        address wallet = address(new ExpensiveWallet(bob, 300_000));
        register(wallet, "1");
        for (uint256 i = 0; i < 2; ++i) {
            add(BOB_KEY, orderBy(wallet, Scope.Owner, subjectOf(wallet), i));
            add(ALICE_KEY, orderOfAlice(i));
        }
        (bool success, bytes memory result) = landWithGas(bound(gas_, 20_000, 4 * GAS_PER_ORDER));
        if (success) assertEq(abi.decode(result, (uint256)), 4);
        assertEq(killSwitch.nonceOf(wallet, 0) != 0 ? 1 : 0, success ? 1 : 0);
        assertEq(killSwitch.nonceOf(alice, 1) != 0 ? 1 : 0, success ? 1 : 0);
    }

    function landWithGas(uint256 gas_) private returns (bool success, bytes memory result) {
        bytes memory call = abi.encodeCall(IKillSwitch.landOrders, (_orders, _signatures));
        // solhint-disable-next-line avoid-low-level-calls
        return address(killSwitch).call{gas: gas_}(call);
    }

    function add(uint256 key, KillOrder memory order) private {
        _orders.push(order);
        _signatures.push(signOrder(key, order));
    }

    function expectRefusal(uint256 index, bytes memory error_) private {
        bytes32 digest = killSwitch.orderDigest(_orders[index]);
        expectEmit();
        emit IKillSwitch.OrderRefused(digest, error_);
    }

    function assertLanded(address authority, uint256 nonce) private view {
        require(killSwitch.nonceOf(authority, nonce) != 0, "the order should have landed");
    }
}
