// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, ResumeRequest, Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

contract KillSwitchResumeTest is KillSwitchTest {
    // ===== The way of a resume

    function test_resume_writesStateAndEvents() public {
        killAgent(alice);
        uint48 killed = killSwitch.sequence();
        skip(5);
        uint40 requestTime = uint40(time());
        expectEmit();
        emit IKillSwitch.ResumeRequested(
            Scope.Agent,
            bytes32(agent),
            alice,
            killed,
            requestTime + OWNER_COOLDOWN
        );
        requestAgent(alice);
        assertEq(killSwitch.sequence(), killed);
        ResumeRequest memory request = killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent));
        assertEq(request.sequence, killed);
        assertEq(request.requestTime, requestTime);
        assertEq(request.cooldown, OWNER_COOLDOWN);
        assertKilled();

        skip(OWNER_COOLDOWN);
        expectEmit();
        emit IKillSwitch.Resumed(Scope.Agent, bytes32(agent), alice, killed + 1, requestTime);
        resumeAgent(alice);
        assertEq(killSwitch.sequence(), killed + 1);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.aliveSince, killed + 1);
        assertEq(state.killedAt, killed);
        assertEq(state.rank, Rank.None);
        assertEq(state.resumeRequestTime, requestTime);
        assertEq(killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent)).requestTime, 0);
        assertAlive();
    }

    function test_resume_cooldownBoundary() public {
        killAgent(alice);
        requestAgent(alice);
        uint256 readyAt = time() + OWNER_COOLDOWN;
        vm.warp(readyAt - 1);
        expectCooldownRunning(readyAt);
        resumeAgent(alice);
        vm.warp(readyAt);
        resumeAgent(alice);
        assertAlive();
    }

    function test_resume_oneSecondAfterTheCooldown() public {
        killAgent(alice);
        requestAgent(alice);
        skip(OWNER_COOLDOWN + 1);
        resumeAgent(alice);
        assertAlive();
    }

    function test_resume_everyScope() public {
        killWallet(alice, alice);
        kill(council, Scope.AgentType, TYPE_WORD);
        kill(emergencyGovernor, Scope.Fleet, FLEET);
        lift(alice, Scope.Owner, subjectOf(alice));
        assertKilled();
        lift(council, Scope.AgentType, TYPE_WORD);
        assertKilled();
        lift(governance, Scope.Fleet, FLEET);
        assertAlive();
    }

    function test_resume_anyoneOfTheRankExecutes() public {
        killAgent(breaker);
        requestAgent(alice);
        skip(OWNER_COOLDOWN);
        resumeAgent(council);
        assertAlive();
    }

    function test_resume_notTwice() public {
        killAgent(alice);
        lift(alice, Scope.Agent, bytes32(agent));
        expectNotKilled(Scope.Agent, bytes32(agent));
        resumeAgent(alice);
        killAgent(alice);
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resumeAgent(alice);
    }

    function test_requestResume_notKilled() public {
        expectNotKilled(Scope.Agent, bytes32(agent));
        requestAgent(alice);
        expectNotKilled(Scope.Owner, subjectOf(alice));
        requestResume(alice, Scope.Owner, subjectOf(alice));
        // A kill of type or fleet is not the agent's to lift.
        kill(council, Scope.Fleet, FLEET);
        expectNotKilled(Scope.Agent, bytes32(agent));
        requestAgent(council);
    }

    function test_requestResume_pending() public {
        killAgent(alice);
        requestAgent(alice);
        uint40 readyAt = uint40(time() + OWNER_COOLDOWN);
        skip(OWNER_COOLDOWN * 2);
        expectRevert(
            abi.encodeWithSelector(IKillSwitch.ResumePending.selector, Scope.Agent, bytes32(agent), readyAt)
        );
        requestAgent(alice);
        killAgent(guardian);
        requestAgent(alice);
    }

    function test_resume_withoutRequest() public {
        killAgent(alice);
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resumeAgent(alice);
    }

    function test_resume_invalidSubjects() public {
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1);
        expectRevert(error_);
        requestResume(council, Scope.Agent, bytes32(agent ^ 1));
        expectRevert(error_);
        resume(council, Scope.Agent, bytes32(agent ^ 1));
        error_ = abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, Scope.Fleet, TYPE_WORD);
        expectRevert(error_);
        requestResume(council, Scope.Fleet, TYPE_WORD);
        expectRevert(error_);
        resume(council, Scope.Fleet, TYPE_WORD);
    }

    // ===== Ranks

    function test_resumeRankOf_table() public {
        setAgentWallet();
        address[8] memory accounts = [
            alice,
            guardian,
            agentWallet,
            breaker,
            council,
            emergencyGovernor,
            governance,
            mallory
        ];
        Rank[4][8] memory expected = [
            [Rank.Owner, Rank.Owner, Rank.None, Rank.None],
            [Rank.None, Rank.None, Rank.None, Rank.None],
            [Rank.None, Rank.None, Rank.None, Rank.None],
            [Rank.None, Rank.None, Rank.None, Rank.None],
            [Rank.Council, Rank.Council, Rank.Council, Rank.Council],
            [Rank.None, Rank.None, Rank.None, Rank.None],
            [Rank.Governance, Rank.Governance, Rank.Governance, Rank.Governance],
            [Rank.None, Rank.None, Rank.None, Rank.None]
        ];
        bytes32[4] memory subjects = [bytes32(agent), subjectOf(alice), TYPE_WORD, FLEET];
        for (uint8 scope = 0; scope < 4; ++scope) {
            for (uint256 i = 0; i < accounts.length; ++i) {
                Rank rank = killSwitch.resumeRankOf(accounts[i], Scope(scope), subjects[scope]);
                assertEq(rank, expected[i][scope]);
            }
        }
        assertEq(killSwitch.resumeRankOf(bob, Scope.Agent, bytes32(agent)), Rank.None);
        assertEq(killSwitch.resumeRankOf(bob, Scope.Owner, subjectOf(alice)), Rank.None);
    }

    function test_resume_guardianNeverResumes() public {
        killAgent(guardian);
        expectRankTooLow(guardian, Rank.None, Rank.Owner);
        requestAgent(guardian);
        requestAgent(alice);
        skip(OWNER_COOLDOWN);
        expectRankTooLow(guardian, Rank.None, Rank.Owner);
        resumeAgent(guardian);
    }

    function test_resume_breakersKillIsTheOwnersToLift() public {
        killAgent(breaker);
        expectRankTooLow(breaker, Rank.None, Rank.Breaker);
        requestAgent(breaker);
        requestAgent(alice);
        assertEq(killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent)).cooldown, BREAKER_COOLDOWN);
        skip(BREAKER_COOLDOWN);
        resumeAgent(alice);
        assertAlive();
    }

    function test_attack_ownersResumePastACouncilKill() public {
        killAgent(council);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestAgent(alice);
        requestAgent(council);
        skip(COUNCIL_COOLDOWN);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        resumeAgent(alice);
        resumeAgent(governance);
        assertAlive();
    }

    function test_attack_ownerKillsAfterTheCouncilToLowerTheRank() public {
        killAgent(council);
        killAgent(alice);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestAgent(alice);
    }

    function test_attack_councilsResumePastAGovernanceKill() public {
        kill(emergencyGovernor, Scope.Fleet, FLEET);
        expectRankTooLow(council, Rank.Council, Rank.Governance);
        requestResume(council, Scope.Fleet, FLEET);
        expectRankTooLow(emergencyGovernor, Rank.None, Rank.Governance);
        requestResume(emergencyGovernor, Scope.Fleet, FLEET);
    }

    function test_attack_liftingAnAgentUnderAnOwnerKillWithTheLowerRank() public {
        killAgent(alice);
        killWallet(council, alice);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestAgent(alice);
        // Also where the wallet's kill alone covers it.
        uint256 second = register(bob, "1");
        killWallet(council, bob);
        expectRankTooLow(bob, Rank.Owner, Rank.Council);
        requestResume(bob, Scope.Agent, bytes32(second));
    }

    function test_resume_agentTermsAreTheHighestOfAgentAndOwnerKill() public {
        killAgent(breaker);
        killWallet(council, alice);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        requestAgent(alice);
        requestAgent(council);
        assertEq(killSwitch.resumeRequestOf(Scope.Agent, bytes32(agent)).cooldown, COUNCIL_COOLDOWN);
    }

    function test_resume_longestCooldownNeedNotBeOfTheHighestRank() public {
        setCooldown(Rank.Breaker, 9000);
        killAgent(breaker);
        killWallet(council, alice);
        requestAgent(council);
        uint256 readyAt = time() + 9000;
        vm.warp(readyAt - 1);
        expectCooldownRunning(readyAt);
        resumeAgent(council);
        vm.warp(readyAt);
        resumeAgent(council);
        assertAlive();
    }

    function test_resume_ofAnAgentLeavesTheWalletsKillActive() public {
        uint256 second = register(alice, "2");
        killWallet(alice, alice);
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
        require(killSwitch.isKilled(second), "only the agent was lifted");
        lift(alice, Scope.Owner, subjectOf(alice));
        require(!killSwitch.isKilled(second));
    }

    function test_resume_ofAWalletLeavesTheAgentsKillActive() public {
        killAgent(alice);
        killWallet(alice, alice);
        lift(alice, Scope.Owner, subjectOf(alice));
        assertKilled();
    }

    function test_resume_ownerKillLiftedMeanwhile() public {
        killWallet(alice, alice);
        requestAgent(alice);
        lift(alice, Scope.Owner, subjectOf(alice));
        expectNotKilled(Scope.Agent, bytes32(agent));
        resumeAgent(alice);
    }

    // ===== Void requests

    function test_attack_requestOlderThanTheKill() public {
        killAgent(alice);
        requestAgent(alice);
        skip(OWNER_COOLDOWN);
        killAgent(guardian);
        expectNoResumeRequest(Scope.Agent, bytes32(agent));
        resumeAgent(alice);
        requestAgent(alice);
        expectCooldownRunning(time() + OWNER_COOLDOWN);
        resumeAgent(alice);
    }

    function test_resume_agentRequestIsVoidedByEachCoveringScope() public {
        bytes32[4] memory subjects = [bytes32(agent), subjectOf(alice), TYPE_WORD, FLEET];
        for (uint8 scope = 0; scope < 4; ++scope) {
            killAgent(breaker);
            requestAgent(alice);
            skip(COUNCIL_COOLDOWN);
            kill(council, Scope(scope), subjects[scope]);
            expectNoResumeRequest(Scope.Agent, bytes32(agent));
            resumeAgent(council);
            if (scope != 0) requestAgent(council);
            lift(council, Scope(scope), subjects[scope]);
            if (scope != 0) resumeAgent(council);
            assertAlive();
        }
    }

    function test_resume_ownerRequestIsVoidedByOwnerAndFleetOnly() public {
        killWallet(council, alice);
        requestResume(council, Scope.Owner, subjectOf(alice));
        killAgent(council);
        kill(council, Scope.AgentType, TYPE_WORD);
        killWallet(council, bob);
        skip(COUNCIL_COOLDOWN);
        resume(council, Scope.Owner, subjectOf(alice));

        killWallet(council, alice);
        requestResume(council, Scope.Owner, subjectOf(alice));
        kill(council, Scope.Fleet, FLEET);
        skip(COUNCIL_COOLDOWN);
        expectNoResumeRequest(Scope.Owner, subjectOf(alice));
        resume(council, Scope.Owner, subjectOf(alice));
        requestResume(council, Scope.Owner, subjectOf(alice));
        killWallet(council, alice);
        skip(COUNCIL_COOLDOWN);
        expectNoResumeRequest(Scope.Owner, subjectOf(alice));
        resume(council, Scope.Owner, subjectOf(alice));
    }

    function test_resume_typeRequestIsVoidedByTypeAndFleetOnly() public {
        kill(council, Scope.AgentType, TYPE_WORD);
        requestResume(council, Scope.AgentType, TYPE_WORD);
        killAgent(council);
        killWallet(council, alice);
        kill(council, Scope.AgentType, "other");
        skip(COUNCIL_COOLDOWN);
        resume(council, Scope.AgentType, TYPE_WORD);

        kill(council, Scope.AgentType, TYPE_WORD);
        requestResume(council, Scope.AgentType, TYPE_WORD);
        kill(council, Scope.Fleet, FLEET);
        skip(COUNCIL_COOLDOWN);
        expectNoResumeRequest(Scope.AgentType, TYPE_WORD);
        resume(council, Scope.AgentType, TYPE_WORD);
        requestResume(council, Scope.AgentType, TYPE_WORD);
        kill(council, Scope.AgentType, TYPE_WORD);
        skip(COUNCIL_COOLDOWN);
        expectNoResumeRequest(Scope.AgentType, TYPE_WORD);
        resume(council, Scope.AgentType, TYPE_WORD);
    }

    function test_resume_fleetRequestIsVoidedByFleetOnly() public {
        kill(council, Scope.Fleet, FLEET);
        requestResume(council, Scope.Fleet, FLEET);
        killAgent(council);
        killWallet(council, alice);
        kill(council, Scope.AgentType, TYPE_WORD);
        skip(COUNCIL_COOLDOWN);
        resume(council, Scope.Fleet, FLEET);

        kill(council, Scope.Fleet, FLEET);
        requestResume(council, Scope.Fleet, FLEET);
        kill(council, Scope.Fleet, FLEET);
        skip(COUNCIL_COOLDOWN);
        expectNoResumeRequest(Scope.Fleet, FLEET);
        resume(council, Scope.Fleet, FLEET);
    }

    function test_resume_otherCountsDoNotVoid() public {
        killAgent(alice);
        requestAgent(alice);
        setKey(alice, OTHER_KEY);
        register(bob, "7");
        skip(OWNER_COOLDOWN);
        resumeAgent(alice);
        assertAlive();
    }

    // ===== Cool-downs that change

    function test_attack_cooldownLoweredBetweenRequestAndExecution() public {
        killAgent(alice);
        requestAgent(alice);
        uint256 readyAt = time() + OWNER_COOLDOWN;
        setCooldown(Rank.Owner, MIN_COOLDOWN);
        vm.warp(readyAt - 1);
        expectCooldownRunning(readyAt);
        resumeAgent(alice);
        vm.warp(readyAt);
        resumeAgent(alice);
    }

    function test_resume_cooldownRaisedBetweenRequestAndExecution() public {
        killAgent(alice);
        requestAgent(alice);
        uint256 readyAt = time() + 2 * OWNER_COOLDOWN;
        setCooldown(Rank.Owner, 2 * OWNER_COOLDOWN);
        vm.warp(readyAt - 1);
        expectCooldownRunning(readyAt);
        resumeAgent(alice);
        vm.warp(readyAt);
        resumeAgent(alice);
    }

    function testFuzz_resume_largerOfBothCooldowns(uint32 before, uint32 later, uint32 waited) public {
        before = uint32(bound(before, MIN_COOLDOWN, 30 days));
        later = uint32(bound(later, MIN_COOLDOWN, 30 days));
        waited = uint32(bound(waited, 0, 31 days));
        setCooldown(Rank.Owner, before);
        killAgent(alice);
        requestAgent(alice);
        setCooldown(Rank.Owner, later);
        skip(waited);
        uint32 longer = before > later ? before : later;
        vm.prank(alice);
        try killSwitch.resume(Scope.Agent, bytes32(agent)) {
            require(waited >= longer, "too early");
        } catch {
            require(waited < longer, "refused in time");
        }
    }

    function requestAgent(address account) private {
        requestResume(account, Scope.Agent, bytes32(agent));
    }

    function resumeAgent(address account) private {
        resume(account, Scope.Agent, bytes32(agent));
    }

    function expectNotKilled(Scope scope, bytes32 subject) private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotKilled.selector, scope, subject));
    }
}
