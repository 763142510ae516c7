// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IKillSwitch} from "../interfaces/IKillSwitch.sol";

/// @title What the KillSwitch's governance decides
/// @notice Who governs is asked of the KillSwitch at each call, so that one hand-over there moves every power at once.
abstract contract Governed {
    IKillSwitch private immutable _killSwitch;

    modifier onlyKillSwitchGovernance() {
        _requireGovernance();
        _;
    }

    constructor(IKillSwitch killSwitch_) {
        _killSwitch = killSwitch_;
    }

    /// @notice The KillSwitch whose governance decides here.
    /// @return the contract
    function killSwitch() public view returns (IKillSwitch) {
        return _killSwitch;
    }

    function _requireGovernance() internal view {
        require(msg.sender == _killSwitch.governance(), IKillSwitch.NotGovernance(msg.sender));
    }
}
