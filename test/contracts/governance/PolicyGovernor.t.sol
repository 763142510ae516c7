// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {BoundedGovernor} from "../../../contracts/governance/BoundedGovernor.sol";
import {GovernorFloors} from "../../../contracts/governance/GovernorFloors.sol";
import {PolicyGovernor} from "../../../contracts/governance/PolicyGovernor.sol";
import {PolicyTimelock} from "../../../contracts/governance/PolicyTimelock.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {KillOrder, Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {GovernanceTest} from "../support/GovernanceTest.sol";

/// @notice Takes the governance that a vote offers it for one call, in which it makes itself council and asks for a release.
contract Releaser {
    IKillSwitch private immutable _killSwitch;
    PolicyTimelock private immutable _timelock;

    constructor(IKillSwitch killSwitch_, PolicyTimelock timelock_) {
        _killSwitch = killSwitch_;
        _timelock = timelock_;
    }

    function begin(bytes32 subject, uint32 cooldown) external {
        _killSwitch.acceptGovernance();
        _killSwitch.setCouncil(address(this));
        _killSwitch.setCooldown(Rank.Council, cooldown);
        request(subject);
        _killSwitch.offerGovernance(address(_timelock));
        _timelock.acceptGovernance();
    }

    function release(bytes32 subject) external {
        _killSwitch.resume(Scope.Agent, subject);
    }

    function request(bytes32 subject) public {
        _killSwitch.requestResume(Scope.Agent, subject);
    }
}

