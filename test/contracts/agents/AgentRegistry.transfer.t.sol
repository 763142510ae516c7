// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {Receiver} from "../support/Wallets.sol";

contract AgentRegistryTransferTest is KillSwitchTest {
    // ===== A transfer is a kill

    function test_transfer_killsAndClears() public {
        setAgentWallet();
        uint48 before = killSwitch.sequence();
        uint40 formerUntil = uint40(time() + OWNER_COOLDOWN);
        expectEmit();
        emit IERC721.Transfer(alice, bob, agent);
        expectEmit();
        emit IAgentRegistry.AgentTransferred(agent, alice, bob, formerUntil);
        expectWalletSet(agent, address(0));
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Agent,
            bytes32(agent),
            alice,
            Rank.Owner,
            TRANSFERRED,
            before + 1,
            0,
            ""
        );
        transfer(alice, bob);

        assertEq(killSwitch.ownerOf(agent), bob);
        assertEq(killSwitch.keyOf(agent), 0);
        assertEq(killSwitch.getAgentWallet(agent), address(0));
        assertEq(killSwitch.sequence(), before + 1);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.killedAt, before + 1);
        assertEq(state.rank, Rank.Owner);
        assertEq(state.reason, TRANSFERRED);
        assertEq(state.keySince, 0);
        require(state.ownersKill);
        assertKilled();
        expectNotAuthorized(agentWallet, Scope.Agent, bytes32(agent));
        killAgent(agentWallet);
    }

    function test_transfer_byOperatorIsInTheNameOfTheOwner() public {
        vm.prank(alice);
        killSwitch.approve(mallory, agent);
        uint48 before = killSwitch.sequence();
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Agent,
            bytes32(agent),
            alice,
            Rank.Owner,
            TRANSFERRED,
            before + 1,
            0,
            ""
        );
        vm.prank(mallory);
        killSwitch.safeTransferFrom(alice, bob, agent);
    }

    function test_transfer_newOwnerResumesAtOnceWithAnotherKey() public {
        transfer(alice, bob);
        requestResume(bob, Scope.Agent, bytes32(agent));
        expectKeyRequired();
        resume(bob, Scope.Agent, bytes32(agent));
        expectRevert(abi.encodeWithSelector(IAgentRegistry.KeyUnchanged.selector, agent, KEY));
        setKey(bob, KEY);
        setKey(bob, OTHER_KEY);
        assertEq(killSwitch.keyOf(agent), OTHER_KEY);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).keySince, killSwitch.sequence());
        resume(bob, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev A second transfer clears the second key.
    function test_transfer_eachOneTakesAnotherKey() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        requestResume(bob, Scope.Agent, bytes32(agent));
        resume(bob, Scope.Agent, bytes32(agent));
        skip(OWNER_COOLDOWN);
        transfer(bob, alice);
        assertEq(killSwitch.keyOf(agent), 0);
        requestResume(alice, Scope.Agent, bytes32(agent));
        expectKeyRequired();
        resume(alice, Scope.Agent, bytes32(agent));
    }

    function test_transfer_formerOwnerHasNoPowerOverIt() public {
        transfer(alice, bob);
        expectNotAuthorized(alice, Scope.Agent, bytes32(agent));
        killAgent(alice);
        expectRankTooLow(alice, Rank.None, Rank.Owner);
        requestResume(alice, Scope.Agent, bytes32(agent));
        expectRevert(abi.encodeWithSelector(IAgentRegistry.NotAgentOwner.selector, agent, alice));
        setKey(alice, OTHER_KEY);
    }

    function test_transfer_killAfterItBringsTheCooldownBack() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        killAgent(breaker);
        requestResume(bob, Scope.Agent, bytes32(agent));
        expectCooldownRunning(time() + OWNER_COOLDOWN);
        resume(bob, Scope.Agent, bytes32(agent));
    }

    function test_transfer_ownerKillAfterItHasItsCooldown() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        killWallet(bob, bob);
        requestResume(bob, Scope.Agent, bytes32(agent));
        expectCooldownRunning(time() + OWNER_COOLDOWN);
        resume(bob, Scope.Agent, bytes32(agent));
    }

    function test_transfer_higherKillAfterItIsNotTheNewOwnersToLift() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        killAgent(council);
        expectRankTooLow(bob, Rank.Owner, Rank.Council);
        requestResume(bob, Scope.Agent, bytes32(agent));
    }

    /// @dev The reason is reserved, so no kill at rank Council can carry it.
    function test_transfer_itsCooldownOfZeroIsOfRankOwnerOnly() public {
        setCooldown(Rank.Owner, OWNER_COOLDOWN);
        transfer(alice, bob);
        requestResume(bob, Scope.Agent, bytes32(agent));
        assertEq(killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent)).cooldown, 0);
    }

    function test_transfer_receiverMayTakeOverWithinTheCall() public {
        Receiver receiver = new Receiver();
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(IAgentRegistry.setKey, (agent, OTHER_KEY));
        calls[1] = abi.encodeCall(IKillSwitch.requestResume, (Scope.Agent, bytes32(agent)));
        calls[2] = abi.encodeCall(IKillSwitch.resume, (Scope.Agent, bytes32(agent)));
        receiver.onReceipt(address(killSwitch), calls);
        vm.prank(alice);
        killSwitch.safeTransferFrom(alice, address(receiver), agent);
        assertAlive();
        assertEq(killSwitch.ownerOf(agent), address(receiver));
    }

    // ===== What is refused

    function test_transfer_whileKilledByAnyScope() public {
        bytes32[4] memory subjects = [bytes32(agent), subjectOf(alice), TYPE_WORD, FLEET];
        for (uint8 scope = 0; scope < 4; ++scope) {
            kill(council, Scope(scope), subjects[scope]);
            expectAgentKilled();
            transfer(alice, bob);
            lift(council, Scope(scope), subjects[scope]);
        }
        transfer(alice, bob);
    }

    function test_attack_receivingIntoAKilledWallet() public {
        killWallet(council, bob);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.WalletKilled.selector, bob));
        transfer(alice, bob);
        lift(council, Scope.Owner, subjectOf(bob));
        transfer(alice, bob);
    }

    function test_transfer_ofALiftedAgentToItsKilledOwner() public {
        killWallet(alice, alice);
        lift(alice, Scope.Agent, bytes32(agent));
        expectRevert(abi.encodeWithSelector(IAgentRegistry.WalletKilled.selector, alice));
        transfer(alice, alice);
        // It may leave the killed wallet.
        transfer(alice, bob);
    }

    function test_transfer_toOneselfKillsToo() public {
        transfer(alice, alice);
        assertKilled();
        assertEq(killSwitch.keyOf(agent), 0);
        assertEq(killSwitch.balanceOf(alice), 1);
    }

    function test_transfer_unauthorized() public {
        expectRevert(
            abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, mallory, agent)
        );
        vm.prank(mallory);
        killSwitch.transferFrom(alice, mallory, agent);
        expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721IncorrectOwner.selector, bob, agent, alice));
        vm.prank(alice);
        killSwitch.transferFrom(bob, mallory, agent);
        expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0)));
        vm.prank(alice);
        killSwitch.transferFrom(alice, address(0), agent);
        assertAlive();
    }

    function test_transfer_formerUntilBoundary() public {
        transfer(alice, bob);
        uint40 formerUntil = uint40(time() + OWNER_COOLDOWN);
        revive(bob, OTHER_KEY);
        vm.warp(formerUntil - 1);
        expectRevert(
            abi.encodeWithSelector(IAgentRegistry.TransferredTooRecently.selector, agent, formerUntil)
        );
        transfer(bob, alice);
        vm.warp(formerUntil);
        transfer(bob, alice);
        revive(alice, KEY);
        vm.warp(formerUntil + OWNER_COOLDOWN + 1);
        transfer(alice, bob);
    }

    function test_attack_chainedTransferByAThief() public {
        transfer(alice, mallory);
        revive(mallory, OTHER_KEY);
        expectRevert(
            abi.encodeWithSelector(
                IAgentRegistry.TransferredTooRecently.selector,
                agent,
                uint40(time() + OWNER_COOLDOWN)
            )
        );
        transfer(mallory, bob);
        // The guardian of the robbed owner still stops it.
        killAgent(guardian);
        assertKilled();
    }

    // ===== Former guardians

    function test_attack_formerGuardianWithinAndAfterTheCooldown() public {
        transfer(alice, bob);
        uint256 formerUntil = time() + OWNER_COOLDOWN;
        revive(bob, OTHER_KEY);
        vm.warp(formerUntil - 1);
        assertEq(killSwitch.killRankOf(guardian, Scope.Agent, bytes32(agent)), Rank.Owner);
        killAgent(guardian);
        assertKilled();
        vm.warp(formerUntil);
        expectNotAuthorized(guardian, Scope.Agent, bytes32(agent));
        killAgent(guardian);
        vm.warp(formerUntil + 1);
        expectNotAuthorized(guardian, Scope.Agent, bytes32(agent));
        killAgent(guardian);
    }

    function test_formerGuardian_hasNoPowerOverTheNewOwnersWallet() public {
        transfer(alice, bob);
        expectNotAuthorized(guardian, Scope.Owner, subjectOf(bob));
        killWallet(guardian, bob);
        // Over that of the former owner it keeps its own.
        killWallet(guardian, alice);
    }

    function test_formerGuardian_dismissedBeforeFormerUntil() public {
        vm.prank(alice);
        killSwitch.dismissGuardian(guardian);
        skip(10);
        transfer(alice, bob);
        skip(OWNER_COOLDOWN - 11);
        killAgent(guardian);
        skip(1);
        expectNotAuthorized(guardian, Scope.Agent, bytes32(agent));
        killAgent(guardian);
    }

    function test_formerUntil_isFixedAtTheTransfer() public {
        transfer(alice, bob);
        setCooldown(Rank.Owner, MIN_COOLDOWN);
        skip(OWNER_COOLDOWN - 1);
        killAgent(guardian);
    }

    function revive(address owner, bytes32 key) private {
        setKey(owner, key);
        requestResume(owner, Scope.Agent, bytes32(agent));
        resume(owner, Scope.Agent, bytes32(agent));
    }

    function expectKeyRequired() private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.KeyRequired.selector, agent));
    }
}
