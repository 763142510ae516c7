// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Hexadecimal} from "../libraries/Hexadecimal.sol";
import {KillswitchToken} from "../token/KillswitchToken.sol";
import {GovernorFloors} from "./GovernorFloors.sol";

/// @title What both governors have in common
/// @notice
/// Design
/// ------
/// - Every setting has a least and a most, so that no vote can make votes endless, instant or unreachable.
/// - A governor holds nothing and calls nothing but what its proposals say: it takes no ether and relays nothing.
/// - What was carried expires, so that nobody keeps a decision in stock and uses it when its voters have long forgotten it.
abstract contract BoundedGovernor is
    GovernorFloors,
    GovernorVotesQuorumFraction,
    GovernorCountingSimple,
    GovernorSettings
{
    /// @dev The three values that every proposal reads, in one slot (2,100 gas of 76,600); the same as in GovernorSettings.
    struct ProposalSettings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint176 proposalThreshold;
    }

    /// @dev The proposal threshold lies between the supply's millionth (or proposing would be free) and its fiftieth.
    uint256 private constant LEAST_THRESHOLD_SHARE = 1_000_000;
    uint256 private constant MOST_THRESHOLD_SHARE = 50;

    IKillSwitch private immutable _killSwitch;
    ProposalSettings private _proposalSettings;

    /// @dev `relay` would call anything in the governor's own name: its timelock, or kills without an emergency vote.
    error RelayDisabled();

    /// @notice Names the KillSwitch.
    /// @param killSwitch_ the contract over which it has a power
    constructor(IKillSwitch killSwitch_) {
        _killSwitch = killSwitch_;
    }

    /// @notice The contract over which it has a power.
    /// @return the KillSwitch
    function killSwitch() public view returns (IKillSwitch) {
        return _killSwitch;
    }

    /// @notice The token's clock (ERC-6372), known without asking it.
    /// @return Unix seconds
    function clock() public view virtual override(Governor, GovernorVotes) returns (uint48) {
        return Time.timestamp();
    }

    /// @notice Time between a proposal and its snapshot.
    /// @return seconds
    function votingDelay() public view virtual override(Governor, GovernorSettings) returns (uint256) {
        return _proposalSettings.votingDelay;
    }

    /// @notice Time to vote.
    /// @return seconds
    function votingPeriod() public view virtual override(Governor, GovernorSettings) returns (uint256) {
        return _proposalSettings.votingPeriod;
    }

    /// @notice Votes that a proposer needs, one second before proposing.
    /// @return in the token's smallest unit
    function proposalThreshold() public view virtual override(Governor, GovernorSettings) returns (uint256) {
        return _proposalSettings.proposalThreshold;
    }

    /// @notice Where a proposal stands; one that was carried expires once its grace period is over.
    /// @param proposalId the proposal
    /// @return its state
    function state(uint256 proposalId) public view virtual override returns (ProposalState) {
        ProposalState found = super.state(proposalId);
        bool expired =
            found == ProposalState.Succeeded && clock() > proposalDeadline(proposalId) + gracePeriod();
        return expired ? ProposalState.Expired : found;
    }

    /// @notice How long after its deadline a carried proposal can be queued, or executed where nothing is queued.
    /// @return seconds
    function gracePeriod() public pure virtual returns (uint256);

    function _setVotingDelay(uint48 newVotingDelay) internal override {
        Bounds.check("votingDelay", newVotingDelay, floors().votingDelay, _mostVotingDelay());
        super._setVotingDelay(newVotingDelay);
        _proposalSettings.votingDelay = newVotingDelay;
    }

    function _setVotingPeriod(uint32 newVotingPeriod) internal virtual override {
        Bounds.check("votingPeriod", newVotingPeriod, floors().votingPeriod, _mostVotingPeriod());
        super._setVotingPeriod(newVotingPeriod);
        _proposalSettings.votingPeriod = newVotingPeriod;
    }

    function _setProposalThreshold(uint256 newProposalThreshold) internal override {
        uint256 supply = KillswitchToken(address(token())).totalSupply();
        Bounds.check(
            "proposalThreshold",
            newProposalThreshold,
            supply / LEAST_THRESHOLD_SHARE,
            supply / MOST_THRESHOLD_SHARE
        );
        super._setProposalThreshold(newProposalThreshold);
        _proposalSettings.proposalThreshold = SafeCast.toUint176(newProposalThreshold);
    }

    function _updateQuorumNumerator(uint256 newQuorumNumerator) internal virtual override {
        (uint256 least, uint256 most) = _quorumRange();
        Bounds.check("quorumNumerator", newQuorumNumerator, least, most);
        super._updateQuorumNumerator(newQuorumNumerator);
    }

    /// @dev The Governor's own answer; who proposes what was described for him gets it for a twentieth of the gas.
    function _isValidDescriptionForProposer(
        address proposer,
        string memory description
    ) internal view virtual override returns (bool) {
        return
            Hexadecimal.endsWith(description, proposer) ||
            super._isValidDescriptionForProposer(proposer, description);
    }

    /// @dev Percent of the supply.
    function _quorumRange() internal pure virtual returns (uint256 least, uint256 most);
}
