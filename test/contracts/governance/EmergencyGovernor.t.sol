// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {GovernorVotesSuperQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesSuperQuorumFraction.sol";
import {BoundedGovernor} from "../../../contracts/governance/BoundedGovernor.sol";
import {EmergencyGovernor} from "../../../contracts/governance/EmergencyGovernor.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {GovernanceTest} from "../support/GovernanceTest.sol";

/// @notice The fast votes: they kill, at once where enough agree, and do nothing else.
contract EmergencyGovernorTest is GovernanceTest {
    // ===== States

    function test_superQuorum_endsTheVoteAtOnce() public {
        Proposal memory made = kill_(Scope.AgentType, TYPE_WORD, "type");
        propose(emergency, bob, made);
        skip(EMERGENCY_DELAY);
        assertState(emergency, made, IGovernor.ProposalState.Pending);
        skip(1);
        assertState(emergency, made, IGovernor.ProposalState.Active);
        // 35 % of a super-quorum of 30 %.
        vote(emergency, alice, made, FOR);
        assertState(emergency, made, IGovernor.ProposalState.Succeeded);
        execute(emergency, made);
        assertState(emergency, made, IGovernor.ProposalState.Executed);
        assertKilled();
        assertEq(killSwitch.stateOf(Scope.AgentType, TYPE_WORD).rank, Rank.Governance);
    }

    function test_superQuorum_boundary() public {
        uint256 superQuorum = (SUPPLY * 30) / 100;
        assertEq(emergency.superQuorum(time() - 1), superQuorum);
        for (uint256 i = 0; i < 3; ++i) {
            address voter = address(uint160(0xe0e0 + i));
            endow(voter, superQuorum - 1 + i);
            skip(1);
            Proposal memory made = kill_(Scope.Fleet, FLEET, string(abi.encodePacked(bytes32(i + 1))));
            propose(emergency, bob, made);
            skip(EMERGENCY_DELAY + 1);
            vote(emergency, voter, made, FOR);
            assertState(
                emergency,
                made,
                i == 0 ? IGovernor.ProposalState.Active : IGovernor.ProposalState.Succeeded
            );
            vm.prank(voter);
            token.transfer(address(this), superQuorum - 1 + i);
        }
    }

    /// @dev Super-quorum counts votes for it only, and needs more of them than there are against.
    function test_superQuorum_abstentionsAndOppositionDoNotEndIt() public {
        Proposal memory made = kill_(Scope.Fleet, FLEET, "abstain");
        propose(emergency, bob, made);
        skip(EMERGENCY_DELAY + 1);
        vote(emergency, alice, made, ABSTAIN);
        vote(emergency, bob, made, FOR);
        assertState(emergency, made, IGovernor.ProposalState.Active);
        (bool early, ) = tryExecute(made);
        require(!early, "executed while votes are cast");
    }

    function test_quorum_withoutSuperQuorumWaitsForThePeriod() public {
        Proposal memory made = kill_(Scope.Owner, subjectOf(alice), "wallet");
        propose(emergency, bob, made);
        uint256 deadline = emergency.proposalDeadline(idOf(made));
        skip(EMERGENCY_DELAY + 1);
        // 16 % of a quorum of 15 %.
        vote(emergency, bob, made, FOR);
        vm.warp(deadline);
        assertState(emergency, made, IGovernor.ProposalState.Active);
        vm.warp(deadline + 1);
        assertState(emergency, made, IGovernor.ProposalState.Succeeded);
        execute(emergency, made);
        assertKilled();
    }

    function test_quorum_missed() public {
        Proposal memory made = kill_(Scope.Fleet, FLEET, "missed");
        propose(emergency, guardian, made);
        skip(EMERGENCY_DELAY + 1);
        vote(emergency, guardian, made, FOR);
        skip(EMERGENCY_PERIOD);
        assertState(emergency, made, IGovernor.ProposalState.Defeated);
        (bool executed, ) = tryExecute(made);
        require(!executed);
    }

    // ===== Expiry

    function test_expiry_boundary() public {
        for (uint256 i = 0; i < 2; ++i) {
            Proposal memory made = kill_(Scope.Fleet, FLEET, string(abi.encodePacked(bytes32(i + 1))));
            propose(emergency, bob, made);
            skip(EMERGENCY_DELAY + 1);
            // With the super-quorum and without: both expire by the deadline.
            vote(emergency, i == 0 ? alice : bob, made, FOR);
            uint256 last = emergency.proposalDeadline(idOf(made)) + 7 days;
            vm.warp(last - 1);
            assertState(emergency, made, IGovernor.ProposalState.Succeeded);
            vm.warp(last);
            assertState(emergency, made, IGovernor.ProposalState.Succeeded);
            vm.warp(last + 1);
            assertState(emergency, made, IGovernor.ProposalState.Expired);
            refuseExpired(made);
            vm.warp(last);
            execute(emergency, made);
            vm.warp(last + 1);
            assertState(emergency, made, IGovernor.ProposalState.Executed);
        }
    }

    /// @dev A kill that nobody wanted to execute any more is not left to whoever wants it a year later.
    function test_expiry_aKillIsNotKeptInStock() public {
        Proposal memory made = kill_(Scope.AgentType, TYPE_WORD, "stock");
        propose(emergency, bob, made);
        skip(EMERGENCY_DELAY + 1);
        vote(emergency, alice, made, FOR);
        skip(365 days);
        refuseExpired(made);
        assertAlive();
    }

    function test_kills_everyScopeInOneVote() public {
        Proposal memory made = both(
            kill_(Scope.Agent, bytes32(agent), "several"),
            proposal(
                address(killSwitch),
                abi.encodeCall(IKillSwitch.emergencyKill, (bob, COMPROMISED, "by vote")),
                ""
            )
        );
        pass(made);
        assertKilled();
        require(killSwitch.stateOf(Scope.Owner, subjectOf(bob)).killedAt != 0);
    }

    function test_queue_isNotNeeded() public {
        Proposal memory made = kill_(Scope.Fleet, FLEET, "no queue");
        propose(emergency, bob, made);
        skip(EMERGENCY_DELAY + 1);
        vote(emergency, alice, made, FOR);
        expectRevert(
            abi.encodeWithSelector(IGovernor.GovernorProposalQueueingNotRequired.selector, idOf(made))
        );
        emergency.queue(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    // ===== Votes that were borrowed

    /// @dev Tokens that come after the snapshot, or leave again in its second, end no vote, were they a super-quorum.
    function test_borrowedVotesCountForNothing() public {
        uint256 superQuorum = (SUPPLY * 30) / 100;
        Proposal memory made = kill_(Scope.Fleet, FLEET, "flash loan");
        propose(emergency, bob, made);
        uint256 snapshot = emergency.proposalSnapshot(idOf(made));
        vm.warp(snapshot);
        vm.prank(alice);
        token.transfer(mallory, superQuorum);
        // While it has them nobody can vote yet.
        assertEq(token.getVotes(mallory), superQuorum + 5000 ether);
        expectState(made, IGovernor.ProposalState.Pending, 1 << uint256(IGovernor.ProposalState.Active));
        vote(emergency, mallory, made, FOR);
        vm.prank(mallory);
        token.transfer(alice, superQuorum);
        vm.warp(snapshot + 1);
        token.transfer(mallory, superQuorum);
        assertEq(token.getVotes(mallory), superQuorum + 5000 ether);
        vote(emergency, mallory, made, FOR);

        (, uint256 for_, ) = emergency.proposalVotes(idOf(made));
        assertEq(for_, 5000 ether);
        assertEq(emergency.getVotes(alice, snapshot), 350_000 ether);
        assertState(emergency, made, IGovernor.ProposalState.Active);
        expectState(made, IGovernor.ProposalState.Active, 1 << uint256(IGovernor.ProposalState.Succeeded));
        execute(emergency, made);
        assertAlive();
        skip(EMERGENCY_PERIOD);
        assertState(emergency, made, IGovernor.ProposalState.Defeated);
    }

    // ===== Nothing but kills

    function test_anythingElseIsRefused() public {
        bytes[12] memory calls = [
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Fleet, FLEET)),
            abi.encodeCall(IKillSwitch.resume, (Scope.Fleet, FLEET)),
            abi.encodeCall(IKillSwitch.setCouncil, (mallory)),
            abi.encodeCall(IKillSwitch.setEmergencyGovernor, (mallory)),
            abi.encodeCall(IKillSwitch.setBreaker, (mallory, true)),
            abi.encodeCall(IKillSwitch.setCooldown, (Rank.Owner, MIN_COOLDOWN)),
            abi.encodeCall(IKillSwitch.offerGovernance, (mallory)),
            abi.encodeCall(IKillSwitch.appointGuardian, (mallory)),
            abi.encodeCall(IKillSwitch.killBySig, (orderOfAlice(1), "")),
            abi.encodeWithSignature("transferFrom(address,address,uint256)", alice, mallory, agent),
            bytes(""),
            hex"c0ffee"
        ];
        for (uint256 i = 0; i < calls.length; ++i)
            refuse(proposal(address(killSwitch), calls[i], "other"), 0, bytes4(calls[i]));
    }

    function test_anyOtherTargetIsRefused() public {
        bytes memory data = abi.encodeCall(IKillSwitch.kill, (Scope.Fleet, FLEET, COMPROMISED, ""));
        address[5] memory targets = [
            address(token),
            address(emergency),
            address(policyGovernor),
            address(timelock),
            address(0)
        ];
        for (uint256 i = 0; i < targets.length; ++i)
            refuse(proposal(targets[i], data, "other"), 0, IKillSwitch.kill.selector);
    }

    function test_etherIsRefused() public {
        Proposal memory made = kill_(Scope.Fleet, FLEET, "ether");
        made.values[0] = 1;
        refuse(made, 0, IKillSwitch.kill.selector);
        // solhint-disable-next-line avoid-low-level-calls
        (bool taken, ) = address(emergency).call{value: 1}("");
        require(!taken, "the governor took ether");
    }

    /// @dev A resume that hides behind a kill.
    function test_aResumeAmongKillsIsRefused() public {
        Proposal memory smuggled = proposal(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Fleet, FLEET)),
            ""
        );
        refuse(both(kill_(Scope.Fleet, FLEET, "smuggled"), smuggled), 1, IKillSwitch.requestResume.selector);
    }

    function test_unequalLengthsAreRefused() public {
        Proposal memory made = kill_(Scope.Fleet, FLEET, "lengths");
        made.calldatas = new bytes[](0);
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidProposalLength.selector, 1, 0, 1));
        propose(emergency, bob, made);
    }

    /// @dev Whatever calldata somebody thinks of: what is not one of the two kills is refused.
    function testFuzz_onlyKills(bytes calldata data, uint256 pick) public {
        address[3] memory targets = [address(killSwitch), address(token), address(timelock)];
        address target = targets[pick % 3];
        bytes4 selector = bytes4(bytes.concat(data, bytes4(0)));
        bool kills = selector == IKillSwitch.kill.selector || selector == IKillSwitch.emergencyKill.selector;
        vm.assume(!kills);
        refuse(proposal(target, data, "fuzz"), 0, selector);
    }

    function test_frontRunAndCancel_suffixProtects() public {
        Proposal memory made = kill_(
            Scope.Fleet,
            FLEET,
            "urgent#proposer=0x00000000000000000000000000000000000a11cE"
        );
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, mallory));
        propose(emergency, mallory, made);
        address proposer = address(0xa11cE);
        endow(proposer, THRESHOLD);
        skip(1);
        propose(emergency, proposer, made);
    }

    // ===== Settings: by the slow votes, within bounds

    function test_settings_onlyByTheSlowVotes() public {
        address[3] memory others = [alice, address(emergency), address(policyGovernor)];
        for (uint256 i = 0; i < others.length; ++i) {
            expectRevert(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, others[i]));
            vm.prank(others[i]);
            emergency.setVotingPeriod(EMERGENCY_LEAST_PERIOD);
        }
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (EMERGENCY_LEAST_PERIOD)));
        assertEq(emergency.votingPeriod(), EMERGENCY_LEAST_PERIOD);
    }

    function test_relay_isDisabled() public {
        bytes memory data = abi.encodeCall(IKillSwitch.kill, (Scope.Fleet, FLEET, COMPROMISED, ""));
        refuseSetting(
            abi.encodeCall(Governor.relay, (address(killSwitch), 0, data)),
            abi.encodeWithSelector(BoundedGovernor.RelayDisabled.selector)
        );
    }

    function test_bounds_votingDelay() public {
        set(abi.encodeCall(GovernorSettings.setVotingDelay, (1 hours)));
        set(abi.encodeCall(GovernorSettings.setVotingDelay, (EMERGENCY_LEAST_DELAY)));
        assertEq(emergency.votingDelay(), EMERGENCY_LEAST_DELAY);
        uint48[2] memory invalid = [uint48(0), 1 hours + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuseSetting(
                abi.encodeCall(GovernorSettings.setVotingDelay, (invalid[i])),
                outOfBounds("votingDelay", invalid[i], EMERGENCY_LEAST_DELAY, 1 hours)
            );
    }

    function test_bounds_votingPeriod() public {
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (3 days)));
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (EMERGENCY_LEAST_PERIOD)));
        uint32[3] memory invalid = [0, EMERGENCY_LEAST_PERIOD - 1, 3 days + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuseSetting(
                abi.encodeCall(GovernorSettings.setVotingPeriod, (invalid[i])),
                outOfBounds("votingPeriod", invalid[i], EMERGENCY_LEAST_PERIOD, 3 days)
            );
    }

    function test_bounds_proposalThreshold() public {
        uint256 least = SUPPLY / 1_000_000;
        uint256 most = SUPPLY / 50;
        set(abi.encodeCall(GovernorSettings.setProposalThreshold, (most)));
        set(abi.encodeCall(GovernorSettings.setProposalThreshold, (least)));
        uint256[2] memory invalid = [least - 1, most + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuseSetting(
                abi.encodeCall(GovernorSettings.setProposalThreshold, (invalid[i])),
                outOfBounds("proposalThreshold", invalid[i], least, most)
            );
    }

    function test_bounds_quorumAndSuperQuorum() public {
        set(abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (30)));
        set(abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (11)));
        set(abi.encodeCall(GovernorVotesSuperQuorumFraction.updateSuperQuorumNumerator, (50)));
        uint256[3] memory quorums = [uint256(10), 31, 0];
        for (uint256 i = 0; i < quorums.length; ++i)
            refuseSetting(
                abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (quorums[i])),
                outOfBounds("quorumNumerator", quorums[i], 11, 30)
            );
        set(abi.encodeCall(GovernorVotesSuperQuorumFraction.updateSuperQuorumNumerator, (25)));
        uint256[3] memory supers = [uint256(24), 51, 0];
        for (uint256 i = 0; i < supers.length; ++i)
            refuseSetting(
                abi.encodeCall(GovernorVotesSuperQuorumFraction.updateSuperQuorumNumerator, (supers[i])),
                outOfBounds("superQuorumNumerator", supers[i], 25, 50)
            );
        // And never a super-quorum below the quorum.
        refuseSetting(
            abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (26)),
            abi.encodeWithSelector(
                GovernorVotesSuperQuorumFraction.GovernorInvalidQuorumTooLarge.selector,
                26,
                25
            )
        );
    }

    // ===== Helpers

    function kill_(
        Scope scope,
        bytes32 subject,
        string memory description
    ) private view returns (Proposal memory) {
        return
            proposal(
                address(killSwitch),
                abi.encodeCall(IKillSwitch.kill, (scope, subject, COMPROMISED, "by vote")),
                description
            );
    }

    function pass(Proposal memory made) private {
        propose(emergency, bob, made);
        skip(EMERGENCY_DELAY + 1);
        vote(emergency, alice, made, FOR);
        execute(emergency, made);
    }

    function refuse(Proposal memory made, uint256 index, bytes4 selector) private {
        expectRevert(
            abi.encodeWithSelector(
                EmergencyGovernor.NotAKill.selector,
                index,
                made.targets[index],
                made.values[index],
                selector
            )
        );
        propose(emergency, bob, made);
    }

    function refuseExpired(Proposal memory made) private {
        uint256 succeeded = 1 << uint256(IGovernor.ProposalState.Succeeded);
        expectState(made, IGovernor.ProposalState.Expired, succeeded);
        execute(emergency, made);
    }

    function set(bytes memory data) private {
        decide(address(emergency), data, string(abi.encodePacked(keccak256(data))));
    }

    function refuseSetting(bytes memory data, bytes memory error_) private {
        decideInVain(address(emergency), data, string(abi.encodePacked(keccak256(data))), error_);
    }

    function tryExecute(Proposal memory made) private returns (bool success, bytes memory result) {
        bytes memory data = abi.encodeCall(
            Governor.execute,
            (made.targets, made.values, made.calldatas, keccak256(bytes(made.description)))
        );
        // solhint-disable-next-line avoid-low-level-calls
        return address(emergency).call(data);
    }
}
