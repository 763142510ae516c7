// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {KillOrder, Rank, Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

/// @notice What its owner stopped, its owner alone lifts. Each attack is by the two who resume what is not theirs.
contract KillSwitchOwnersKillTest is KillSwitchTest {
    // ===== Whose kill it is

    function test_ownersKill_ofEveryoneWhoActsForTheOwner() public {
        setAgentWallet();
        address[3] memory accounts = [alice, guardian, agentWallet];
        for (uint256 i = 0; i < accounts.length; ++i) {
            killAgent(accounts[i]);
            assertOwnersKill(Rank.Owner, true);
            refuseOthers(Scope.Agent, bytes32(agent));
            lift(alice, Scope.Agent, bytes32(agent));
            assertOwnersKill(Rank.None, false);
            assertAlive();
        }
        accounts[2] = guardian;
        for (uint256 i = 0; i < accounts.length; ++i) {
            killWallet(accounts[i], alice);
            require(killSwitch.stateOf(Scope.Owner, subjectOf(alice)).ownersKill, "of the wallet");
            refuseOthers(Scope.Owner, subjectOf(alice));
            lift(alice, Scope.Owner, subjectOf(alice));
            require(!killSwitch.stateOf(Scope.Owner, subjectOf(alice)).ownersKill, "lifted");
        }
    }

    function test_ownersKill_byOrder() public {
        land(GUARDIAN_KEY, orderBy(guardian, Scope.Agent, bytes32(agent), 1));
        assertOwnersKill(Rank.Owner, true);
        refuseOthers(Scope.Agent, bytes32(agent));
    }

    function test_ownersKill_notOfOthers() public {
        address[3] memory accounts = [breaker, council, emergencyGovernor];
        for (uint256 i = 0; i < accounts.length; ++i) {
            killAgent(accounts[i]);
            require(!killSwitch.stateOf(Scope.Agent, bytes32(agent)).ownersKill, "not the owner's");
            lift(governance, Scope.Agent, bytes32(agent));
            assertAlive();
        }
    }

    function test_ownersKill_ofATransferIsTheNewOwnersToLift() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        assertOwnersKill(Rank.Owner, true);
        refuseOthers(Scope.Agent, bytes32(agent));
        requestResume(bob, Scope.Agent, bytes32(agent));
        resume(bob, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_ownersKill_ofAFormerGuardianIsTheNewOwnersToLift() public {
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        requestResume(bob, Scope.Agent, bytes32(agent));
        resume(bob, Scope.Agent, bytes32(agent));
        killAgent(guardian);
        refuseOthers(Scope.Agent, bytes32(agent));
        expectRankTooLow(alice, Rank.None, Rank.Owner);
        requestResume(alice, Scope.Agent, bytes32(agent));
        lift(bob, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    // ===== Refused where nothing stands above it

    /// @dev The one who asks may be the owner: the one who executes must be, too.
    function test_attack_othersExecuteTheOwnersRequest() public {
        killAgent(alice);
        requestResume(alice, Scope.Agent, bytes32(agent));
        skip(OWNER_COOLDOWN);
        expectOwnersKill(Scope.Agent, bytes32(agent));
        resume(council, Scope.Agent, bytes32(agent));
        expectOwnersKill(Scope.Agent, bytes32(agent));
        resume(governance, Scope.Agent, bytes32(agent));
        resume(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev The breaker's lower kill before or after it changes nothing.
    function test_ownersKill_withABreakersKill() public {
        killAgent(breaker);
        killAgent(alice);
        refuseOthers(Scope.Agent, bytes32(agent));
        killAgent(breaker);
        assertOwnersKill(Rank.Owner, true);
        refuseOthers(Scope.Agent, bytes32(agent));
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_attack_anOwnersKillDuringTheCooldownOfABreakersRelease() public {
        killAgent(breaker);
        requestResume(council, Scope.Agent, bytes32(agent));
        killAgent(alice);
        skip(GOVERNANCE_COOLDOWN);
        expectOwnersKill(Scope.Agent, bytes32(agent));
        resume(council, Scope.Agent, bytes32(agent));
    }

    /// @dev A caller without any rank is told so.
    function test_ownersKill_rankIsAskedFirst() public {
        killAgent(alice);
        expectRankTooLow(mallory, Rank.None, Rank.Owner);
        requestResume(mallory, Scope.Agent, bytes32(agent));
        killAgent(emergencyGovernor);
        expectRankTooLow(council, Rank.Council, Rank.Governance);
        requestResume(council, Scope.Agent, bytes32(agent));
    }

    // ===== Lowered where something does

    function test_attack_aHigherKillAndItsRelease() public {
        killAgent(alice);
        killAgent(emergencyGovernor);
        assertLowered(governance, Scope.Agent, bytes32(agent));
        assertKilled();
        refuseOthers(Scope.Agent, bytes32(agent));
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_attack_aHigherKillFirst() public {
        killAgent(council);
        killAgent(alice);
        assertLowered(council, Scope.Agent, bytes32(agent));
        assertKilled();
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev The owner's kill during the cool-down voids that request, and the next one does not reach it.
    function test_attack_twoRequestsAroundAnOwnersKill() public {
        killAgent(emergencyGovernor);
        requestResume(governance, Scope.Agent, bytes32(agent));
        killAgent(alice);
        skip(GOVERNANCE_COOLDOWN);
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resume(governance, Scope.Agent, bytes32(agent));
        assertLowered(governance, Scope.Agent, bytes32(agent));
        assertKilled();
    }

    function test_lower_wallet() public {
        killWallet(alice, alice);
        killWallet(emergencyGovernor, alice);
        assertLowered(governance, Scope.Owner, subjectOf(alice));
        assertKilled();
        refuseOthers(Scope.Owner, subjectOf(alice));
        lift(alice, Scope.Owner, subjectOf(alice));
        assertAlive();
    }

    /// @dev It writes no sequence and no key, but everything else that its event says.
    function test_lower_writesStateAndEvent() public {
        killAgent(alice);
        uint48 killed = killAgent(emergencyGovernor);
        SubjectState memory before = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        skip(5);
        uint40 requestTime = uint40(time());
        requestResume(governance, Scope.Agent, bytes32(agent));
        vm.warp(requestTime + GOVERNANCE_COOLDOWN - 1);
        expectCooldownRunning(requestTime + GOVERNANCE_COOLDOWN);
        resume(governance, Scope.Agent, bytes32(agent));
        vm.warp(requestTime + GOVERNANCE_COOLDOWN);
        expectEmit();
        emit IKillSwitch.RankLowered(Scope.Agent, bytes32(agent), governance, requestTime);
        resume(governance, Scope.Agent, bytes32(agent));

        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.rank, Rank.Owner);
        require(state.ownersKill, "the owner's kill stands");
        assertEq(state.killedAt, killed);
        assertEq(state.aliveSince, before.aliveSince);
        assertEq(state.killTime, before.killTime);
        assertEq(state.reason, before.reason);
        assertEq(state.keySince, before.keySince);
        assertEq(state.resumeRequestTime, requestTime);
        assertEq(killSwitch.sequence(), killed);
        assertEq(killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent)).requestTime, 0);
        (bool killed_, Scope scope, Rank rank, , ) = killSwitch.statusOf(agent);
        require(killed_ && scope == Scope.Agent && rank == Rank.Owner, "killed by its owner");
    }

    function test_lower_takesRankAndARequest() public {
        killAgent(alice);
        killAgent(council);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestResume(alice, Scope.Agent, bytes32(agent));
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resume(governance, Scope.Agent, bytes32(agent));
        requestResume(governance, Scope.Agent, bytes32(agent));
        killAgent(guardian);
        skip(GOVERNANCE_COOLDOWN);
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resume(governance, Scope.Agent, bytes32(agent));
        lift(council, Scope.Agent, bytes32(agent));
        assertOwnersKill(Rank.Owner, true);
    }

    /// @dev Where a transfer's kill was covered by a higher one, its new owner waits like any other.
    function test_lower_aTransfersKill() public {
        transfer(alice, bob);
        killAgent(council);
        // Nothing comes alive, so it needs no key.
        assertLowered(council, Scope.Agent, bytes32(agent));
        setKey(bob, OTHER_KEY);
        requestResume(bob, Scope.Agent, bytes32(agent));
        uint256 readyAt = time() + OWNER_COOLDOWN;
        vm.warp(readyAt - 1);
        expectCooldownRunning(readyAt);
        resume(bob, Scope.Agent, bytes32(agent));
        vm.warp(readyAt);
        resume(bob, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev The next kill of a lowered subject raises the rank again, and the next of a resumed one begins anew.
    function test_lower_thenKilledAgain() public {
        killAgent(alice);
        killAgent(council);
        assertLowered(council, Scope.Agent, bytes32(agent));
        killAgent(emergencyGovernor);
        assertOwnersKill(Rank.Governance, true);
        assertLowered(governance, Scope.Agent, bytes32(agent));
        lift(alice, Scope.Agent, bytes32(agent));
        killAgent(council);
        assertOwnersKill(Rank.Council, false);
        lift(council, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev Orders of before the request raise the rank no more; later ones do.
    function test_attack_anEarlierOrderRaisesTheRankAgain() public {
        killAgent(alice);
        killAgent(council);
        KillOrder memory earlier = orderBy(council, Scope.Agent, bytes32(agent), 1);
        earlier.deadline = earlier.issuedAt + 1 days;
        skip(1);
        KillOrder memory atRequest = orderBy(council, Scope.Agent, bytes32(agent), 2);
        atRequest.deadline = atRequest.issuedAt + 1 days;
        uint40 requestTime = uint40(time());
        assertLowered(council, Scope.Agent, bytes32(agent));
        bytes memory signature = signOrder(COUNCIL_KEY, earlier);
        expectRevert(
            abi.encodeWithSelector(IKillSwitch.OrderSuperseded.selector, requestTime - 1, requestTime)
        );
        killSwitch.killBySig(earlier, signature);
        assertOwnersKill(Rank.Owner, true);
        land(COUNCIL_KEY, atRequest);
        assertOwnersKill(Rank.Council, true);
    }

    // ===== An agent whose wallet is stopped

    function test_attack_liftingAnAgentFromUnderTheOwnersKillOfItsWallet() public {
        killWallet(alice, alice);
        refuseWallet();
        killAgent(breaker);
        refuseWallet();
        // Nor from under a higher kill of the wallet, or of the agent, with the owner's below.
        killAgent(emergencyGovernor);
        refuseWallet();
        killWallet(emergencyGovernor, alice);
        refuseWallet();

        // The way out: the wallet's higher kill, the owner's, the agent's.
        assertLowered(governance, Scope.Owner, subjectOf(alice));
        lift(alice, Scope.Owner, subjectOf(alice));
        assertKilled();
        lift(governance, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_ownersKill_ofAnAgentUnderAWalletThatOthersStopped() public {
        killAgent(alice);
        killWallet(council, alice);
        expectOwnersKill(Scope.Agent, bytes32(agent));
        requestResume(council, Scope.Agent, bytes32(agent));
        lift(council, Scope.Owner, subjectOf(alice));
        assertKilled();
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev Lowering an agent's rank is no resume: what covers its wallet goes on covering it.
    function test_lower_leavesTheWalletsKillOverTheAgent() public {
        killAgent(alice);
        killAgent(council);
        killWallet(council, alice);
        assertLowered(council, Scope.Agent, bytes32(agent));
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestResume(alice, Scope.Agent, bytes32(agent));
        lift(council, Scope.Owner, subjectOf(alice));
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_ownersKill_ofTheWalletThatTheAgentHasLeft() public {
        killWallet(alice, alice);
        lift(alice, Scope.Agent, bytes32(agent));
        killAgent(council);
        lift(council, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_ownersKill_ofAWalletIsNotTheFleets() public {
        killWallet(alice, alice);
        kill(council, Scope.AgentType, TYPE_WORD);
        kill(emergencyGovernor, Scope.Fleet, FLEET);
        lift(council, Scope.AgentType, TYPE_WORD);
        lift(governance, Scope.Fleet, FLEET);
        assertKilled();
    }

    // ===== Accounts with two roles

    /// @dev By two votes: make the owner council (or emergency governor), then lift what it stops.
    function test_attack_anOwnerIsMadeCouncil() public {
        vm.prank(governance);
        killSwitch.setCouncil(alice);
        killAgent(alice);
        assertOwnersKill(Rank.Council, true);
        assertLowered(governance, Scope.Agent, bytes32(agent));
        assertKilled();
        killWallet(alice, alice);
        vm.prank(governance);
        killSwitch.setCouncil(mallory);
        assertLowered(mallory, Scope.Owner, subjectOf(alice));
        refuse(mallory, Scope.Owner, subjectOf(alice));
        assertKilled();
    }

    function test_attack_anOwnerIsMadeEmergencyGovernor() public {
        vm.prank(governance);
        killSwitch.setEmergencyGovernor(alice);
        land(ALICE_KEY, orderOfAlice(1));
        assertOwnersKill(Rank.Governance, true);
        assertLowered(governance, Scope.Agent, bytes32(agent));
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev A council, or governance, that owns an agent is its owner.
    function test_ownersKill_ofACouncilThatOwns() public {
        agent = register(council, "2");
        killAgent(council);
        assertOwnersKill(Rank.Council, true);
        lift(council, Scope.Agent, bytes32(agent));
        assertAlive();
        killAgent(council);
        assertLowered(governance, Scope.Agent, bytes32(agent));
        lift(council, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    function test_ownersKill_ofTheWalletThatGoverns() public {
        agent = register(governance, "2");
        killWallet(governance, governance);
        refuse(council, Scope.Owner, subjectOf(governance));
        lift(governance, Scope.Agent, bytes32(agent));
        assertAlive();
        killAgent(emergencyGovernor);
        lift(governance, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev Owners choose their guardians, but that makes the council's kill neither theirs nor theirs to lift.
    function test_attack_anOwnerMakesTheCouncilItsGuardian() public {
        vm.prank(alice);
        killSwitch.appointGuardian(council);
        killAgent(council);
        assertOwnersKill(Rank.Council, false);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestResume(alice, Scope.Agent, bytes32(agent));
        lift(council, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    // ===== Burns

    function test_attack_othersBurnAnOwnersOrder() public {
        setAgentWallet();
        address[3] memory authorities = [alice, guardian, agentWallet];
        for (uint256 i = 0; i < authorities.length; ++i) refuseToBurn(authorities[i], Scope.Agent);
        refuseToBurn(alice, Scope.Owner);
        refuseToBurn(guardian, Scope.Owner);
    }

    /// @dev An order outlives the power of who signed it: at relayers, and where that power comes back.
    function test_attack_othersBurnTheOrderOfADismissedGuardian() public {
        vm.prank(alice);
        killSwitch.dismissGuardian(guardian);
        skip(OWNER_COOLDOWN);
        assertEq(killSwitch.killRankOf(guardian, Scope.Agent, bytes32(agent)), Rank.None);
        refuseToBurn(guardian, Scope.Agent);
    }

    /// @dev Two votes again: rank Council for the owner, then its burn.
    function test_attack_othersBurnTheOrderOfAnOwnerWhoIsCouncil() public {
        vm.prank(governance);
        killSwitch.setCouncil(alice);
        KillOrder memory order = orderOfAlice(1);
        expectOwnersKill(Scope.Agent, bytes32(agent));
        burn(governance, order);
        burn(alice, order);
    }

    function test_burnOrder_othersBurnWhatNoOwnerSigned() public {
        burn(council, orderBy(breaker, Scope.Agent, bytes32(agent), 1));
        burn(governance, orderBy(council, Scope.Agent, bytes32(agent), 1));
        burn(governance, orderBy(emergencyGovernor, Scope.Owner, subjectOf(alice), 1));
        // Types and the fleet have no owner, so nothing that was signed over them is one's.
        burn(council, orderBy(mallory, Scope.AgentType, TYPE_WORD, 1));
        burn(council, orderBy(mallory, Scope.Fleet, FLEET, 2));
    }

    // ===== Every state has a way out

    /// @dev Whatever four kills stand on agent and wallet: the owner, and governance in its turn, bring the agent back.
    function testFuzz_everyStateHasAWayOut(uint256 acts, bool moved) public {
        address owner = alice;
        if (moved) {
            transfer(alice, bob);
            setKey(bob, OTHER_KEY);
            owner = bob;
        }
        address[4] memory killers = [owner, breaker, council, emergencyGovernor];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 act = (acts >> (8 * i)) & 0xff;
            address killer = killers[act % 4];
            if ((act >> 2) % 2 == 0) killAgent(killer);
            else if (killer != breaker) killWallet(killer, owner);
        }
        address[3] memory lifters = [governance, owner, governance];
        for (uint256 i = 0; i < lifters.length; ++i) {
            tryToLift(lifters[i], Scope.Owner, subjectOf(owner));
            tryToLift(lifters[i], Scope.Agent, bytes32(agent));
        }
        tryToLift(owner, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    // ===== Helpers

    function tryToLift(address account, Scope scope, bytes32 subject) private {
        vm.prank(account);
        try killSwitch.requestResume(scope, subject) {
            skip(GOVERNANCE_COOLDOWN);
            resume(account, scope, subject);
        } catch {}
    }

    function assertLowered(address account, Scope scope, bytes32 subject) private {
        lift(account, scope, subject);
        SubjectState memory state = killSwitch.stateOf(scope, subject);
        assertEq(state.rank, Rank.Owner);
        require(state.ownersKill && state.killedAt > state.aliveSince, "the owner's kill should stand");
    }

    function assertOwnersKill(Rank rank, bool expected) private view {
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.rank, rank);
        require(state.ownersKill == expected, "whose kill it is");
    }

    /// @dev Neither the council nor governance, neither asking nor executing.
    function refuseOthers(Scope scope, bytes32 subject) private {
        refuse(council, scope, subject);
        refuse(governance, scope, subject);
    }

    function refuse(address account, Scope scope, bytes32 subject) private {
        expectOwnersKill(scope, subject);
        requestResume(account, scope, subject);
        expectOwnersKill(scope, subject);
        resume(account, scope, subject);
    }

    function refuseWallet() private {
        expectOwnersKill(Scope.Owner, subjectOf(alice));
        requestResume(governance, Scope.Agent, bytes32(agent));
        expectOwnersKill(Scope.Owner, subjectOf(alice));
        resume(governance, Scope.Agent, bytes32(agent));
    }

    function refuseToBurn(address authority, Scope scope) private {
        bytes32 subject = scope == Scope.Agent ? bytes32(agent) : subjectOf(alice);
        KillOrder memory order = orderBy(authority, scope, subject, 1);
        expectOwnersKill(scope, subject);
        burn(council, order);
        expectOwnersKill(scope, subject);
        burn(governance, order);
        burn(alice, order);
        assertEq(killSwitch.burntFrom(killSwitch.orderDigest(order)), time() + OWNER_COOLDOWN);
    }

    function burn(address account, KillOrder memory order) private {
        vm.prank(account);
        killSwitch.burnOrder(order);
    }
}
