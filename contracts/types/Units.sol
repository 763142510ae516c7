// SPDX-License-Identifier: MIT
// The libraries are the methods of their types.
// solhint-disable one-contract-per-file
pragma solidity ^0.8.28;

/// @notice A time span, in seconds.
type Duration is uint32;

/// @notice A share, in hundredths of a percent: 10,000 are all.
type BasisPoints is uint16;

/// @notice How anomalous an agent's behaviour is, from 0 (as ever) to 100.
type AnomalyScore is uint8;

/// @notice How far an agent is trusted, from 0 to 1,000.
type TrustScore is uint16;

/// @notice How many actions an agent takes in the time that the field names.
type Actions is uint32;

/// @notice A number of events in a row, or in a sample.
type Count is uint32;

using DurationUnit for Duration global;
using BasisPointsUnit for BasisPoints global;
using AnomalyScoreUnit for AnomalyScore global;
using TrustScoreUnit for TrustScore global;
using ActionsUnit for Actions global;
using CountUnit for Count global;

/// @notice Arithmetic of `Duration`
library DurationUnit {
    /// @notice The value in seconds.
    /// @param a the value
    /// @return the number
    function inSeconds(Duration a) internal pure returns (uint256) {
        return Duration.unwrap(a);
    }

    /// @notice The lesser of two values.
    /// @param a one
    /// @param b the other
    /// @return the lesser
    function min(Duration a, Duration b) internal pure returns (Duration) {
        return Duration.unwrap(a) < Duration.unwrap(b) ? a : b;
    }

    /// @notice The greater of two values.
    /// @param a one
    /// @param b the other
    /// @return the greater
    function max(Duration a, Duration b) internal pure returns (Duration) {
        return Duration.unwrap(a) > Duration.unwrap(b) ? a : b;
    }
}

/// @notice Arithmetic of `BasisPoints`
library BasisPointsUnit {
    /// @notice The value as a number.
    /// @param a the value
    /// @return the number
    function raw(BasisPoints a) internal pure returns (uint256) {
        return BasisPoints.unwrap(a);
    }

    /// @notice The lesser of two values.
    /// @param a one
    /// @param b the other
    /// @return the lesser
    function min(BasisPoints a, BasisPoints b) internal pure returns (BasisPoints) {
        return BasisPoints.unwrap(a) < BasisPoints.unwrap(b) ? a : b;
    }
}

/// @notice Arithmetic of `AnomalyScore`
library AnomalyScoreUnit {
    /// @notice The value as a number.
    /// @param a the value
    /// @return the number
    function raw(AnomalyScore a) internal pure returns (uint256) {
        return AnomalyScore.unwrap(a);
    }

    /// @notice The lesser of two values.
    /// @param a one
    /// @param b the other
    /// @return the lesser
    function min(AnomalyScore a, AnomalyScore b) internal pure returns (AnomalyScore) {
        return AnomalyScore.unwrap(a) < AnomalyScore.unwrap(b) ? a : b;
    }
}

/// @notice Arithmetic of `TrustScore`
library TrustScoreUnit {
    /// @notice The value as a number.
    /// @param a the value
    /// @return the number
    function raw(TrustScore a) internal pure returns (uint256) {
        return TrustScore.unwrap(a);
    }

    /// @notice The greater of two values.
    /// @param a one
    /// @param b the other
    /// @return the greater
    function max(TrustScore a, TrustScore b) internal pure returns (TrustScore) {
        return TrustScore.unwrap(a) > TrustScore.unwrap(b) ? a : b;
    }
}

/// @notice Arithmetic of `Actions`
library ActionsUnit {
    /// @notice The value as a number.
    /// @param a the value
    /// @return the number
    function raw(Actions a) internal pure returns (uint256) {
        return Actions.unwrap(a);
    }

    /// @notice The lesser of two values.
    /// @param a one
    /// @param b the other
    /// @return the lesser
    function min(Actions a, Actions b) internal pure returns (Actions) {
        return Actions.unwrap(a) < Actions.unwrap(b) ? a : b;
    }
}

/// @notice Arithmetic of `Count`
library CountUnit {
    /// @notice The value as a number.
    /// @param a the value
    /// @return the number
    function raw(Count a) internal pure returns (uint256) {
        return Count.unwrap(a);
    }

    /// @notice The lesser of two values.
    /// @param a one
    /// @param b the other
    /// @return the lesser
    function min(Count a, Count b) internal pure returns (Count) {
        return Count.unwrap(a) < Count.unwrap(b) ? a : b;
    }
}
