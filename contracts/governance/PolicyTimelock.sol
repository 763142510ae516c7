// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {Rank, Scope, SubjectState} from "../types/Liveness.sol";

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
/// - A vote lifts what the council or a vote stopped, and what a breaker stopped. What only its owner stopped (or a
///   transfer, in the owner's name) stays stopped: checked here, because here is known what a call meets.
///
/// Trust assumptions
/// -----------------
/// - Where council or governance have killed a subject as well as its owner, the chain knows the highest rank since the last
///   resume only, and votes lift both. A kill by the owner during the cool-down voids that request and leaves the rank, so a
///   second request lifts it; only one after the resume stands at the owner's rank.
/// - A vote that appoints a council lets it lift what owners stopped, after the cool-down and without a further vote.
contract PolicyTimelock is TimelockController {
    uint256 private constant MOST_DELAY = 30 days;

    IKillSwitch private immutable _killSwitch;
    uint32 private immutable _leastDelay;

    /// @dev Only its owner stopped this subject; a vote does not lift it.
    error OwnersKill(Scope scope, bytes32 subject);

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

    function _execute(address target, uint256 value, bytes calldata data) internal override {
        if (target == address(_killSwitch) && data.length >= 4) {
            bytes4 selector = bytes4(data);
            if (selector == IKillSwitch.requestResume.selector || selector == IKillSwitch.resume.selector) {
                (Scope scope, bytes32 subject) = abi.decode(data[4:], (Scope, bytes32));
                _requireNotOwnersKill(scope, subject);
            }
        }
        super._execute(target, value, data);
    }

    /// @dev An agent's resume also lifts the kill of its wallet from it, so both are looked at.
    function _requireNotOwnersKill(Scope scope, bytes32 subject) private view {
        SubjectState memory state = _killSwitch.stateOf(scope, subject);
        bool owners = _isActive(state) && state.rank == Rank.Owner;
        if (scope == Scope.Agent && !owners) {
            address owner = IERC721(address(_killSwitch)).ownerOf(uint256(subject));
            SubjectState memory wallet = _killSwitch.stateOf(Scope.Owner, bytes32(uint256(uint160(owner))));
            owners = _isActive(wallet) && wallet.killedAt > state.aliveSince && wallet.rank == Rank.Owner;
        }
        require(!owners, OwnersKill(scope, subject));
    }

    function _isActive(SubjectState memory state) private pure returns (bool) {
        return state.killedAt > state.aliveSince;
    }

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