/// @notice The slow votes: every state, every bound, and what nobody may get past them.
contract PolicyGovernorTest is GovernanceTest {
    bytes32 private constant PROPOSER = keccak256("PROPOSER_ROLE");
    bytes32 private constant CANCELLER = keccak256("CANCELLER_ROLE");
    bytes32 private constant EXECUTOR = keccak256("EXECUTOR_ROLE");
    bytes32 private constant ADMIN = 0;

    // ===== States

    function test_states_fromProposalToExecution() public {
        Proposal memory made = setCouncil(bob, "Bob for council");
        propose(policyGovernor, alice, made);
        uint256 proposed = time();
        assertState(policyGovernor, made, IGovernor.ProposalState.Pending);
        // Boundary trio of the snapshot.
        vm.warp(proposed + DELAY);
        assertState(policyGovernor, made, IGovernor.ProposalState.Pending);
        vm.warp(proposed + DELAY + 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Active);
        vote(policyGovernor, alice, made, FOR);
        // And of the deadline.
        vm.warp(proposed + DELAY + PERIOD);
        assertState(policyGovernor, made, IGovernor.ProposalState.Active);
        vote(policyGovernor, bob, made, AGAINST);
        expectState(made, IGovernor.ProposalState.Active, 1 << uint256(IGovernor.ProposalState.Succeeded));
        queue(made);
        vm.warp(proposed + DELAY + PERIOD + 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Succeeded);
        uint256 id = idOf(made);
        expectState(made, IGovernor.ProposalState.Succeeded, 1 << uint256(IGovernor.ProposalState.Active));
        policyGovernor.castVote(id, FOR);
        expectState(made, IGovernor.ProposalState.Succeeded, 1 << uint256(IGovernor.ProposalState.Queued));
        execute(policyGovernor, made);

        queue(made);
        uint256 queued = time();
        assertState(policyGovernor, made, IGovernor.ProposalState.Queued);
        assertEq(policyGovernor.proposalEta(id), queued + TIMELOCK);
        vm.warp(queued + TIMELOCK - 1);
        (bool early, ) = tryExecute(made);
        require(!early, "executed before its time");
        vm.warp(queued + TIMELOCK);
        execute(policyGovernor, made);
        assertState(policyGovernor, made, IGovernor.ProposalState.Executed);
        assertEq(killSwitch.council(), bob);
    }

    function test_states_defeatedWithoutQuorum() public {
        Proposal memory made = setCouncil(bob, "no quorum");
        propose(policyGovernor, mallory, made);
        skip(DELAY + 1);
        // 0.5 % of a quorum of 4 %.
        vote(policyGovernor, mallory, made, FOR);
        skip(PERIOD);
        assertState(policyGovernor, made, IGovernor.ProposalState.Defeated);
    }

    function test_states_defeatedByATie() public {
        vm.prank(alice);
        token.transfer(bob, 95_000 ether);
        skip(1);
        Proposal memory made = setCouncil(bob, "tie");
        propose(policyGovernor, alice, made);
        skip(DELAY + 1);
        vote(policyGovernor, alice, made, FOR);
        vote(policyGovernor, bob, made, AGAINST);
        (uint256 against, uint256 for_, ) = policyGovernor.proposalVotes(idOf(made));
        assertEq(against, for_);
        skip(PERIOD);
        assertState(policyGovernor, made, IGovernor.ProposalState.Defeated);
    }

    /// @dev Abstentions count for the quorum; against do not.
    function test_quorum_boundary() public {
        uint256 quorum = (SUPPLY * 4) / 100;
        assertEq(policyGovernor.quorum(time() - 1), quorum);
        for (uint256 i = 0; i < 3; ++i) {
            address voter = address(uint160(0xe0e0 + i));
            endow(voter, quorum - 1 + i);
            skip(1);
            Proposal memory made = setCouncil(
                bob,
                string(abi.encodePacked("quorum ", bytes1(uint8(48 + i))))
            );
            propose(policyGovernor, alice, made);
            skip(DELAY + 1);
            vote(policyGovernor, voter, made, FOR);
            vote(policyGovernor, mallory, made, AGAINST);
            skip(PERIOD);
            assertState(
                policyGovernor,
                made,
                i == 0 ? IGovernor.ProposalState.Defeated : IGovernor.ProposalState.Succeeded
            );
        }
    }

    function test_propose_threshold() public {
        address[3] memory proposers = [address(0xa1), address(0xa2), address(0xa3)];
        for (uint256 i = 0; i < 3; ++i) endow(proposers[i], THRESHOLD - 1 + i);
        Proposal memory made = setCouncil(bob, "threshold");
        // Bought in the same second: power of one second ago counts.
        expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector,
                proposers[1],
                0,
                THRESHOLD
            )
        );
        propose(policyGovernor, proposers[1], made);
        skip(1);
        expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector,
                proposers[0],
                THRESHOLD - 1,
                THRESHOLD
            )
        );
        propose(policyGovernor, proposers[0], made);
        propose(policyGovernor, proposers[1], made);
        propose(policyGovernor, proposers[2], setCouncil(bob, "threshold again"));
    }

    // ===== Expiry

    function test_expiry_ofWhatIsNotQueued_boundary() public {
        Proposal memory made = setCouncil(bob, "not queued");
        propose(policyGovernor, alice, made);
        skip(DELAY + 1);
        vote(policyGovernor, alice, made, FOR);
        uint256 last = policyGovernor.proposalDeadline(idOf(made)) + policyGovernor.gracePeriod();
        assertEq(policyGovernor.gracePeriod(), 14 days);
        vm.warp(last - 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Succeeded);
        vm.warp(last + 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Expired);
        expectState(made, IGovernor.ProposalState.Expired, 1 << uint256(IGovernor.ProposalState.Succeeded));
        queue(made);
        vm.warp(last);
        assertState(policyGovernor, made, IGovernor.ProposalState.Succeeded);
        queue(made);
        assertState(policyGovernor, made, IGovernor.ProposalState.Queued);
    }

    function test_expiry_ofWhatIsQueued_boundary() public {
        for (uint256 i = 0; i < 2; ++i) {
            Proposal memory made = setCouncil(bob, text(i));
            carry(made);
            uint256 last = policyGovernor.proposalEta(idOf(made)) + timelock.gracePeriod();
            assertEq(timelock.gracePeriod(), 14 days);
            vm.warp(last - 1);
            assertState(policyGovernor, made, IGovernor.ProposalState.Queued);
            vm.warp(last + 1);
            assertState(policyGovernor, made, IGovernor.ProposalState.Expired);
            require(!timelock.isOperation(operationOf(made)), "an expired operation is none");
            refuseExpired(made);
            vm.warp(last);
            assertState(policyGovernor, made, IGovernor.ProposalState.Queued);
            // At the governor, or past it.
            if (i == 0) execute(policyGovernor, made);
            else executeAtTimelock(made);
            vm.warp(last + 1);
            assertState(policyGovernor, made, IGovernor.ProposalState.Executed);
        }
    }

    function test_expiry_aCanceledProposalStaysCanceled() public {
        Proposal memory made = setCouncil(bob, "canceled");
        propose(policyGovernor, alice, made);
        cancel(policyGovernor, alice, made);
        skip(365 days);
        assertState(policyGovernor, made, IGovernor.ProposalState.Canceled);
    }

    /// @dev A release voted in advance, kept until a real emergency comes.
    function test_expiry_aReleaseIsNotKeptInStock() public {
        Proposal memory ask = onKillSwitch(
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Fleet, FLEET)),
            "ask"
        );
        Proposal memory lift_ = onKillSwitch(
            abi.encodeCall(IKillSwitch.resume, (Scope.Fleet, FLEET)),
            "lift"
        );
        propose(policyGovernor, alice, ask);
        propose(policyGovernor, alice, lift_);
        skip(DELAY + 1);
        vote(policyGovernor, alice, ask, FOR);
        vote(policyGovernor, alice, lift_, FOR);
        skip(PERIOD);
        queue(ask);
        queue(lift_);
        skip(TIMELOCK + 14 days + 1);
        kill(address(emergency), Scope.Fleet, FLEET);
        refuseExpired(ask);
        refuseExpired(lift_);
        assertKilled();
    }

    // ===== Votes that were borrowed

    /// @dev Tokens that come after the snapshot, or leave again in its second, vote for nothing.
    function test_borrowedVotesCountForNothing() public {
        Proposal memory made = setCouncil(mallory, "flash loan");
        propose(policyGovernor, alice, made);
        uint256 snapshot = policyGovernor.proposalSnapshot(idOf(made));
        vm.warp(snapshot);
        vm.prank(alice);
        token.transfer(mallory, 350_000 ether);
        vm.prank(mallory);
        token.transfer(alice, 350_000 ether);
        vm.warp(snapshot + 1);
        token.transfer(mallory, 400_000 ether);
        vote(policyGovernor, mallory, made, FOR);
        (, uint256 for_, ) = policyGovernor.proposalVotes(idOf(made));
        assertEq(for_, 5000 ether);
        assertEq(policyGovernor.getVotes(alice, snapshot), 350_000 ether);
    }

    function test_noVoteTwice() public {
        Proposal memory made = setCouncil(bob, "twice");
        propose(policyGovernor, alice, made);
        skip(DELAY + 1);
        vote(policyGovernor, alice, made, FOR);
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorAlreadyCastVote.selector, alice));
        vote(policyGovernor, alice, made, FOR);
    }

    // ===== Late quorum

    /// @dev Quorum is reached a minute before the end; the others have two days to answer, and do.
    function test_lateQuorum_prolongsTheVote() public {
        Proposal memory made = setCouncil(mallory, "swing");
        propose(policyGovernor, bob, made);
        skip(DELAY + 1);
        vote(policyGovernor, mallory, made, FOR);
        uint256 deadline = policyGovernor.proposalDeadline(idOf(made));
        vm.warp(deadline - 1 minutes);
        vote(policyGovernor, bob, made, FOR);
        uint256 extended = deadline - 1 minutes + EXTENSION;
        assertEq(policyGovernor.proposalDeadline(idOf(made)), extended);
        vm.warp(deadline + 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Active);
        vm.warp(extended);
        vote(policyGovernor, alice, made, AGAINST);
        vm.warp(extended + 1);
        assertState(policyGovernor, made, IGovernor.ProposalState.Defeated);
    }

    function test_lateQuorum_inTimeChangesNothing() public {
        Proposal memory made = setCouncil(bob, "in time");
        propose(policyGovernor, alice, made);
        skip(DELAY + 1);
        uint256 deadline = policyGovernor.proposalDeadline(idOf(made));
        vm.warp(deadline - EXTENSION);
        vote(policyGovernor, alice, made, FOR);
        assertEq(policyGovernor.proposalDeadline(idOf(made)), deadline);
    }

    // ===== Front-running

    /// @dev Without the suffix anyone with the threshold proposes the same first and cancels it.
    function test_frontRunAndCancel_withoutSuffix() public {
        Proposal memory made = setCouncil(bob, "unprotected");
        propose(policyGovernor, mallory, made);
        cancel(policyGovernor, mallory, made);
        expectState(made, IGovernor.ProposalState.Canceled, 0);
        propose(policyGovernor, alice, made);
    }

    function test_frontRunAndCancel_suffixProtects() public {
        Proposal memory made = setCouncil(bob, withProposer("protected", alice));
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorRestrictedProposer.selector, mallory));
        propose(policyGovernor, mallory, made);
        propose(policyGovernor, alice, made);
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, idOf(made), mallory));
        cancel(policyGovernor, mallory, made);
    }

    function test_cancel_onlyByItsProposerWhilePending() public {
        Proposal memory made = setCouncil(bob, "cancel");
        propose(policyGovernor, alice, made);
        skip(DELAY + 1);
        expectRevert(abi.encodeWithSelector(IGovernor.GovernorUnableToCancel.selector, idOf(made), alice));
        cancel(policyGovernor, alice, made);
    }

    // ===== Resumes

    function test_resume_isVotedTwiceAndWaitsForTheCooldown() public {
        kill(address(emergency), Scope.AgentType, TYPE_WORD);
        assertKilled();
        Proposal memory ask = onKillSwitch(
            abi.encodeCall(IKillSwitch.requestResume, (Scope.AgentType, TYPE_WORD)),
            "ask"
        );
        Proposal memory lift_ = onKillSwitch(
            abi.encodeCall(IKillSwitch.resume, (Scope.AgentType, TYPE_WORD)),
            "lift"
        );
        // Both are voted on at once; the second waits for the first and its cool-down.
        propose(policyGovernor, alice, ask);
        propose(policyGovernor, alice, lift_);
        skip(DELAY + 1);
        vote(policyGovernor, alice, ask, FOR);
        vote(policyGovernor, alice, lift_, FOR);
        skip(PERIOD);
        queue(ask);
        queue(lift_);
        skip(TIMELOCK);
        (bool first, ) = tryExecute(lift_);
        require(!first, "resumed without a request");
        execute(policyGovernor, ask);
        skip(GOVERNANCE_COOLDOWN - 1);
        (bool early, ) = tryExecute(lift_);
        require(!early, "resumed before the cool-down");
        skip(1);
        execute(policyGovernor, lift_);
        assertAlive();
    }

    function test_resume_aLaterKillVoidsIt() public {
        kill(address(emergency), Scope.Fleet, FLEET);
        decide(address(killSwitch), abi.encodeCall(IKillSwitch.requestResume, (Scope.Fleet, FLEET)), "ask");
        kill(address(emergency), Scope.Fleet, FLEET);
        skip(GOVERNANCE_COOLDOWN);
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.resume, (Scope.Fleet, FLEET)),
            "lift",
            abi.encodeWithSelector(IKillSwitch.NoResumeRequest.selector, Scope.Fleet, FLEET)
        );
    }

    /// @dev A resume smuggled in among others, before or after them, by request or by execution.
    function test_resume_sharesNoProposal() public {
        Proposal memory other = setCouncil(bob, "mixed");
        bytes[2] memory calls = [
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Fleet, FLEET)),
            abi.encodeCall(IKillSwitch.resume, (Scope.Fleet, FLEET))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            Proposal memory resume_ = onKillSwitch(calls[i], "mixed");
            expectRevert(abi.encodeWithSelector(PolicyGovernor.MixedProposal.selector, 1));
            propose(policyGovernor, alice, both(resume_, other));
            expectRevert(abi.encodeWithSelector(PolicyGovernor.MixedProposal.selector, 1));
            propose(policyGovernor, alice, both(other, resume_));
        }
        // Resumes among themselves are one matter, and so are others.
        propose(policyGovernor, alice, both(onKillSwitch(calls[0], "resumes"), onKillSwitch(calls[1], "")));
        propose(policyGovernor, alice, both(setCouncil(bob, "others"), setCouncil(alice, "")));
    }

    /// @dev A resume hidden as a call of the governor or the timelock is refused. For other detours see the next tests.
    function test_resume_notByDetours() public {
        bytes memory lift_ = abi.encodeCall(IKillSwitch.resume, (Scope.Fleet, FLEET));
        kill(address(emergency), Scope.Fleet, FLEET);
        decideInVain(
            address(policyGovernor),
            abi.encodeCall(Governor.relay, (address(killSwitch), 0, lift_)),
            "relay",
            abi.encodeWithSelector(BoundedGovernor.RelayDisabled.selector)
        );
        decideInVain(
            address(timelock),
            abi.encodeCall(TimelockController.schedule, (address(killSwitch), 0, lift_, 0, 0, TIMELOCK)),
            "schedule",
            unauthorized(address(timelock), PROPOSER)
        );
    }

    /// @dev A proposal without a direct resume sets one off, through a contract to which it offers the power. The shortest
    /// cool-down still lies before the release.
    function test_resume_byAContractThatTheVoteEmpowers() public {
        bytes32 subject = bytes32(agent);
        killAgent(council);
        Releaser releaser = decideDetour();
        assertEq(killSwitch.governance(), address(timelock));
        assertKilled();
        uint40 readyAt = uint40(time()) + MIN_COOLDOWN;
        for (uint256 i = 0; i < 2; ++i) {
            expectRevert(abi.encodeWithSelector(IKillSwitch.CooldownRunning.selector, readyAt, time()));
            releaser.release(subject);
            vm.warp(readyAt - 1);
        }
        assertKilled();
        vm.warp(readyAt);
        releaser.release(subject);
        assertAlive();
    }

    /// @dev On the same detour an owner's kill stays when the council's above it is lifted, and is not lifted after it.
    function test_resume_byAContractThatTheVoteEmpowers_notTheOwners() public {
        bytes32 subject = bytes32(agent);
        killAgent(council);
        killAgent(alice);
        Releaser releaser = decideDetour();
        skip(MIN_COOLDOWN);
        releaser.release(subject);
        assertStillTheOwners();
        skip(30 days);
        expectOwnersKill(Scope.Agent, subject);
        releaser.release(subject);
        expectOwnersKill(Scope.Agent, subject);
        releaser.request(subject);
        assertStillTheOwners();
    }

    // ===== What its owner stopped

    function test_attack_votesLiftAnOwnersKill() public {
        killAgent(alice);
        refuseToLift(Scope.Agent, bytes32(agent), Scope.Agent, bytes32(agent), "agent");
        killWallet(alice, alice);
        refuseToLift(Scope.Owner, subjectOf(alice), Scope.Owner, subjectOf(alice), "wallet");
    }

    /// @dev The agent's own kill may be lifted, the wallet's that lies under it may not.
    function test_attack_votesLiftTheWalletsFromUnderAVotesKill() public {
        killAgent(address(emergency));
        killWallet(alice, alice);
        refuseToLift(
            Scope.Agent,
            bytes32(agent),
            Scope.Owner,
            subjectOf(alice),
            "agent under a killed wallet"
        );
    }

    /// @dev An emergency vote raises the rank first: the release takes back what that vote did, and no more.
    function test_attack_anEmergencyKillAndThenARelease() public {
        killAgent(alice);
        killAgent(address(emergency));
        decideResume(Scope.Agent, bytes32(agent), "");
        assertStillTheOwners();
        refuseToLift(Scope.Agent, bytes32(agent), Scope.Agent, bytes32(agent), "the owner's");
        lift(alice, Scope.Agent, bytes32(agent));
        assertAlive();
    }

    /// @dev A kill by the owner during the cool-down voids the request, and a second one does not reach it either.
    function test_attack_twoReleasesAroundAnOwnersKill() public {
        killAgent(address(emergency));
        bytes32 subject = bytes32(agent);
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Agent, subject)),
            "first ask"
        );
        killAgent(alice);
        assertEq(killSwitch.stateOf(Scope.Agent, subject).rank, Rank.Governance);
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.resume, (Scope.Agent, subject)),
            "first lift",
            abi.encodeWithSelector(IKillSwitch.NoResumeRequest.selector, Scope.Agent, subject)
        );
        assertKilled();
        decideResume(Scope.Agent, subject, " again");
        assertStillTheOwners();
    }

    /// @dev A vote makes a council, which has no more over owners' kills than the vote.
    function test_attack_aCouncilOfOneVoteLiftsAnOwnersKill() public {
        killAgent(alice);
        decide(address(killSwitch), abi.encodeCall(IKillSwitch.setCouncil, (mallory)), "council");
        expectOwnersKill(Scope.Agent, bytes32(agent));
        requestResume(mallory, Scope.Agent, bytes32(agent));
        killAgent(mallory);
        lift(mallory, Scope.Agent, bytes32(agent));
        assertStillTheOwners();
        // What a vote stopped is above it.
        killAgent(address(emergency));
        expectRankTooLow(mallory, Rank.Council, Rank.Governance);
        requestResume(mallory, Scope.Agent, bytes32(agent));
    }

    /// @dev A vote gives the owner itself the rank that the next vote lifts.
    function test_attack_anOwnerIsVotedCouncilAgainstItsWill() public {
        decide(address(killSwitch), abi.encodeCall(IKillSwitch.setCouncil, (alice)), "council");
        killAgent(alice);
        decideResume(Scope.Agent, bytes32(agent), "");
        assertStillTheOwners();
    }

    function test_attack_aVoteBurnsAnOwnersOrder() public {
        KillOrder memory order = orderOfAlice(1);
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.burnOrder, (order)),
            "burn",
            abi.encodeWithSelector(IKillSwitch.OwnersKill.selector, Scope.Agent, bytes32(agent))
        );
    }

    /// @dev One that the timelock owns is the voters' own.
    function test_votesLiftWhatTheyStoppedAsOwner() public {
        agent = register(address(timelock), "2");
        killAgent(address(timelock));
        require(killSwitch.stateOf(Scope.Agent, bytes32(agent)).ownersKill);
        decideResume(Scope.Agent, bytes32(agent), "");
        assertAlive();
    }

    function test_ownersKill_neverHindered() public {
        // The longest cool-down that a vote can set, and every power that it can take.
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.setCooldown, (Rank.Owner, 30 days)),
            "cool-down"
        );
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.setCooldown, (Rank.Owner, 30 days + 1)),
            "longer",
            abi.encodeWithSelector(IKillSwitch.InvalidCooldown.selector, Rank.Owner, 30 days + 1)
        );
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.setCooldown, (Rank.Governance, MIN_COOLDOWN - 1)),
            "an instant resume",
            abi.encodeWithSelector(IKillSwitch.InvalidCooldown.selector, Rank.Governance, MIN_COOLDOWN - 1)
        );
        killAgent(alice);
        killWallet(alice, alice);
        assertKilled();
    }

    function test_breakersKill_isLifted() public {
        killAgent(breaker);
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.requestResume, (Scope.Agent, bytes32(agent))),
            "ask"
        );
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.resume, (Scope.Agent, bytes32(agent))),
            "lift"
        );
        assertAlive();
    }

    // ===== The timelock's roles

    function test_timelock_roles() public view {
        require(timelock.hasRole(PROPOSER, address(policyGovernor)), "the governor proposes");
        require(timelock.hasRole(CANCELLER, address(policyGovernor)), "the governor cancels");
        require(timelock.hasRole(EXECUTOR, address(0)), "anyone executes");
        address[6] memory others = [address(this), address(timelock), address(0), governance, alice, council];
        for (uint256 i = 0; i < others.length; ++i) {
            require(!timelock.hasRole(PROPOSER, others[i]), "another proposer");
            require(!timelock.hasRole(CANCELLER, others[i]), "another canceller");
            require(!timelock.hasRole(ADMIN, others[i]), "an admin");
        }
        require(!timelock.hasRole(ADMIN, address(policyGovernor)), "an admin");
        assertEq(killSwitch.governance(), address(timelock));
        assertEq(killSwitch.emergencyGovernor(), address(emergency));
    }

    /// @dev No admin is left, so no vote grants or revokes a role either.
    function test_timelock_rolesStandForEver() public {
        decideInVain(
            address(timelock),
            abi.encodeCall(IAccessControl.grantRole, (PROPOSER, mallory)),
            "grant",
            unauthorized(address(timelock), ADMIN)
        );
        decideInVain(
            address(timelock),
            abi.encodeCall(IAccessControl.revokeRole, (PROPOSER, address(policyGovernor))),
            "revoke",
            unauthorized(address(timelock), ADMIN)
        );
        vm.prank(mallory);
        expectRevert(unauthorized(mallory, PROPOSER));
        timelock.schedule(address(killSwitch), 0, "", 0, 0, TIMELOCK);
        vm.prank(mallory);
        expectRevert(unauthorized(mallory, CANCELLER));
        timelock.cancel(0);
    }

    function test_timelock_isFixed() public {
        decideInVain(
            address(policyGovernor),
            abi.encodeCall(policyGovernor.updateTimelock, (TimelockController(payable(mallory)))),
            "exchange",
            abi.encodeWithSelector(PolicyGovernor.TimelockFixed.selector)
        );
    }

    /// @dev The way on: a new pair is deployed, a vote offers it the power, and it accepts.
    function test_governance_appointsItsSuccessor() public {
        PolicyGovernor next = new PolicyGovernor(
            token,
            killSwitch,
            policySettings(),
            policyFloors(),
            LEAST_TIMELOCK
        );
        PolicyTimelock nextTimelock = PolicyTimelock(payable(next.timelock()));
        expectRevert(
            abi.encodeWithSelector(IKillSwitch.NotPendingGovernance.selector, address(nextTimelock))
        );
        nextTimelock.acceptGovernance();
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.offerGovernance, (address(nextTimelock))),
            "successor"
        );
        nextTimelock.acceptGovernance();
        assertEq(killSwitch.governance(), address(nextTimelock));
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.setCouncil, (bob)),
            "the former governor",
            abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, address(timelock))
        );
    }

    function test_powers_areAppointedByVote() public {
        decide(address(killSwitch), abi.encodeCall(IKillSwitch.setBreaker, (bob, true)), "breaker");
        require(killSwitch.isBreaker(bob));
        decide(address(killSwitch), abi.encodeCall(IKillSwitch.setEmergencyGovernor, (bob)), "emergency");
        assertEq(killSwitch.emergencyGovernor(), bob);
    }

    // ===== Bounds

    function test_settings_onlyByVote() public {
        bytes[5] memory calls = [
            abi.encodeCall(GovernorSettings.setVotingDelay, (DELAY)),
            abi.encodeCall(GovernorSettings.setVotingPeriod, (PERIOD)),
            abi.encodeCall(GovernorSettings.setProposalThreshold, (THRESHOLD)),
            abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (5)),
            abi.encodeCall(GovernorPreventLateQuorum.setLateQuorumVoteExtension, (EXTENSION))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(alice);
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory result) = address(policyGovernor).call(calls[i]);
            require(!success);
            assertEq(
                keccak256(result),
                keccak256(abi.encodeWithSelector(IGovernor.GovernorOnlyExecutor.selector, alice))
            );
        }
        vm.prank(alice);
        expectRevert(abi.encodeWithSelector(TimelockController.TimelockUnauthorizedCaller.selector, alice));
        timelock.updateDelay(TIMELOCK);
    }

    function test_bounds_votingDelay() public {
        uint32[2] memory valid = [LEAST_DELAY, 7 days];
        for (uint256 i = 0; i < valid.length; ++i) {
            set(abi.encodeCall(GovernorSettings.setVotingDelay, (valid[i])));
            assertEq(policyGovernor.votingDelay(), valid[i]);
        }
        uint32[3] memory invalid = [LEAST_DELAY - 1, 0, 7 days + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuse(
                abi.encodeCall(GovernorSettings.setVotingDelay, (invalid[i])),
                outOfBounds("votingDelay", invalid[i], LEAST_DELAY, 7 days)
            );
    }

    function test_bounds_votingPeriod() public {
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (30 days)));
        assertEq(policyGovernor.votingPeriod(), 30 days);
        refuse(
            abi.encodeCall(GovernorSettings.setVotingPeriod, (30 days + 1)),
            outOfBounds("votingPeriod", 30 days + 1, EXTENSION, 30 days)
        );
        // Not below the extension, then not below the floor.
        refuse(
            abi.encodeCall(GovernorSettings.setVotingPeriod, (EXTENSION - 1)),
            outOfBounds("votingPeriod", EXTENSION - 1, EXTENSION, 30 days)
        );
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (EXTENSION)));
        set(abi.encodeCall(GovernorPreventLateQuorum.setLateQuorumVoteExtension, (LEAST_DELAY)));
        refuse(
            abi.encodeCall(GovernorSettings.setVotingPeriod, (LEAST_PERIOD - 1)),
            outOfBounds("votingPeriod", LEAST_PERIOD - 1, LEAST_PERIOD, 30 days)
        );
        set(abi.encodeCall(GovernorSettings.setVotingPeriod, (LEAST_PERIOD)));
        assertEq(policyGovernor.votingPeriod(), LEAST_PERIOD);
    }

    function test_bounds_voteExtension() public {
        uint48[2] memory valid = [uint48(LEAST_DELAY), PERIOD];
        for (uint256 i = 0; i < valid.length; ++i) {
            set(abi.encodeCall(GovernorPreventLateQuorum.setLateQuorumVoteExtension, (valid[i])));
            assertEq(policyGovernor.lateQuorumVoteExtension(), valid[i]);
        }
        uint48[3] memory invalid = [uint48(LEAST_DELAY) - 1, 0, PERIOD + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuse(
                abi.encodeCall(GovernorPreventLateQuorum.setLateQuorumVoteExtension, (invalid[i])),
                outOfBounds("voteExtension", invalid[i], LEAST_DELAY, PERIOD)
            );
    }

    function test_bounds_proposalThreshold() public {
        uint256[2] memory valid = [SUPPLY / 1_000_000, SUPPLY / 50];
        for (uint256 i = 0; i < valid.length; ++i) {
            set(abi.encodeCall(GovernorSettings.setProposalThreshold, (valid[i])));
            assertEq(policyGovernor.proposalThreshold(), valid[i]);
        }
        uint256[4] memory invalid = [valid[0] - 1, 0, valid[1] + 1, SUPPLY];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuse(
                abi.encodeCall(GovernorSettings.setProposalThreshold, (invalid[i])),
                outOfBounds("proposalThreshold", invalid[i], valid[0], valid[1])
            );
    }

    function test_bounds_quorum() public {
        uint256[2] memory valid = [uint256(1), 10];
        for (uint256 i = 0; i < valid.length; ++i) {
            set(abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (valid[i])));
            assertEq(policyGovernor.quorumNumerator(), valid[i]);
        }
        uint256[3] memory invalid = [uint256(0), 11, 100];
        for (uint256 i = 0; i < invalid.length; ++i)
            refuse(
                abi.encodeCall(GovernorVotesQuorumFraction.updateQuorumNumerator, (invalid[i])),
                outOfBounds("quorumNumerator", invalid[i], 1, 10)
            );
    }

    function test_bounds_timelockDelay() public {
        uint256[2] memory valid = [uint256(LEAST_TIMELOCK), 30 days];
        for (uint256 i = 0; i < valid.length; ++i) {
            decide(address(timelock), abi.encodeCall(timelock.updateDelay, (valid[i])), text(i));
            assertEq(timelock.getMinDelay(), valid[i]);
        }
        uint256[3] memory invalid = [uint256(LEAST_TIMELOCK) - 1, 0, 30 days + 1];
        for (uint256 i = 0; i < invalid.length; ++i)
            decideInVain(
                address(timelock),
                abi.encodeCall(timelock.updateDelay, (invalid[i])),
                text(i + 9),
                outOfBounds("timelockDelay", invalid[i], LEAST_TIMELOCK, 30 days)
            );
    }

    /// @dev What a vote could not set, a deployer cannot either.
    function test_bounds_atDeployment() public {
        GovernorFloors.Floors memory floors = policyFloors();
        PolicyGovernor.Settings memory settings = policySettings();
        settings.votingDelay = LEAST_DELAY - 1;
        expectRevert(outOfBounds("votingDelay", LEAST_DELAY - 1, LEAST_DELAY, 7 days));
        new PolicyGovernor(token, killSwitch, settings, floors, LEAST_TIMELOCK);

        settings = policySettings();
        settings.timelockDelay = LEAST_TIMELOCK - 1;
        expectRevert(outOfBounds("timelockDelay", LEAST_TIMELOCK - 1, LEAST_TIMELOCK, 30 days));
        new PolicyGovernor(token, killSwitch, settings, floors, LEAST_TIMELOCK);

        settings = policySettings();
        expectRevert(outOfBounds("leastTimelockDelay", 0, 1, 30 days));
        new PolicyGovernor(token, killSwitch, settings, floors, 0);

        floors.votingPeriod = 0;
        expectRevert(outOfBounds("leastVotingPeriod", 0, 1, 30 days));
        new PolicyGovernor(token, killSwitch, settings, floors, LEAST_TIMELOCK);
    }

    // ===== Helpers

    function onKillSwitch(
        bytes memory data,
        string memory description
    ) private view returns (Proposal memory) {
        return proposal(address(killSwitch), data, description);
    }

    function setCouncil(address account, string memory description) private view returns (Proposal memory) {
        return onKillSwitch(abi.encodeCall(IKillSwitch.setCouncil, (account)), description);
    }

    /// @dev Refused for the owner's kill of the latter subject.
    function refuseToLift(
        Scope scope,
        bytes32 subject,
        Scope killed,
        bytes32 killedSubject,
        string memory description
    ) private {
        bytes memory refusal = abi.encodeWithSelector(IKillSwitch.OwnersKill.selector, killed, killedSubject);
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.requestResume, (scope, subject)),
            string.concat("ask ", description),
            refusal
        );
        decideInVain(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.resume, (scope, subject)),
            string.concat("lift ", description),
            refusal
        );
    }

    /// @dev One proposal: the power is offered to a contract, which then uses it and hands it back.
    function decideDetour() private returns (Releaser releaser) {
        releaser = new Releaser(killSwitch, timelock);
        Proposal memory made = both(
            onKillSwitch(abi.encodeCall(IKillSwitch.offerGovernance, (address(releaser))), "detour"),
            proposal(address(releaser), abi.encodeCall(Releaser.begin, (bytes32(agent), MIN_COOLDOWN)), "")
        );
        carry(made);
        execute(policyGovernor, made);
    }

    function assertStillTheOwners() private view {
        assertKilled();
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Owner);
    }

    function decideResume(Scope scope, bytes32 subject, string memory description) private {
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.requestResume, (scope, subject)),
            string.concat("ask", description)
        );
        skip(GOVERNANCE_COOLDOWN);
        decide(
            address(killSwitch),
            abi.encodeCall(IKillSwitch.resume, (scope, subject)),
            string.concat("lift", description)
        );
    }

    /// @dev At the governor and, as anyone may execute there, at the timelock.
    function refuseExpired(Proposal memory made) private {
        expectState(made, IGovernor.ProposalState.Expired, 1 << uint256(IGovernor.ProposalState.Queued));
        execute(policyGovernor, made);
        bytes32 operation = operationOf(made);
        expectRevert(
            abi.encodeWithSelector(
                TimelockController.TimelockUnexpectedOperationState.selector,
                operation,
                bytes32(1 << uint256(TimelockController.OperationState.Ready))
            )
        );
        executeAtTimelock(made);
    }

    function executeAtTimelock(Proposal memory made) private {
        timelock.executeBatch(made.targets, made.values, made.calldatas, 0, saltOf(made));
    }

    /// @dev Twin of `TimelockController.hashOperationBatch`; no call, so that it may stand after an expectation.
    function operationOf(Proposal memory made) private view returns (bytes32) {
        return keccak256(abi.encode(made.targets, made.values, made.calldatas, bytes32(0), saltOf(made)));
    }

    function saltOf(Proposal memory made) private view returns (bytes32) {
        return bytes20(address(policyGovernor)) ^ keccak256(bytes(made.description));
    }

    function set(bytes memory data) private {
        decide(address(policyGovernor), data, text(uint256(keccak256(data)) % 1e9));
    }

    function refuse(bytes memory data, bytes memory error_) private {
        decideInVain(address(policyGovernor), data, text(uint256(keccak256(data)) % 1e9), error_);
    }

    function tryExecute(Proposal memory made) private returns (bool success, bytes memory result) {
        bytes memory data = abi.encodeCall(
            Governor.execute,
            (made.targets, made.values, made.calldatas, keccak256(bytes(made.description)))
        );
        // solhint-disable-next-line avoid-low-level-calls
        return address(policyGovernor).call(data);
    }

    function unauthorized(address account, bytes32 role) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    function text(uint256 number) private pure returns (string memory) {
        return string(abi.encodePacked("setting ", bytes32(number + 1e9)));
    }

    function withProposer(string memory words, address proposer) private pure returns (string memory) {
        bytes memory hexits = "0123456789abcdef";
        bytes memory out = new bytes(40);
        for (uint256 i = 0; i < 40; ++i) {
            out[i] = hexits[(uint160(proposer) >> (4 * (39 - i))) & 0xf];
        }
        return string.concat(words, "#proposer=0x", string(out));
    }
}
