// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KillSwitch} from "../../../contracts/agents/KillSwitch.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Guardians, roles, cool-downs and governance.
contract KillSwitchPowersTest is KillSwitchTest {
    // ===== Guardians

    function test_appointGuardian() public {
        expectEmit();
        emit IKillSwitch.GuardianAppointed(bob, guardian);
        appoint(bob);
        assertEq(killSwitch.guardianUntil(bob, guardian), type(uint40).max);
        assertEq(killSwitch.guardianUntil(guardian, bob), 0);
        killWallet(guardian, bob);
    }

    function test_appointGuardian_twice() public {
        expectUnchanged(alice);
        appoint(alice);
    }

    function test_dismissGuardian_boundary() public {
        uint40 until = uint40(time() + OWNER_COOLDOWN);
        expectEmit();
        emit IKillSwitch.GuardianDismissed(alice, guardian, until);
        dismiss(alice);
        assertEq(killSwitch.guardianUntil(alice, guardian), until);
        vm.warp(until - 1);
        killAgent(guardian);
        killWallet(guardian, alice);
        vm.warp(until);
        expectNotAuthorized(guardian, Scope.Agent, bytes32(agent));
        killAgent(guardian);
        expectNotAuthorized(guardian, Scope.Owner, subjectOf(alice));
        killWallet(guardian, alice);
        vm.warp(until + 1);
        expectNotAuthorized(guardian, Scope.Agent, bytes32(agent));
        killAgent(guardian);
    }

    function test_dismissGuardian_againNeitherShortensNorExtends() public {
        dismiss(alice);
        setCooldown(Rank.Owner, MIN_COOLDOWN);
        expectUnchanged(alice);
        dismiss(alice);
        skip(OWNER_COOLDOWN);
        expectUnchanged(alice);
        dismiss(alice);
    }

    function test_dismissGuardian_ofNone() public {
        expectUnchanged(bob);
        dismiss(bob);
    }

    function test_appointGuardian_againWhileTheDismissalRunsAndAfter() public {
        dismiss(alice);
        appoint(alice);
        skip(OWNER_COOLDOWN * 2);
        killAgent(guardian);
        dismiss(alice);
        skip(OWNER_COOLDOWN);
        appoint(alice);
        killAgent(guardian);
    }

    // ===== Roles

    function test_setCouncil() public {
        expectEmit();
        emit IKillSwitch.CouncilChanged(bob);
        vm.prank(governance);
        killSwitch.setCouncil(bob);
        assertEq(killSwitch.council(), bob);
        // The counter beside it is untouched.
        assertEq(killSwitch.sequence(), 1);
        assertEq(kill(bob, Scope.Fleet, FLEET), 2);
        assertEq(killSwitch.council(), bob);
        expectNotAuthorized(council, Scope.Fleet, FLEET);
        kill(council, Scope.Fleet, FLEET);
    }

    function test_setEmergencyGovernor() public {
        expectEmit();
        emit IKillSwitch.EmergencyGovernorChanged(bob);
        vm.prank(governance);
        killSwitch.setEmergencyGovernor(bob);
        assertEq(killSwitch.emergencyGovernor(), bob);
        expectNotAuthorized(emergencyGovernor, Scope.Fleet, FLEET);
        kill(emergencyGovernor, Scope.Fleet, FLEET);
    }

    /// @dev The contract compares the low 48 bits first; they must not be all it compares.
    function test_setEmergencyGovernor_itsLookAlikeHasNoPower() public {
        address lookAlike = address(uint160(emergencyGovernor) ^ (1 << 48));
        expectNotAuthorized(lookAlike, Scope.Fleet, FLEET);
        kill(lookAlike, Scope.Fleet, FLEET);
        kill(emergencyGovernor, Scope.Fleet, FLEET);
    }

    function test_setBreaker() public {
        expectEmit();
        emit IKillSwitch.BreakerChanged(bob, true);
        vm.prank(governance);
        killSwitch.setBreaker(bob, true);
        require(killSwitch.isBreaker(bob));
        vm.prank(governance);
        killSwitch.setBreaker(bob, false);
        require(!killSwitch.isBreaker(bob));
    }

    function test_settings_onlyGovernance() public {
        address[4] memory others = [alice, council, emergencyGovernor, mallory];
        bytes[5] memory calls = [
            abi.encodeCall(IKillSwitch.setCouncil, (mallory)),
            abi.encodeCall(IKillSwitch.setEmergencyGovernor, (mallory)),
            abi.encodeCall(IKillSwitch.setBreaker, (mallory, true)),
            abi.encodeCall(IKillSwitch.setCooldown, (Rank.Owner, MIN_COOLDOWN)),
            abi.encodeCall(IKillSwitch.offerGovernance, (mallory))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            for (uint256 j = 0; j < calls.length; ++j) {
                vm.prank(others[i]);
                // solhint-disable-next-line avoid-low-level-calls
                (bool success, bytes memory result) = address(killSwitch).call(calls[j]);
                require(!success);
                assertEq(
                    keccak256(result),
                    keccak256(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, others[i]))
                );
            }
        }
    }

    // ===== Cool-downs

    function test_setCooldown_bounds() public {
        uint32[3] memory valid = [MIN_COOLDOWN, MIN_COOLDOWN + 1, 30 days];
        for (uint256 i = 0; i < valid.length; ++i) {
            expectEmit();
            emit IKillSwitch.CooldownChanged(Rank.Council, valid[i]);
            setCooldown(Rank.Council, valid[i]);
            assertEq(killSwitch.cooldownOf(Rank.Council), valid[i]);
        }
        setCooldown(Rank.Council, 30 days - 1);
        refuseCooldown(Rank.Council, MIN_COOLDOWN - 1);
        refuseCooldown(Rank.Council, 30 days + 1);
        refuseCooldown(Rank.Council, 0);
        refuseCooldown(Rank.None, MIN_COOLDOWN);
    }

    function test_cooldownOf_asDeployed() public view {
        assertEq(killSwitch.minCooldown(), MIN_COOLDOWN);
        assertEq(killSwitch.cooldownOf(Rank.None), 0);
        assertEq(killSwitch.cooldownOf(Rank.Breaker), BREAKER_COOLDOWN);
        assertEq(killSwitch.cooldownOf(Rank.Owner), OWNER_COOLDOWN);
        assertEq(killSwitch.cooldownOf(Rank.Council), COUNCIL_COOLDOWN);
        assertEq(killSwitch.cooldownOf(Rank.Governance), GOVERNANCE_COOLDOWN);
    }

    // ===== Governance

    function test_governance_changesHandsInTwoSteps() public {
        expectEmit();
        emit IKillSwitch.GovernanceOffered(governance, bob);
        offer(bob);
        assertEq(killSwitch.governance(), governance);
        assertEq(killSwitch.pendingGovernance(), bob);
        expectNotPending(mallory);
        accept(mallory);
        expectEmit();
        emit IKillSwitch.GovernanceAccepted(governance, bob);
        accept(bob);
        assertEq(killSwitch.governance(), bob);
        assertEq(killSwitch.pendingGovernance(), address(0));
        expectNotPending(bob);
        accept(bob);
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, governance));
        offer(governance);
        assertEq(killSwitch.resumeRankOf(governance, Scope.Fleet, FLEET), Rank.None);
    }

    function test_governance_offerWithdrawn() public {
        offer(bob);
        offer(address(0));
        expectNotPending(bob);
        accept(bob);
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotPendingGovernance.selector, mallory));
        accept(mallory);
    }

    // ===== Construction

    /// @dev Events alone rebuild the settings.
    function test_constructor_emitsAllSettings() public {
        vm.recordLogs();
        KillSwitch fresh = new KillSwitch(config());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 7);
        assertEq(logs[0].topics[0], IKillSwitch.GovernanceAccepted.selector);
        assertEq(logs[0].topics[1], 0);
        assertEq(logs[0].topics[2], subjectOf(governance));
        assertEq(logs[1].topics[0], IKillSwitch.CouncilChanged.selector);
        assertEq(logs[1].topics[1], subjectOf(council));
        assertEq(logs[2].topics[0], IKillSwitch.EmergencyGovernorChanged.selector);
        assertEq(logs[2].topics[1], subjectOf(emergencyGovernor));
        for (uint8 i = 0; i < 4; ++i) {
            assertEq(logs[3 + i].topics[0], IKillSwitch.CooldownChanged.selector);
            assertEq(uint256(logs[3 + i].topics[1]), i + 1);
            assertEq(abi.decode(logs[3 + i].data, (uint256)), config().cooldowns[i]);
        }
        assertEq(fresh.governance(), governance);
        assertEq(fresh.council(), council);
        assertEq(fresh.emergencyGovernor(), emergencyGovernor);
        assertEq(fresh.sequence(), 0);
    }

    function test_constructor_withoutCouncilAndEmergencyGovernor() public {
        KillSwitch.Config memory config_ = config();
        config_.council = address(0);
        config_.emergencyGovernor = address(0);
        new KillSwitch(config_);
    }

    function test_constructor_zeroGovernance() public {
        KillSwitch.Config memory config_ = config();
        config_.governance = address(0);
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, address(0)));
        new KillSwitch(config_);
    }

    function test_constructor_minCooldownBounds() public {
        KillSwitch.Config memory config_ = config();
        config_.cooldowns = [uint32(2 days), 2 days, 2 days, 2 days];
        uint32[4] memory valid = [uint32(1), 2, 1 days - 1, 1 days];
        for (uint256 i = 0; i < valid.length; ++i) {
            config_.minCooldown = valid[i];
            assertEq(new KillSwitch(config_).minCooldown(), valid[i]);
        }
        uint32[2] memory invalid = [uint32(0), 1 days + 1];
        for (uint256 i = 0; i < invalid.length; ++i) {
            config_.minCooldown = invalid[i];
            expectRevert(abi.encodeWithSelector(IKillSwitch.InvalidCooldown.selector, Rank.None, invalid[i]));
            new KillSwitch(config_);
        }
    }

    function test_constructor_cooldownBounds() public {
        for (uint256 i = 0; i < 4; ++i) {
            KillSwitch.Config memory config_ = config();
            config_.cooldowns[i] = MIN_COOLDOWN - 1;
            expectRevert(
                abi.encodeWithSelector(IKillSwitch.InvalidCooldown.selector, Rank(i + 1), MIN_COOLDOWN - 1)
            );
            new KillSwitch(config_);
        }
    }

    function appoint(address owner) private {
        vm.prank(owner);
        killSwitch.appointGuardian(guardian);
    }

    function dismiss(address owner) private {
        vm.prank(owner);
        killSwitch.dismissGuardian(guardian);
    }

    function offer(address pending) private {
        vm.prank(governance);
        killSwitch.offerGovernance(pending);
    }

    function accept(address account) private {
        vm.prank(account);
        killSwitch.acceptGovernance();
    }

    function expectUnchanged(address owner) private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.GuardianUnchanged.selector, owner, guardian));
    }

    function expectNotPending(address account) private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotPendingGovernance.selector, account));
    }

    function refuseCooldown(Rank rank, uint32 cooldown) private {
        expectRevert(abi.encodeWithSelector(IKillSwitch.InvalidCooldown.selector, rank, cooldown));
        setCooldown(rank, cooldown);
    }
}
