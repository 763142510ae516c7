// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {EmergencyGovernor} from "../../../contracts/governance/EmergencyGovernor.sol";
import {GovernorFloors} from "../../../contracts/governance/GovernorFloors.sol";
import {PolicyGovernor} from "../../../contracts/governance/PolicyGovernor.sol";
import {PolicyTimelock} from "../../../contracts/governance/PolicyTimelock.sol";
import {Bounds} from "../../../contracts/libraries/Bounds.sol";
import {KillswitchToken} from "../../../contracts/token/KillswitchToken.sol";
import {KillSwitchTest} from "./KillSwitchTest.sol";

/// @notice A deployment that token holders govern. Of the supply Alice has 35 %, Bob 16 %, the guardian 5 %, Mallory
/// 0.5 %; the rest is with nobody who votes.
abstract contract GovernanceTest is KillSwitchTest {
    uint256 internal constant SUPPLY = 1_000_000 ether;
    uint256 internal constant THRESHOLD = SUPPLY / 1000;
    uint32 internal constant DELAY = 1 days;
    uint32 internal constant PERIOD = 5 days;
    uint32 internal constant EXTENSION = 2 days;
    uint32 internal constant TIMELOCK = 2 days;
    uint32 internal constant LEAST_DELAY = 1 hours;
    uint32 internal constant LEAST_PERIOD = 1 days;
    uint32 internal constant LEAST_TIMELOCK = 12 hours;
    uint32 internal constant EMERGENCY_DELAY = 5;
    uint32 internal constant EMERGENCY_PERIOD = 1 days;
    uint32 internal constant EMERGENCY_LEAST_DELAY = 1;
    uint32 internal constant EMERGENCY_LEAST_PERIOD = 1 hours;

    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;

    struct Proposal {
        address[] targets;
        uint256[] values;
        bytes[] calldatas;
        string description;
    }

    KillswitchToken internal token;
    PolicyGovernor internal policyGovernor;
    PolicyTimelock internal timelock;
    EmergencyGovernor internal emergency;

    function setUp() public virtual override {
        super.setUp();
        token = new KillswitchToken(address(this), SUPPLY);
        policyGovernor = new PolicyGovernor(
            token,
            killSwitch,
            policySettings(),
            policyFloors(),
            LEAST_TIMELOCK
        );
        timelock = PolicyTimelock(payable(policyGovernor.timelock()));
        emergency = new EmergencyGovernor(token, killSwitch, emergencySettings(), emergencyFloors());
        vm.prank(governance);
        killSwitch.setEmergencyGovernor(address(emergency));
        vm.prank(governance);
        killSwitch.offerGovernance(address(timelock));
        timelock.acceptGovernance();

        endow(alice, 350_000 ether);
        endow(bob, 160_000 ether);
        endow(guardian, 50_000 ether);
        endow(mallory, 5000 ether);
        skip(1);
    }

    function policySettings() internal pure returns (PolicyGovernor.Settings memory) {
        return
            PolicyGovernor.Settings({
                votingDelay: DELAY,
                votingPeriod: PERIOD,
                voteExtension: EXTENSION,
                timelockDelay: TIMELOCK,
                proposalThreshold: THRESHOLD,
                quorumNumerator: 4
            });
    }

    function policyFloors() internal pure returns (GovernorFloors.Floors memory) {
        return GovernorFloors.Floors({votingDelay: LEAST_DELAY, votingPeriod: LEAST_PERIOD});
    }

    function emergencySettings() internal pure returns (EmergencyGovernor.Settings memory) {
        return
            EmergencyGovernor.Settings({
                votingDelay: EMERGENCY_DELAY,
                votingPeriod: EMERGENCY_PERIOD,
                proposalThreshold: THRESHOLD,
                quorumNumerator: 15,
                superQuorumNumerator: 30
            });
    }

    function emergencyFloors() internal pure returns (GovernorFloors.Floors memory) {
        return
            GovernorFloors.Floors({votingDelay: EMERGENCY_LEAST_DELAY, votingPeriod: EMERGENCY_LEAST_PERIOD});
    }

    function endow(address account, uint256 amount) internal {
        token.transfer(account, amount);
        vm.prank(account);
        token.delegate(account);
    }

    // ===== Proposals

    function proposal(
        address target,
        bytes memory data,
        string memory description
    ) internal pure returns (Proposal memory made) {
        made.targets = new address[](1);
        made.values = new uint256[](1);
        made.calldatas = new bytes[](1);
        made.targets[0] = target;
        made.calldatas[0] = data;
        made.description = description;
    }

    function both(
        Proposal memory first,
        Proposal memory second
    ) internal pure returns (Proposal memory made) {
        made.targets = new address[](2);
        made.values = new uint256[](2);
        made.calldatas = new bytes[](2);
        (made.targets[0], made.targets[1]) = (first.targets[0], second.targets[0]);
        (made.calldatas[0], made.calldatas[1]) = (first.calldatas[0], second.calldatas[0]);
        made.description = first.description;
    }

    /// @dev No call, so that it may stand between an expectation and what it expects.
    function idOf(Proposal memory made) internal pure returns (uint256) {
        return
            uint256(
                keccak256(
                    abi.encode(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)))
                )
            );
    }

    function propose(Governor governor, address account, Proposal memory made) internal returns (uint256) {
        vm.prank(account);
        return governor.propose(made.targets, made.values, made.calldatas, made.description);
    }

    function vote(Governor governor, address account, Proposal memory made, uint8 support) internal {
        uint256 id = idOf(made);
        vm.prank(account);
        governor.castVote(id, support);
    }

    function queue(Proposal memory made) internal {
        policyGovernor.queue(made.targets, made.values, made.calldatas, keccak256(bytes(made.description)));
    }

    function execute(Governor governor, Proposal memory made) internal {
        bytes32 hash = keccak256(bytes(made.description));
        // Whoever it is: execution is open.
        vm.prank(address(0x57a4));
        governor.execute(made.targets, made.values, made.calldatas, hash);
    }

    function cancel(Governor governor, address account, Proposal memory made) internal {
        bytes32 hash = keccak256(bytes(made.description));
        vm.prank(account);
        governor.cancel(made.targets, made.values, made.calldatas, hash);
    }

    /// @dev Up to the moment at which it can be executed.
    function carry(Proposal memory made) internal {
        propose(policyGovernor, alice, made);
        skip(policyGovernor.votingDelay() + 1);
        vote(policyGovernor, alice, made, FOR);
        vm.warp(policyGovernor.proposalDeadline(idOf(made)) + 1);
        queue(made);
        skip(timelock.getMinDelay());
    }

    function decide(address target, bytes memory data, string memory description) internal {
        Proposal memory made = proposal(target, data, description);
        carry(made);
        execute(policyGovernor, made);
    }

    /// @dev Carried by a vote, refused with this error when it is executed.
    function decideInVain(
        address target,
        bytes memory data,
        string memory description,
        bytes memory error_
    ) internal {
        Proposal memory made = proposal(target, data, description);
        carry(made);
        bytes32 hash = keccak256(bytes(description));
        expectRevert(error_);
        policyGovernor.execute(made.targets, made.values, made.calldatas, hash);
    }

    function assertState(
        Governor governor,
        Proposal memory made,
        IGovernor.ProposalState expected
    ) internal view {
        assertEq(uint256(governor.state(idOf(made))), uint256(expected));
    }

    function expectState(Proposal memory made, IGovernor.ProposalState found, uint256 allowed) internal {
        expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorUnexpectedProposalState.selector,
                idOf(made),
                found,
                bytes32(allowed)
            )
        );
    }

    function outOfBounds(
        bytes32 what,
        uint256 value,
        uint256 least,
        uint256 most
    ) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Bounds.OutOfBounds.selector, what, value, least, most);
    }
}
