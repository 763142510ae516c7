// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Bounds} from "../libraries/Bounds.sol";

/// @dev Seconds in which a carried proposal must be queued, and again executed once its delay is over. A release that
/// anyone could still execute long after its vote would undo a kill that its voters never saw.
uint256 constant GRACE_PERIOD = 14 days;

/// @title The hand of the PolicyGovernor: governance of the KillSwitch, with a delay
/// @notice
/// Design
/// ------
/// - Its governor creates it, is its only proposer and canceller, and anyone executes. It has no admin, not even
///   itself, so these roles stand for ever. To move on, a vote offers the KillSwitch's governance to a successor.
/// - The delay has a least and a most. What is ready expires, here because anyone may execute here.
contract PolicyTimelock is TimelockController {
    uint256 private constant MOST_DELAY = 30 days;

    IKillSwitch private immutable _killSwitch;
    uint32 private immutable _leastDelay;

    /// @notice Gives every role away for good.
    /// @param killSwitch_ the contract that it governs
    /// @param governor its only proposer and canceller
    /// @param delay between queueing and execution, in seconds
    /// @param leastDelay_ the least delay that a vote can set, in seconds, within [1 s, 30 days]
    constructor(
        IKillSwitch killSwitch_,
        address governor,
        uint32 delay,
        uint32 leastDelay_
    ) TimelockController(delay, _only(governor), _only(address(0)), address(0)) {
        Bounds.check("leastTimelockDelay", leastDelay_, 1, MOST_DELAY);
        Bounds.check("timelockDelay", delay, leastDelay_, MOST_DELAY);
        _killSwitch = killSwitch_;
        _leastDelay = leastDelay_;
        _revokeRole(DEFAULT_ADMIN_ROLE, address(this));
    }

    /// @notice Takes over governance of the KillSwitch where it was offered to this contract; anyone may ask it to.
    function acceptGovernance() external {
        _killSwitch.acceptGovernance();
    }

    /// @notice The contract that it governs.
    /// @return the KillSwitch
    function killSwitch() external view returns (IKillSwitch) {
        return _killSwitch;
    }

    /// @notice The least delay that a vote can set.
    /// @return in seconds
    function leastDelay() external view returns (uint32) {
        return _leastDelay;
    }

    /// @notice Only by a vote. Seconds, within [leastDelay, 30 days].
    /// @param newDelay the delay of what is queued from now on
    function updateDelay(uint256 newDelay) public override {
        Bounds.check("timelockDelay", newDelay, _leastDelay, MOST_DELAY);
        super.updateDelay(newDelay);
    }

    /// @notice Where an operation stands. One that was not executed within the grace period is as if it had never been queued.
    /// @param id the operation
    /// @return its state
    function getOperationState(bytes32 id) public view override returns (OperationState) {
        OperationState found = super.getOperationState(id);
        bool expired = found == OperationState.Ready && block.timestamp > getTimestamp(id) + GRACE_PERIOD;
        return expired ? OperationState.Unset : found;
    }

    /// @notice How long an operation can be executed once its delay is over.
    /// @return seconds
    function gracePeriod() external pure returns (uint256) {
        return GRACE_PERIOD;
    }

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
