// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {VotesExtended} from "@openzeppelin/contracts/governance/utils/VotesExtended.sol";
import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ERC6372Utils} from "@openzeppelin/contracts/utils/ERC6372Utils.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

/// @title The token whose holders decide
/// @notice
/// Design
/// ------
/// - The supply is made once. Nobody mints or burns, so thresholds that are shares of it never move by themselves.
/// - Voting power must be delegated, to oneself or another, before the snapshot of a proposal to count in it.
/// - Past balances are kept for what rewards holding (see {Subscriptions}); past delegates are not, because nothing asks
///   for them and they would make the first delegation half as dear again.
contract KillswitchToken is ERC20, ERC20Permit, ERC20Votes, VotesExtended {
    /// @dev Past delegates are not kept.
    error PastDelegatesNotKept(address account, uint256 timepoint);

    /// @notice Makes the whole supply.
    /// @param holder who gets the whole supply
    /// @param supply in the smallest unit, 10^-18 of a token
    constructor(address holder, uint256 supply) ERC20("Killswitch", "KSW") ERC20Permit("Killswitch") {
        _mint(holder, supply);
    }

    /// @notice The time that checkpoints and governors go by (ERC-6372).
    /// @return Unix seconds
    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable func-name-mixedcase
    /// @notice What the clock counts (ERC-6372).
    /// @return `mode=timestamp`
    function CLOCK_MODE() public view override returns (string memory) {
        return ERC6372Utils.timestampClockMode(clock);
    }
    // solhint-enable func-name-mixedcase

    /// @notice The next nonce of the account, one sequence for permits and delegations by signature.
    /// @param owner the account
    /// @return its next nonce
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @notice Not kept: always reverts.
    /// @param account whose delegate is asked for
    /// @param timepoint when, in Unix seconds
    function getPastDelegate(address account, uint256 timepoint) public pure override returns (address) {
        revert PastDelegatesNotKept(account, timepoint);
    }

    /// @dev Passes over the checkpoint of delegates.
    function _delegate(address account, address delegatee) internal override(Votes, VotesExtended) {
        Votes._delegate(account, delegatee);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }

    function _transferVotingUnits(
        address from,
        address to,
        uint256 amount
    ) internal override(Votes, VotesExtended) {
        super._transferVotingUnits(from, to, amount);
    }
}
