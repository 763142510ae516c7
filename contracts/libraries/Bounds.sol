// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Bounds of what a vote may set
/// @notice Every value that governance sets has a least and a most, so that no vote can wedge what it governs.
library Bounds {
    /// @dev `value` of the setting named `what` (ASCII) is outside [least, most].
    error OutOfBounds(bytes32 what, uint256 value, uint256 least, uint256 most);

    /// @notice Reverts unless the value is within [least, most].
    /// @param what name of the setting, for the error
    /// @param value the value
    /// @param least the least that is allowed
    /// @param most the most that is allowed
    function check(bytes32 what, uint256 value, uint256 least, uint256 most) internal pure {
        require(value >= least && value <= most, OutOfBounds(what, value, least, most));
    }
}
