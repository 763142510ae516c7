// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {KillswitchToken} from "../token/KillswitchToken.sol";
import {BoundedGovernor} from "./BoundedGovernor.sol";
import {GovernorFloors} from "./GovernorFloors.sol";
import {GRACE_PERIOD, PolicyTimelock} from "./PolicyTimelock.sol";

/// @title Token holders decide slowly: policies, resumes, powers
/// @notice
///
///       propose ─delay─► vote ─period─► queue ─timelock─► execute (anyone)
///                                         └─ 14 days ─► expired ◄─ 14 days ─┘
///
/// Design
/// ------
/// - Its constructor makes its timelock, so that no deployer ever holds a role there.
/// - A proposal that calls a resume itself carries only such calls: whoever votes for it votes for nothing else.
/// - Whoever a vote makes council or governance of the KillSwitch releases by itself, also within what one proposal sets off.
///   The KillSwitch's least cool-down binds it all the same, and so does an owner's kill, which only its owner lifts.
/// - Quorum that is reached late prolongs the vote, so that the others can answer.
/// - A description that ends with `#proposer=0x…` can be proposed by that account only; without it anyone could propose
///   the same first and cancel it.
contract PolicyGovernor is BoundedGovernor, GovernorPreventLateQuorum, GovernorTimelockControl {
    /// @param votingDelay between proposal and snapshot, in seconds
    /// @param votingPeriod time to vote, in seconds
    /// @param voteExtension time that is left at least once quorum is reached, in seconds
    /// @param timelockDelay between queueing and execution, in seconds
    /// @param proposalThreshold votes that a proposer needs, in the token's smallest unit
    /// @param quorumNumerator percent of the supply
    struct Settings {
        uint32 votingDelay;
        uint32 votingPeriod;
        uint32 voteExtension;
        uint32 timelockDelay;
        uint256 proposalThreshold;
        uint256 quorumNumerator;
    }

    /// @dev The timelock cannot be exchanged; a vote offers the KillSwitch's governance to a successor instead.
    error TimelockFixed();
    /// @dev The action at `index` is not of the kind of the first: resumes and other actions do not share a proposal.
    error MixedProposal(uint256 index);

    /// @notice Makes the governor and its timelock.
    /// @param token_ whose holders vote
    /// @param killSwitch_ what they govern
    /// @param settings at first
    /// @param floors_ the least times to vote
    /// @param leastTimelockDelay the least delay of the timelock, in seconds
    constructor(
        KillswitchToken token_,
        IKillSwitch killSwitch_,
        Settings memory settings,
        Floors memory floors_,
        uint32 leastTimelockDelay
    )
        Governor("Killswitch PolicyGovernor")
        GovernorFloors(floors_)
        GovernorVotes(token_)
        GovernorVotesQuorumFraction(settings.quorumNumerator)
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        BoundedGovernor(killSwitch_)
        GovernorPreventLateQuorum(settings.voteExtension)
        GovernorTimelockControl(
            new PolicyTimelock(killSwitch_, address(this), settings.timelockDelay, leastTimelockDelay)
        )
    {}

    /// @notice Disabled.
    function updateTimelock(TimelockController) public pure override {
        revert TimelockFixed();
    }

    /// @notice Disabled.
    function relay(address, uint256, bytes calldata) public payable override {
        revert RelayDisabled();
    }

    /// @notice Time between a proposal and its snapshot.
    /// @return seconds
    function votingDelay() public view override(Governor, BoundedGovernor) returns (uint256) {
        return super.votingDelay();
    }

    /// @notice Time to vote.
    /// @return seconds
    function votingPeriod() public view override(Governor, BoundedGovernor) returns (uint256) {
        return super.votingPeriod();
    }

    /// @notice Votes that a proposer needs, one second before proposing.
    /// @return in the token's smallest unit
    function proposalThreshold() public view override(Governor, BoundedGovernor) returns (uint256) {
        return super.proposalThreshold();
    }

    /// @notice Where a proposal stands.
    /// @param proposalId the proposal
    /// @return its state
    function state(
        uint256 proposalId
    ) public view override(Governor, BoundedGovernor, GovernorTimelockControl) returns (ProposalState) {
        ProposalState found = super.state(proposalId);
        // Only what is pending can be cancelled, so what was queued and is neither waiting, ready nor done has expired.
        bool expired = found == ProposalState.Canceled && proposalEta(proposalId) != 0;
        return expired ? ProposalState.Expired : found;
    }

    /// @notice How long after its deadline a carried proposal can be queued.
    /// @return seconds
    function gracePeriod() public pure override returns (uint256) {
        return GRACE_PERIOD;
    }

    /// @notice When voting ends, prolonged where quorum was reached late.
    /// @param proposalId the proposal
    /// @return Unix seconds
    function proposalDeadline(
        uint256 proposalId
    ) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    /// @notice Whether a proposal goes through the timelock: all do.
    /// @param proposalId the proposal
    /// @return true
    function proposalNeedsQueuing(
        uint256 proposalId
    ) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256) {
        _requireUnmixed(targets, calldatas);
        return super._propose(targets, values, calldatas, description, proposer);
    }

    function _setVotingPeriod(uint32 newVotingPeriod) internal override {
        // The extension is at most a period long, also after the period was shortened.
        Bounds.check("votingPeriod", newVotingPeriod, lateQuorumVoteExtension(), _mostVotingPeriod());
        super._setVotingPeriod(newVotingPeriod);
    }

    /// @dev As long as the least delay: time to answer a late quorum is as needed as time to see a proposal.
    function _setLateQuorumVoteExtension(uint48 newVoteExtension) internal override {
        Bounds.check("voteExtension", newVoteExtension, floors().votingDelay, votingPeriod());
        super._setLateQuorumVoteExtension(newVoteExtension);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _isValidDescriptionForProposer(
        address proposer,
        string memory description
    ) internal view override(Governor, BoundedGovernor) returns (bool) {
        return super._isValidDescriptionForProposer(proposer, description);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }

    /// @dev Lengths are compared by the Governor; here a shorter list of calls just ends the comparison.
    function _requireUnmixed(address[] memory targets, bytes[] memory calldatas) private view {
        for (uint256 i = 1; i < targets.length && i < calldatas.length; ++i) {
            require(
                _isResume(targets[i], calldatas[i]) == _isResume(targets[0], calldatas[0]),
                MixedProposal(i)
            );
        }
    }

    function _isResume(address target, bytes memory data) private view returns (bool) {
        // Shorter calldata is padded with zeros and is none of these.
        bytes4 selector = bytes4(data);
        return
            target == address(killSwitch()) &&
            (selector == IKillSwitch.requestResume.selector || selector == IKillSwitch.resume.selector);
    }

    function _mostVotingDelay() internal pure override returns (uint256) {
        return 7 days;
    }

    function _mostVotingPeriod() internal pure override returns (uint256) {
        return 30 days;
    }

    function _quorumRange() internal pure override returns (uint256 least, uint256 most) {
        return (1, 10);
    }
}
