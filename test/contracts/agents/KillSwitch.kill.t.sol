// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

contract KillSwitchKillTest is KillSwitchTest {
    // ===== What a kill writes and says

    function test_kill_writesStateAndEvent() public {
        uint48 before = killSwitch.sequence();
        skip(7);
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Agent,
            bytes32(agent),
            alice,
            Rank.Owner,
            COMPROMISED,
            before + 1,
            0,
            "leaked"
        );
        vm.prank(alice);
        uint48 sequence = killSwitch.kill(Scope.Agent, bytes32(agent), COMPROMISED, "leaked");

        assertEq(sequence, before + 1);
        assertEq(killSwitch.sequence(), sequence);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.killedAt, sequence);
        assertEq(state.aliveSince, before);
        assertEq(state.killTime, START + 7);
        assertEq(state.rank, Rank.Owner);
        assertEq(state.reason, COMPROMISED);
        assertEq(state.resumeRequestTime, 0);
        assertEq(state.keySince, before);
        assertKilled();
    }

    function test_kill_ofAnotherAgentLeavesThisOne() public {
        uint256 other = register(alice, "2");
        kill(alice, Scope.Agent, bytes32(other));
        assertAlive();
        require(killSwitch.isKilled(other));
    }

    function test_kill_againCountsAnew() public {
        killAgent(alice);
        uint48 before = killSwitch.sequence();
        skip(1);
        vm.prank(breaker);
        uint48 sequence = killSwitch.kill(Scope.Agent, bytes32(agent), 7, "");
        assertEq(sequence, before + 1);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.killedAt, sequence);
        assertEq(state.killTime, START + 1);
        assertEq(state.reason, 7);
    }

    function test_kill_rankOnlyRises() public {
        killAgent(breaker);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Breaker);
        killAgent(council);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Council);
        killAgent(alice);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Council);
        killAgent(emergencyGovernor);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Governance);
    }

    function test_kill_rankStartsAgainAfterResume() public {
        killAgent(council);
        lift(council, Scope.Agent, bytes32(agent));
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.None);
        killAgent(breaker);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Breaker);
    }

    function test_emergencyKill_isAKillOfTheWallet() public {
        uint256 second = register(alice, "2");
        uint256 bobs = register(bob, "1");
        uint48 before = killSwitch.sequence();
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Owner,
            subjectOf(alice),
            guardian,
            Rank.Owner,
            2,
            before + 1,
            0,
            "stop"
        );
        vm.prank(guardian);
        assertEq(killSwitch.emergencyKill(alice, 2, "stop"), before + 1);
        assertKilled();
        require(killSwitch.isKilled(second));
        require(!killSwitch.isKilled(bobs));
        assertEq(killSwitch.stateOf(Scope.Owner, subjectOf(alice)).killedAt, before + 1);
    }

    function test_kill_ofTypeCoversPresentAndFutureAgentsOfTheType() public {
        vm.prank(bob);
        uint256 other = killSwitch.register("other", KEY, "2");
        kill(council, Scope.AgentType, TYPE_WORD);
        assertKilled();
        require(!killSwitch.isKilled(other));
        require(killSwitch.isKilled(register(bob, "3")));
    }

    function test_kill_ofFleetCoversEveryone() public {
        kill(emergencyGovernor, Scope.Fleet, FLEET);
        assertKilled();
        require(killSwitch.isKilled(register(bob, "3")));
    }

    function test_kill_ofTypeThatNobodyRegistered() public {
        kill(council, Scope.AgentType, "unheard-of");
        vm.prank(bob);
        require(killSwitch.isKilled(killSwitch.register("unheard-of", KEY, "1")));
    }

    // ===== Ranks: who kills what

    function test_killRankOf_table() public {
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
        // Columns: Agent, Owner, AgentType, Fleet.
        Rank[4][8] memory expected = [
            [Rank.Owner, Rank.Owner, Rank.None, Rank.None],
            [Rank.Owner, Rank.Owner, Rank.None, Rank.None],
            [Rank.Owner, Rank.None, Rank.None, Rank.None],
            [Rank.Breaker, Rank.None, Rank.None, Rank.None],
            [Rank.Council, Rank.Council, Rank.Council, Rank.Council],
            [Rank.Governance, Rank.Governance, Rank.Governance, Rank.Governance],
            [Rank.None, Rank.None, Rank.None, Rank.None],
            [Rank.None, Rank.None, Rank.None, Rank.None]
        ];
        bytes32[4] memory subjects = [bytes32(agent), subjectOf(alice), TYPE_WORD, FLEET];
        for (uint8 scope = 0; scope < 4; ++scope) {
            for (uint256 i = 0; i < accounts.length; ++i) {
                Rank rank = expected[i][scope];
                assertEq(killSwitch.killRankOf(accounts[i], Scope(scope), subjects[scope]), rank);
                if (rank == Rank.None) {
                    expectNotAuthorized(accounts[i], Scope(scope), subjects[scope]);
                    kill(accounts[i], Scope(scope), subjects[scope]);
                } else {
                    kill(accounts[i], Scope(scope), subjects[scope]);
                }
            }
        }
    }

    function test_killRankOf_isNoneOverOthers() public view {
        assertEq(killSwitch.killRankOf(bob, Scope.Agent, bytes32(agent)), Rank.None);
        assertEq(killSwitch.killRankOf(bob, Scope.Owner, subjectOf(alice)), Rank.None);
        assertEq(killSwitch.killRankOf(guardian, Scope.Owner, subjectOf(bob)), Rank.None);
    }

    function test_killRankOf_isTheHighestOfSeveral() public {
        vm.prank(governance);
        killSwitch.setBreaker(alice, true);
        assertEq(killSwitch.killRankOf(alice, Scope.Agent, bytes32(agent)), Rank.Owner);
        vm.prank(governance);
        killSwitch.setCouncil(alice);
        assertEq(killSwitch.killRankOf(alice, Scope.Agent, bytes32(agent)), Rank.Council);
        vm.prank(governance);
        killSwitch.setEmergencyGovernor(alice);
        assertEq(killSwitch.killRankOf(alice, Scope.Agent, bytes32(agent)), Rank.Governance);
    }

    function test_killRankOf_zeroAddressHoldsNoVacantRole() public {
        vm.prank(governance);
        killSwitch.setCouncil(address(0));
        vm.prank(governance);
        killSwitch.setEmergencyGovernor(address(0));
        assertEq(killSwitch.killRankOf(address(0), Scope.Agent, bytes32(agent)), Rank.None);
        assertEq(killSwitch.killRankOf(address(0), Scope.Fleet, FLEET), Rank.None);
        assertEq(killSwitch.resumeRankOf(address(0), Scope.Fleet, FLEET), Rank.None);
        expectNotAuthorized(address(0), Scope.Fleet, FLEET);
        kill(address(0), Scope.Fleet, FLEET);
    }

    function test_killRankOf_isNoneOfInvalidSubjects() public view {
        assertEq(killSwitch.killRankOf(council, Scope.Agent, bytes32(agent ^ 1)), Rank.None);
        assertEq(killSwitch.killRankOf(council, Scope.Fleet, bytes32(uint256(1))), Rank.None);
        assertEq(killSwitch.resumeRankOf(council, Scope.Agent, bytes32(agent ^ 1)), Rank.None);
        assertEq(killSwitch.resumeRankOf(council, Scope.AgentType, "Upper"), Rank.None);
        assertEq(killSwitch.resumeRankOf(council, Scope.Owner, 0), Rank.None);
    }

    function test_kill_breakerCannotKillAWallet() public {
        expectNotAuthorized(breaker, Scope.Owner, subjectOf(alice));
        killWallet(breaker, alice);
        expectNotAuthorized(breaker, Scope.Owner, subjectOf(alice));
        vm.prank(breaker);
        killSwitch.emergencyKill(alice, COMPROMISED, "");
    }

    function test_kill_dismissedBreakerHasNone() public {
        vm.prank(governance);
        killSwitch.setBreaker(breaker, false);
        expectNotAuthorized(breaker, Scope.Agent, bytes32(agent));
        killAgent(breaker);
    }

    function test_kill_governanceKillsNothing() public {
        expectNotAuthorized(governance, Scope.Fleet, FLEET);
        kill(governance, Scope.Fleet, FLEET);
    }

    function testFuzz_killRankOf_strangersHaveNone(address stranger, uint8 scope) public view {
        vm.assume(
            stranger != alice &&
                stranger != guardian &&
                stranger != breaker &&
                stranger != council &&
                stranger != emergencyGovernor
        );
        bytes32[4] memory subjects = [bytes32(agent), subjectOf(alice), TYPE_WORD, FLEET];
        uint8 index = uint8(bound(scope, 0, 3));
        assertEq(killSwitch.killRankOf(stranger, Scope(index), subjects[index]), Rank.None);
    }

    // ===== What is refused

    function test_kill_reservedReasons() public {
        vm.prank(alice);
        killSwitch.kill(Scope.Agent, bytes32(agent), 0xfeff, "");
        uint16[3] memory reserved = [uint16(0xff00), TRANSFERRED, 0xffff];
        for (uint256 i = 0; i < reserved.length; ++i) {
            expectRevert(abi.encodeWithSelector(IKillSwitch.ReservedReason.selector, reserved[i]));
            vm.prank(alice);
            killSwitch.kill(Scope.Agent, bytes32(agent), reserved[i], "");
        }
        expectRevert(abi.encodeWithSelector(IKillSwitch.ReservedReason.selector, TRANSFERRED));
        vm.prank(alice);
        killSwitch.emergencyKill(alice, TRANSFERRED, "");
    }

    function test_kill_textOf256BytesIsTheLongest() public {
        vm.prank(alice);
        killSwitch.kill(Scope.Agent, bytes32(agent), 0, string(new bytes(256)));
        expectRevert(abi.encodeWithSelector(IKillSwitch.TextTooLong.selector, 257));
        vm.prank(alice);
        killSwitch.kill(Scope.Agent, bytes32(agent), 0, string(new bytes(257)));
    }

    function test_kill_unknownAgent() public {
        bytes32[3] memory unknown = [bytes32(agent ^ 1), bytes32(agent | (1 << 128)), 0];
        for (uint256 i = 0; i < unknown.length; ++i) {
            expectRevert(abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, uint256(unknown[i])));
            kill(council, Scope.Agent, unknown[i]);
        }
    }

    function test_kill_invalidWallet() public {
        expectInvalidSubject(Scope.Owner, 0);
        expectInvalidSubject(Scope.Owner, subjectOf(alice) | bytes32(uint256(1) << 160));
        expectInvalidSubject(Scope.Owner, subjectOf(alice) | bytes32(uint256(1) << 255));
        expectRevert(abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, Scope.Owner, 0));
        vm.prank(council);
        killSwitch.emergencyKill(address(0), 0, "");
    }

    function test_kill_invalidType() public {
        expectInvalidSubject(Scope.AgentType, 0);
        expectInvalidSubject(Scope.AgentType, "Panel");
        expectInvalidSubject(Scope.AgentType, "panel_controller");
        expectInvalidSubject(Scope.AgentType, bytes32(uint256(0x61)));
        expectInvalidSubject(Scope.AgentType, "a\x00b");
        expectInvalidSubject(Scope.AgentType, TYPE_WORD | bytes32(uint256(0x61)));
        expectInvalidSubject(Scope.AgentType, TYPE_WORD | bytes32(uint256(1)));
    }

    function test_kill_invalidFleet() public {
        expectInvalidSubject(Scope.Fleet, bytes32(uint256(1)));
        expectInvalidSubject(Scope.Fleet, subjectOf(alice));
    }

    function test_kill_invalidScopeNumber() public {
        vm.prank(council);
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, ) = address(killSwitch).call(
            abi.encodeWithSelector(IKillSwitch.kill.selector, uint256(4), FLEET, 0, "")
        );
        require(!success, "there are four scopes");
    }

    // ===== Status

    function test_isKilled_unknownAgent() public {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1));
        killSwitch.isKilled(agent ^ 1);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1));
        killSwitch.statusOf(agent ^ 1);
    }

    function test_statusOf_alive() public view {
        assertStatus(false, Scope.Agent, Rank.None, 0, 0);
    }

    function test_statusOf_highestRank() public {
        killReason(breaker, Scope.Agent, bytes32(agent), 1);
        assertStatus(true, Scope.Agent, Rank.Breaker, START, 1);
        skip(1);
        killReason(alice, Scope.Owner, subjectOf(alice), 2);
        assertStatus(true, Scope.Owner, Rank.Owner, START + 1, 2);
        skip(1);
        killReason(council, Scope.AgentType, TYPE_WORD, 3);
        assertStatus(true, Scope.AgentType, Rank.Council, START + 2, 3);
        skip(1);
        killReason(emergencyGovernor, Scope.Fleet, FLEET, 4);
        assertStatus(true, Scope.Fleet, Rank.Governance, START + 3, 4);
    }

    function test_statusOf_narrowestOfEquals() public {
        killReason(council, Scope.Fleet, FLEET, 4);
        assertStatus(true, Scope.Fleet, Rank.Council, START, 4);
        killReason(council, Scope.AgentType, TYPE_WORD, 3);
        assertStatus(true, Scope.AgentType, Rank.Council, START, 3);
        killReason(council, Scope.Owner, subjectOf(alice), 2);
        assertStatus(true, Scope.Owner, Rank.Council, START, 2);
        killReason(council, Scope.Agent, bytes32(agent), 1);
        assertStatus(true, Scope.Agent, Rank.Council, START, 1);
    }

    function test_statusOf_leavesOutWhatTheAgentsResumeAnswered() public {
        killWallet(alice, alice);
        lift(alice, Scope.Agent, bytes32(agent));
        assertStatus(false, Scope.Agent, Rank.None, 0, 0);
        assertAlive();
        uint256 since = time();
        killWallet(alice, alice);
        assertStatus(true, Scope.Owner, Rank.Owner, since, COMPROMISED);
        assertKilled();
    }

    function killReason(address account, Scope scope, bytes32 subject, uint16 reason) private {
        vm.prank(account);
        killSwitch.kill(scope, subject, reason, "");
    }

    function expectInvalidSubject(Scope scope, bytes32 subject) private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, scope, subject));
        kill(council, scope, subject);
    }

    function assertStatus(bool killed, Scope scope, Rank rank, uint256 since, uint16 reason) private view {
        (bool killed_, Scope scope_, Rank rank_, uint40 since_, uint16 reason_) = killSwitch.statusOf(agent);
        require(killed == killed_ && killed == killSwitch.isKilled(agent), "killed");
        assertEq(uint256(scope), uint256(scope_));
        assertEq(rank, rank_);
        assertEq(since, since_);
        assertEq(reason, reason_);
    }
}
