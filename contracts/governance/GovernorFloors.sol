// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Bounds} from "../libraries/Bounds.sol";

/// @title The least times of a governor
/// @notice Fixed at deployment, because a local chain votes in seconds and a public one must not. A base of its own, so
/// that they stand before the constructors of the settings check against them.
abstract contract GovernorFloors {
    /// @param votingDelay least time between proposal and snapshot, in seconds
    /// @param votingPeriod least time to vote, in seconds
    struct Floors {
        uint32 votingDelay;
        uint32 votingPeriod;
    }

    uint32 private immutable _leastVotingDelay;
    uint32 private immutable _leastVotingPeriod;

    constructor(Floors memory floors_) {
        Bounds.check("leastVotingDelay", floors_.votingDelay, 1, _mostVotingDelay());
        Bounds.check("leastVotingPeriod", floors_.votingPeriod, 1, _mostVotingPeriod());
        _leastVotingDelay = floors_.votingDelay;
        _leastVotingPeriod = floors_.votingPeriod;
    }

    /// @notice The least times that a vote can set.
    /// @return in seconds
    function floors() public view returns (Floors memory) {
        return Floors({votingDelay: _leastVotingDelay, votingPeriod: _leastVotingPeriod});
    }

    /// @dev Seconds.
    function _mostVotingDelay() internal pure virtual returns (uint256);

    /// @dev Seconds.
    function _mostVotingPeriod() internal pure virtual returns (uint256);
}
