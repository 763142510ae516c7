// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KillPolicies} from "../../../contracts/governance/KillPolicies.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Bounds} from "../../../contracts/libraries/Bounds.sol";
import {PolicyRules} from "../../../contracts/libraries/PolicyRules.sol";
import {EffectivePolicy, KillPolicy} from "../../../contracts/types/KillPolicy.sol";
import {Scope} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {Policies} from "../support/Policies.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Policies: bounds, what a type may change, admissions, versions, events.
contract KillPoliciesTest is KillSwitchTest {
    uint256 private constant FIELDS = 16;
    bytes32 private constant DEFAULT = 0;

    KillPolicies private policies;

    function setUp() public override {
        super.setUp();
        policies = new KillPolicies(killSwitch, Policies.usual());
    }

    // ===== Who

    function test_onlyGovernance() public {
        KillPolicy memory policy = Policies.usual();
        bytes[5] memory calls = [
            abi.encodeCall(KillPolicies.setDefault, (policy, 1)),
            abi.encodeCall(KillPolicies.setPolicy, (TYPE_WORD, policy, false, 0)),
            abi.encodeCall(KillPolicies.removePolicy, (TYPE_WORD, 0)),
            abi.encodeCall(KillPolicies.admit, (agent, alice)),
            abi.encodeCall(KillPolicies.dismiss, (agent))
        ];
        address[4] memory others = [alice, council, emergencyGovernor, address(this)];
        for (uint256 i = 0; i < calls.length; ++i) {
            for (uint256 j = 0; j < others.length; ++j) {
                vm.prank(others[j]);
                // solhint-disable-next-line avoid-low-level-calls
                (bool success, bytes memory result) = address(policies).call(calls[i]);
                require(!success);
                assertEq(
                    keccak256(result),
                    keccak256(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, others[j]))
                );
            }
        }
    }

    /// @dev Whoever takes over the KillSwitch takes over the policies.
    function test_governance_followsTheKillSwitch() public {
        vm.prank(governance);
        killSwitch.offerGovernance(bob);
        vm.prank(bob);
        killSwitch.acceptGovernance();
        vm.prank(bob);
        policies.setDefault(Policies.usual(), 1);
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, governance));
        setDefault(Policies.usual());
    }

    // ===== Bounds

    function test_bounds_ofEveryField() public {
        (bytes32[FIELDS] memory names, uint256[FIELDS] memory least, uint256[FIELDS] memory most) = Policies
            .bounds(MIN_COOLDOWN);
        for (uint256 i = 0; i < FIELDS; ++i) {
            setDefault(withField(i, least[i]));
            setDefault(withField(i, most[i]));
            assertEq(Policies.toNumbers(effective().limits)[i], most[i]);
            if (least[i] > 0) refuse(names[i], i, least[i] - 1);
            // Wider values than the type's do not come this far: the ABI decoder refuses them.
            refuse(names[i], i, most[i] + 1);
        }
    }

    /// @dev Whatever the numbers: what is taken is within all bounds, and in order.
    function testFuzz_bounds(uint256 seed) public {
        uint256[FIELDS] memory numbers = anyNumbers(seed, false);
        KillPolicy memory policy;
        policy.limits = Policies.fromNumbers(numbers);
        uint256[FIELDS] memory stored = Policies.toNumbers(policy.limits);
        vm.prank(governance);
        try policies.setDefault(policy, 1) {
            (, uint256[FIELDS] memory least, uint256[FIELDS] memory most) = Policies.bounds(MIN_COOLDOWN);
            for (uint256 i = 0; i < 5; ++i) require(stored[i] >= least[i] && stored[i] <= most[i]);
            require(stored[5] >= 1 && stored[5] <= stored[6] && stored[6] <= 1e9);
            require(stored[7] >= 60 && stored[8] >= MIN_COOLDOWN && stored[8] <= 30 days);
            require(stored[10] >= 10 && stored[10] <= stored[9] && stored[9] <= stored[11]);
            require(stored[12] >= 1 && stored[15] <= 1000);
            for (uint256 i = 12; i < 15; ++i) require(stored[i] < stored[i + 1]);
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(Bounds.OutOfBounds.selector));
        }
    }

    function test_bounds_ofDocuments() public {
        KillPolicy memory policy = Policies.usual();
        policy.boundary = Policies.document(keccak256("b"), string(new bytes(256)));
        setDefault(policy);
        policy.boundary.uri = string(new bytes(257));
        expectRevert(abi.encodeWithSelector(PolicyRules.UriTooLong.selector, 257));
        setDefault(policy);
        policy.boundary = Policies.document(0, "https://a.test");
        expectRevert(
            abi.encodeWithSelector(PolicyRules.IncompleteDocument.selector, bytes32(0), "https://a.test")
        );
        setDefault(policy);
        policy.boundary = Policies.document(0, "");
        policy.decisions = Policies.document(keccak256("d"), "");
        expectRevert(abi.encodeWithSelector(PolicyRules.IncompleteDocument.selector, keccak256("d"), ""));
        setDefault(policy);
    }

    function test_bounds_ofTypes() public {
        bytes32[5] memory invalid = [
            bytes32(0),
            "Panel",
            bytes32("panel") | bytes32(uint256(1)),
            "service",
            "spire"
        ];
        for (uint256 i = 0; i < invalid.length; ++i) {
            expectRevert(abi.encodeWithSelector(KillPolicies.InvalidAgentType.selector, invalid[i]));
            setPolicy(invalid[i], Policies.usual(), false);
        }
    }

    function test_bounds_ofTheFirstDefault() public {
        expectRevert(
            abi.encodeWithSelector(Bounds.OutOfBounds.selector, bytes32("errorRate"), 0, 500, 10_000)
        );
        new KillPolicies(killSwitch, withField(1, 0));
    }

    // ===== A type only tightens

    /// @dev Each field of its own: tighter is taken and holds, looser is refused and changes nothing.
    function test_type_onlyTightens() public {
        uint256[FIELDS] memory usual = Policies.usualNumbers();
        for (uint256 i = 0; i < FIELDS; ++i) {
            uint256 side = Policies.tighterSide(i);
            uint256 smaller = usual[i] - 1;
            uint256 larger = usual[i] + 1;
            if (side != 2) refuseLooser(withField(i, larger));
            if (side != 1) refuseLooser(withField(i, smaller));
            if (side == 0) continue;
            setPolicy(TYPE_WORD, withField(i, side == 1 ? smaller : larger), false);
            assertEq(Policies.toNumbers(effective().limits)[i], side == 1 ? smaller : larger);
            remove(TYPE_WORD);
        }
    }

    /// @dev One field tighter does not pay for another that is looser.
    function test_type_tighterAndLooserIsLooser() public {
        uint256[FIELDS] memory numbers = Policies.usualNumbers();
        numbers[0] = 3;
        numbers[4] = 91;
        KillPolicy memory policy;
        policy.limits = Policies.fromNumbers(numbers);
        refuseLooser(policy);
    }

    /// @dev A default that is tightened later also holds for types that were set before.
    function test_type_aTighterDefaultHoldsForItToo() public {
        setPolicy(TYPE_WORD, withField(0, 5), false);
        uint256[FIELDS] memory numbers = Policies.usualNumbers();
        numbers[0] = 8;
        numbers[4] = 50;
        KillPolicy memory policy;
        policy.limits = Policies.fromNumbers(numbers);
        setDefault(policy);
        uint256[FIELDS] memory found = Policies.toNumbers(effective().limits);
        assertEq(found[0], 5);
        assertEq(found[4], 50);
    }

    /// @dev For any two policies: the merged one is well formed, and as tight as either in every field.
    function testFuzz_tighter_isAsTightAsEither(uint256 seedA, uint256 seedB) public {
        uint256[FIELDS] memory a = anyNumbers(seedA, true);
        uint256[FIELDS] memory b = anyNumbers(seedB, true);
        KillPolicy memory policy;
        policy.limits = Policies.fromNumbers(b);
        // Set as default first, so that it is allowed for the type; then the default moves.
        setDefault(policy);
        setPolicy(TYPE_WORD, policy, false);
        policy.limits = Policies.fromNumbers(a);
        setDefault(policy);
        policy.limits = effective().limits;
        policies.checkPolicy(policy);
        uint256[FIELDS] memory merged = Policies.toNumbers(policy.limits);
        for (uint256 i = 0; i < FIELDS; ++i) {
            uint256 side = Policies.tighterSide(i);
            if (side == 0) assertEq(merged[i], a[i]);
            if (side == 1) assertEq(merged[i], a[i] < b[i] ? a[i] : b[i]);
            if (side == 2) assertEq(merged[i], a[i] > b[i] ? a[i] : b[i]);
        }
        assertEq(Policies.toNumbers(effectiveOfOtherType().limits)[0], a[0]);
    }

    function test_type_documentsHoldBeside() public {
        KillPolicy memory policy = Policies.usual();
        policy.boundary = Policies.document(keccak256("default"), "https://a.test/default");
        setDefault(policy);
        assertEq(effective().boundaries.length, 1);
        policy.boundary = Policies.document(keccak256("type"), "https://a.test/type");
        policy.decisions = Policies.document(keccak256("bundle"), "https://a.test/bundle");
        setPolicy(TYPE_WORD, policy, false);
        EffectivePolicy memory found = effective();
        assertEq(found.boundaries.length, 2);
        assertEq(found.boundaries[0].hash, keccak256("default"));
        assertEq(found.boundaries[1].hash, keccak256("type"));
        assertEq(found.boundaries[1].uri, "https://a.test/type");
        assertEq(found.decisions.length, 1);
        assertEq(found.decisions[0].hash, keccak256("bundle"));
        assertEq(effectiveOfOtherType().boundaries.length, 1);
    }

    // ===== Admission

    function test_admission_ofALooserPolicy() public {
        KillPolicy memory policy = withField(0, 50);
        policy.boundary = Policies.document(keccak256("wide"), "https://a.test/wide");
        setPolicy(TYPE_WORD, policy, true);
        // Not for who merely chose the type.
        assertEq(Policies.toNumbers(effective().limits)[0], 10);
        assertEq(effective().boundaries.length, 0);
        require(!effective().admitted);

        expectFrom();
        emit KillPolicies.AgentAdmitted(agent, alice);
        admit(alice);
        require(effective().admitted);
        assertEq(Policies.toNumbers(effective().limits)[0], 50);
        assertEq(effective().boundaries[0].hash, keccak256("wide"));
        assertEq(policies.admittedOwnerOf(agent), alice);

        expectFrom();
        emit KillPolicies.AgentAdmitted(agent, address(0));
        vm.prank(governance);
        policies.dismiss(agent);
        assertEq(Policies.toNumbers(effective().limits)[0], 10);
    }

    /// @dev A policy that everybody of the type has is not loosened by an admission.
    function test_admission_changesNothingForATighterPolicy() public {
        setPolicy(TYPE_WORD, withField(0, 5), false);
        admit(alice);
        require(!effective().admitted);
        assertEq(Policies.toNumbers(effective().limits)[0], 5);
    }

    function test_admission_endsWithTheOwner() public {
        setPolicy(TYPE_WORD, withField(0, 50), true);
        admit(alice);
        transfer(alice, bob);
        assertEq(Policies.toNumbers(effective().limits)[0], 10);
    }

    /// @dev An admission names an owner, not a time: it holds again for an agent that comes back to that owner.
    function test_admission_holdsAgainForAnAgentThatComesBack() public {
        setPolicy(TYPE_WORD, withField(0, 50), true);
        admit(alice);
        transfer(alice, bob);
        require(!effective().admitted);
        setKey(bob, OTHER_KEY);
        requestResume(bob, Scope.Agent, bytes32(agent));
        resume(bob, Scope.Agent, bytes32(agent));
        skip(OWNER_COOLDOWN);
        transfer(bob, alice);
        require(effective().admitted);
        // `dismiss` is what ends it.
        vm.prank(governance);
        policies.dismiss(agent);
        require(!effective().admitted);
    }

    /// @dev Nor does it name a version: it holds for the policy by admission that its type has, whichever that is.
    function test_admission_outlivesThePolicy() public {
        setPolicy(TYPE_WORD, withField(0, 50), true);
        admit(alice);
        remove(TYPE_WORD);
        require(!effective().admitted);
        assertEq(Policies.toNumbers(effective().limits)[0], 10);
        setPolicy(TYPE_WORD, withField(0, 500), true);
        require(effective().admitted);
        assertEq(Policies.toNumbers(effective().limits)[0], 500);
    }

    /// @dev The owner that voters were told of is not the owner any more.
    function test_admission_ofASoldAgent() public {
        transfer(alice, bob);
        expectRevert(abi.encodeWithSelector(KillPolicies.OwnerChanged.selector, agent, bob, alice));
        admit(alice);
    }

    // ===== Versions and events

    function test_versions() public {
        assertVersions(1, 0);
        setDefault(withField(0, 3));
        assertVersions(2, 0);
        setPolicy(TYPE_WORD, withField(0, 3), false);
        setPolicy(TYPE_WORD, withField(0, 2), false);
        assertVersions(2, 2);
        expectFrom();
        emit KillPolicies.PolicyRemoved(TYPE_WORD, 3);
        remove(TYPE_WORD);
        assertVersions(2, 3);
        assertEq(Policies.toNumbers(effective().limits)[0], 3);
        expectRevert(abi.encodeWithSelector(KillPolicies.NoPolicy.selector, TYPE_WORD));
        remove(TYPE_WORD);
        expectRevert(abi.encodeWithSelector(KillPolicies.NoPolicy.selector, DEFAULT));
        remove(DEFAULT);
        setPolicy(TYPE_WORD, withField(0, 2), false);
        assertVersions(2, 4);
    }

    /// @dev Boundary trio of the version that a vote replaces, for each way to change a policy.
    function test_versions_ofWhatVotersSaw() public {
        setDefault(withField(0, 9));
        setPolicy(TYPE_WORD, withField(0, 8), false);
        setPolicy(TYPE_WORD, withField(0, 7), false);
        bytes32 before = keccak256(abi.encode(effective()));
        for (uint64 expected = 1; expected < 4; expected += 2) {
            expectVersionChanged(DEFAULT, 2, expected);
            setDefault(withField(0, 5), expected);
            expectVersionChanged(TYPE_WORD, 2, expected);
            setPolicy(TYPE_WORD, withField(0, 5), false, expected);
            expectVersionChanged(TYPE_WORD, 2, expected);
            remove(TYPE_WORD, expected);
        }
        expectVersionChanged("other", 0, 1);
        setPolicy("other", withField(0, 5), false, 1);
        assertEq(keccak256(abi.encode(effective())), before);
        setDefault(withField(0, 9), 2);
        setPolicy(TYPE_WORD, withField(0, 5), false, 2);
        remove(TYPE_WORD, 3);
        assertVersions(3, 4);
    }

    /// @dev Two votes that were drafted from the same version: the second does not undo the first.
    function test_versions_ofTwoVotesTheSecondIsRefused() public {
        uint64 seen = versionOf(DEFAULT);
        setDefault(withField(0, 3), seen);
        expectVersionChanged(DEFAULT, seen + 1, seen);
        setDefault(withField(4, 80), seen);
        assertEq(Policies.toNumbers(effective().limits)[0], 3);
        // A removed policy keeps counting, so a vote from before the removal does not bring it back.
        setPolicy(TYPE_WORD, withField(0, 2), false, 0);
        remove(TYPE_WORD, 1);
        expectVersionChanged(TYPE_WORD, 2, 1);
        setPolicy(TYPE_WORD, withField(0, 2), false, 1);
    }

    function test_policyOf_isWhatWasSet() public {
        KillPolicy memory policy = withField(0, 3);
        policy.decisions = Policies.document(keccak256("bundle"), "https://a.test/bundle");
        setPolicy(TYPE_WORD, policy, true);
        (KillPolicy memory found, uint64 version, bool exists, bool byAdmission) = policies.policyOf(
            TYPE_WORD
        );
        assertEq(keccak256(abi.encode(found)), keccak256(abi.encode(policy)));
        assertEq(version, 1);
        require(exists && byAdmission);
        (, , exists, ) = policies.policyOf("other");
        require(!exists);
    }

    function test_events_carryTheWholePolicy() public {
        KillPolicy memory policy = withField(0, 3);
        expectFrom();
        emit KillPolicies.PolicySet(TYPE_WORD, 1, 1, false, abi.encode(policy));
        setPolicy(TYPE_WORD, policy, false);
    }

    function test_constructor_emitsTheDefault() public {
        vm.recordLogs();
        new KillPolicies(killSwitch, Policies.usual());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1);
        assertEq(logs[0].topics[0], KillPolicies.PolicySet.selector);
        assertEq(logs[0].topics[1], DEFAULT);
        assertEq(
            keccak256(logs[0].data),
            keccak256(abi.encode(uint64(1), uint16(1), false, abi.encode(Policies.usual())))
        );
    }

    function test_effective_ofAnAgentWithoutTypeIsTheDefault() public {
        setPolicy(TYPE_WORD, withField(0, 3), false);
        vm.prank(bob);
        uint256 incomplete = killSwitch.register();
        EffectivePolicy memory found = policies.effectivePolicyOf(incomplete);
        assertEq(Policies.toNumbers(found.limits)[0], 10);
        assertEq(found.typeVersion, 0);
    }

    // ===== Helpers

    function setDefault(KillPolicy memory policy) private {
        setDefault(policy, versionOf(DEFAULT));
    }

    function setDefault(KillPolicy memory policy, uint64 expectedVersion) private {
        vm.prank(governance);
        policies.setDefault(policy, expectedVersion);
    }

    function setPolicy(bytes32 agentType, KillPolicy memory policy, bool byAdmission) private {
        setPolicy(agentType, policy, byAdmission, versionOf(agentType));
    }

    function setPolicy(
        bytes32 agentType,
        KillPolicy memory policy,
        bool byAdmission,
        uint64 expectedVersion
    ) private {
        vm.prank(governance);
        policies.setPolicy(agentType, policy, byAdmission, expectedVersion);
    }

    function remove(bytes32 agentType) private {
        remove(agentType, versionOf(agentType));
    }

    function remove(bytes32 agentType, uint64 expectedVersion) private {
        vm.prank(governance);
        policies.removePolicy(agentType, expectedVersion);
    }

    /// @dev Read without a call of its own, so that it may stand between an expectation and what it expects.
    function versionOf(bytes32 agentType) private view returns (uint64) {
        bytes32 slot = keccak256(abi.encode(agentType, 0));
        return uint64(uint256(vm.load(address(policies), slot)));
    }

    function expectVersionChanged(bytes32 agentType, uint64 version, uint64 expected) private {
        expectRevert(
            abi.encodeWithSelector(KillPolicies.VersionChanged.selector, agentType, version, expected)
        );
    }

    function admit(address owner) private {
        vm.prank(governance);
        policies.admit(agent, owner);
    }

    function withField(uint256 field, uint256 value) private pure returns (KillPolicy memory policy) {
        uint256[FIELDS] memory numbers = Policies.usualNumbers();
        numbers[field] = value;
        policy.limits = Policies.fromNumbers(numbers);
    }

    function refuse(bytes32 name, uint256 field, uint256 value) private {
        vm.prank(governance);
        try policies.setDefault(withField(field, value), versionOf(DEFAULT)) {
            revert("taken");
        } catch (bytes memory reason) {
            // solhint-disable-next-line no-inline-assembly
            assembly {
                mstore(add(reason, 4), sub(mload(reason), 4))
                reason := add(reason, 4)
            }
            (bytes32 what, uint256 found, , ) = abi.decode(reason, (bytes32, uint256, uint256, uint256));
            // A neighbour that must stay above or below may be named instead.
            if (what == name) assertEq(found, value);
            else require(field >= 5 && field != 7 && field != 8, "another field was blamed");
        }
    }

    function refuseLooser(KillPolicy memory policy) private {
        bytes32 before = keccak256(abi.encode(effective()));
        expectRevert(abi.encodeWithSelector(KillPolicies.LooserThanDefault.selector, TYPE_WORD));
        setPolicy(TYPE_WORD, policy, false);
        assertEq(keccak256(abi.encode(effective())), before);
    }

    function expectFrom() private {
        vm.expectEmit(true, true, true, true, address(policies));
    }

    function effective() private view returns (EffectivePolicy memory) {
        EffectivePolicy memory found = policies.effectivePolicyOf(agent);
        EffectivePolicy memory ofType = policies.effectivePolicyOfType(TYPE_WORD);
        if (!found.admitted) assertEq(keccak256(abi.encode(found)), keccak256(abi.encode(ofType)));
        return found;
    }

    function effectiveOfOtherType() private view returns (EffectivePolicy memory) {
        return policies.effectivePolicyOfType("other");
    }

    function assertVersions(uint64 ofDefault, uint64 ofType) private view {
        EffectivePolicy memory found = effective();
        assertEq(found.defaultVersion, ofDefault);
        assertEq(found.typeVersion, ofType);
    }

    /// @dev Numbers within their bounds, or now and then beyond them.
    function anyNumbers(uint256 seed, bool valid) private pure returns (uint256[FIELDS] memory numbers) {
        (, uint256[FIELDS] memory least, uint256[FIELDS] memory most) = Policies.bounds(MIN_COOLDOWN);
        for (uint256 i = 0; i < FIELDS; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            uint256 low = least[i];
            uint256 high = most[i];
            if (i == 6) low = numbers[5];
            if (i == 9) low = 1 minutes;
            if (i == 10) high = numbers[9];
            if (i == 11) low = numbers[9];
            if (i > 12) low = numbers[i - 1] + 1;
            if (i > 11) high = 1000 - (15 - i);
            // Rarely, or hardly any would be whole.
            bool beyond = !valid && word % 40 == 0;
            numbers[i] = beyond ? (word >> 8) % 200_000 : bound(word >> 8, low, high < low ? low : high);
        }
    }
}
