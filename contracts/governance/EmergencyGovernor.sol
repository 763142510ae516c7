// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {GovernorVotesSuperQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesSuperQuorumFraction.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSuperQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorSuperQuorum.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {KillswitchToken} from "../token/KillswitchToken.sol";
import {BoundedGovernor} from "./BoundedGovernor.sol";
import {GovernorFloors} from "./GovernorFloors.sol";

/// @title Token holders stop fast
/// @notice
///
///       propose ─delay─► vote ─super-quorum, or period and quorum─► execute (anyone, until 7 days after the period)
///
/// Design
/// ------
/// - All it can ever call is a kill on the KillSwitch, where it has rank Governance. So it needs no timelock: the worst that
///   a captured vote does is to stop agents, which a slow vote lifts.
/// - Its quorum is higher than that of policies. Once the super-quorum has voted for it, voting ends.
/// - Its settings are changed by the KillSwitch's governance, that is by the slow votes.
contract EmergencyGovernor is BoundedGovernor, GovernorVotesSuperQuorumFraction {
    /// @param votingDelay between proposal and snapshot, in seconds
    /// @param votingPeriod time to vote, in seconds
    /// @param proposalThreshold votes that a proposer needs, in the token's smallest unit
    /// @param quorumNumerator percent of the supply
    /// @param superQuorumNumerator percent of the supply whose votes for a proposal end the vote
    struct Settings {
        uint32 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint256 quorumNumerator;
        uint256 superQuorumNumerator;
    }

    /// @dev Time enough to send a transaction, and too short to keep kills in stock.
    uint256 private constant GRACE_PERIOD = 7 days;

    /// @dev The action at `index` is no `kill` or `emergencyKill` on the KillSwitch, or sends ether.
    error NotAKill(uint256 index, address target, uint256 value, bytes4 selector);

    /// @notice Makes the governor.
    /// @param token_ whose holders vote
    /// @param killSwitch_ where it kills
    /// @param settings at first
    /// @param floors_ the least times to vote
    constructor(
        KillswitchToken token_,
        IKillSwitch killSwitch_,
        Settings memory settings,
        Floors memory floors_
    )
        Governor("Killswitch EmergencyGovernor")
        GovernorFloors(floors_)
        GovernorVotes(token_)
        GovernorVotesQuorumFraction(settings.quorumNumerator)
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        BoundedGovernor(killSwitch_)
        GovernorVotesSuperQuorumFraction(settings.superQuorumNumerator)
    {}

    /// @notice Refused: a governor holds no ether.
    receive() external payable override {
        revert GovernorDisabledDeposit();
    }

    /// @notice The token's clock (ERC-6372).
    /// @return Unix seconds
    function clock() public view override(Governor, BoundedGovernor, GovernorVotes) returns (uint48) {
        return super.clock();
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
    ) public view override(BoundedGovernor, GovernorVotesSuperQuorumFraction) returns (ProposalState) {
        return super.state(proposalId);
    }

    /// @notice The votes that were cast.
    /// @param proposalId the proposal
    /// @return againstVotes against it
    /// @return forVotes for it
    /// @return abstainVotes neither
    function proposalVotes(
        uint256 proposalId
    )
        public
        view
        override(GovernorCountingSimple, GovernorSuperQuorum)
        returns (uint256 againstVotes, uint256 forVotes, uint256 abstainVotes)
    {
        return super.proposalVotes(proposalId);
    }

    /// @notice How long after its deadline a carried proposal can be executed, also one that a super-quorum ended early.
    /// @return seconds
    function gracePeriod() public pure override returns (uint256) {
        return GRACE_PERIOD;
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256) {
        uint256 length = targets.length;
        require(
            length == values.length && length == calldatas.length,
            GovernorInvalidProposalLength(length, calldatas.length, values.length)
        );
        for (uint256 i = 0; i < length; ++i) {
            bytes4 selector = bytes4(calldatas[i]);
            bool kills =
                selector == IKillSwitch.kill.selector || selector == IKillSwitch.emergencyKill.selector;
            require(
                kills && targets[i] == address(killSwitch()) && values[i] == 0,
                NotAKill(i, targets[i], values[i], selector)
            );
        }
        return super._propose(targets, values, calldatas, description, proposer);
    }

    function _updateQuorumNumerator(
        uint256 newQuorumNumerator
    ) internal override(BoundedGovernor, GovernorVotesSuperQuorumFraction) {
        super._updateQuorumNumerator(newQuorumNumerator);
    }

    function _updateSuperQuorumNumerator(uint256 newSuperQuorumNumerator) internal override {
        Bounds.check("superQuorumNumerator", newSuperQuorumNumerator, 25, 50);
        super._updateSuperQuorumNumerator(newSuperQuorumNumerator);
    }

    function _isValidDescriptionForProposer(
        address proposer,
        string memory description
    ) internal view override(Governor, BoundedGovernor) returns (bool) {
        return super._isValidDescriptionForProposer(proposer, description);
    }

    /// @dev Its own proposals can only kill, so its settings are in the hands of who governs the KillSwitch.
    function _checkGovernance() internal view override {
        require(msg.sender == killSwitch().governance(), GovernorOnlyExecutor(msg.sender));
    }

    function _mostVotingDelay() internal pure override returns (uint256) {
        return 1 hours;
    }

    function _mostVotingPeriod() internal pure override returns (uint256) {
        return 3 days;
    }

    function _quorumRange() internal pure override returns (uint256 least, uint256 most) {
        return (11, 30);
    }
}
