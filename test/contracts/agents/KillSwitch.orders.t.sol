// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {KillOrder, Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {RefusingDelegate, SmartWallet} from "../support/Wallets.sol";

contract KillSwitchOrdersTest is KillSwitchTest {
    // ===== Landing

    function test_killBySig_writesEventWithDigest() public {
        KillOrder memory order = orderOfAlice(1);
        bytes32 digest = killSwitch.orderDigest(order);
        bytes memory signature = sign(ALICE_KEY, digest);
        uint48 before = killSwitch.sequence();
        expectEmit();
        emit IKillSwitch.Killed(
            Scope.Agent,
            bytes32(agent),
            alice,
            Rank.Owner,
            COMPROMISED,
            before + 1,
            digest,
            "leaked key"
        );
        vm.prank(mallory);
        assertEq(killSwitch.killBySig(order, signature), before + 1);
        assertEq(killSwitch.nonceOf(alice, 1), before + 1);
        assertEq(killSwitch.nonceOf(alice, 2), 0);
        assertKilled();
    }

    function test_orderDigest_isEip712() public view {
        KillOrder memory order = orderOfAlice(9);
        bytes32 typeHash = keccak256(
            "KillOrder(address authority,uint8 scope,bytes32 subject,uint16 reason,string text,uint64 issuedAt,uint64 deadline,uint256 nonce)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                typeHash,
                order.authority,
                uint8(order.scope),
                order.subject,
                order.reason,
                keccak256(bytes(order.text)),
                order.issuedAt,
                order.deadline,
                order.nonce
            )
        );
        assertEq(
            killSwitch.orderDigest(order),
            typedDataDigest("KillSwitch", address(killSwitch), structHash)
        );
    }

    function test_killBySig_anyRankAndScope() public {
        land(GUARDIAN_KEY, orderBy(guardian, Scope.Owner, subjectOf(alice), 1));
        land(BREAKER_KEY, orderBy(breaker, Scope.Agent, bytes32(agent), 1));
        land(COUNCIL_KEY, orderBy(council, Scope.AgentType, TYPE_WORD, 1));
        land(EMERGENCY_KEY, orderBy(emergencyGovernor, Scope.Fleet, FLEET, 1));
        assertEq(killSwitch.stateOf(Scope.Owner, subjectOf(alice)).rank, Rank.Owner);
        assertEq(killSwitch.stateOf(Scope.Agent, bytes32(agent)).rank, Rank.Breaker);
        assertEq(killSwitch.stateOf(Scope.AgentType, TYPE_WORD).rank, Rank.Council);
        assertEq(killSwitch.stateOf(Scope.Fleet, FLEET).rank, Rank.Governance);
    }

    function test_killBySig_identicalOrderIsAnsweredWithItsSequence() public {
        KillOrder memory order = orderOfAlice(1);
        uint48 sequence = land(ALICE_KEY, order);
        killAgent(guardian);
        uint48 before = killSwitch.sequence();
        // Whatever the time, and whatever stands in the place of the signature.
        skip(2 days);
        assertEq(killSwitch.killBySig(order, ""), sequence);
        assertEq(killSwitch.sequence(), before);
    }

    function test_killBySig_identicalOrderDoesNotKillAgainAfterAResume() public {
        KillOrder memory order = orderOfAlice(1);
        land(ALICE_KEY, order);
        lift(alice, Scope.Agent, bytes32(agent));
        land(ALICE_KEY, order);
        assertAlive();
    }

    function test_killBySig_nonceOfAnotherOrder() public {
        land(ALICE_KEY, orderOfAlice(1));
        KillOrder memory other = orderOfAlice(1);
        other.text = "another";
        bytes memory signature = signOrder(ALICE_KEY, other);
        expectNonceUsed(other);
        killSwitch.killBySig(other, signature);
        // The same nonce of another authority is another nonce.
        land(GUARDIAN_KEY, orderBy(guardian, Scope.Agent, bytes32(agent), 1));
    }

    function testFuzz_killBySig_noncesAreUnordered(uint256 first, uint256 second) public {
        vm.assume(first != second);
        land(ALICE_KEY, orderOfAlice(first));
        uint48 sequence = land(ALICE_KEY, orderOfAlice(second));
        assertEq(killSwitch.sequence(), sequence);
        KillOrder memory other = orderOfAlice(first);
        other.reason = 99;
        bytes memory signature = signOrder(ALICE_KEY, other);
        expectNonceUsed(other);
        killSwitch.killBySig(other, signature);
    }

    function test_emergencyKillBySig_onlyScopeOwner() public {
        KillOrder memory order = orderOfAlice(1);
        bytes memory signature = signOrder(ALICE_KEY, order);
        expectRevert(abi.encodeWithSelector(IKillSwitch.WrongScope.selector, Scope.Agent, Scope.Owner));
        killSwitch.emergencyKillBySig(order, signature);

        order = orderBy(alice, Scope.Owner, subjectOf(alice), 1);
        signature = signOrder(ALICE_KEY, order);
        uint48 sequence = killSwitch.emergencyKillBySig(order, signature);
        assertEq(killSwitch.stateOf(Scope.Owner, subjectOf(alice)).killedAt, sequence);
        assertEq(killSwitch.killBySig(order, signature), sequence);
        assertKilled();
    }

    function test_killBySig_sameRulesAsKill() public {
        KillOrder memory order = orderOfAlice(1);
        order.reason = TRANSFERRED;
        refuse(ALICE_KEY, order, abi.encodeWithSelector(IKillSwitch.ReservedReason.selector, TRANSFERRED));
        order = orderOfAlice(1);
        order.text = string(new bytes(257));
        refuse(ALICE_KEY, order, abi.encodeWithSelector(IKillSwitch.TextTooLong.selector, 257));
        order = orderBy(council, Scope.Fleet, TYPE_WORD, 1);
        refuse(
            COUNCIL_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, Scope.Fleet, TYPE_WORD)
        );
        order = orderBy(council, Scope.Agent, bytes32(agent ^ 1), 1);
        refuse(COUNCIL_KEY, order, abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1));
        order = orderBy(breaker, Scope.Owner, subjectOf(alice), 1);
        refuse(
            BREAKER_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.NotAuthorized.selector, breaker, Scope.Owner, subjectOf(alice))
        );
    }

    // ===== Times

    function test_killBySig_deadlineBoundary() public {
        KillOrder memory order = orderOfAlice(1);
        KillOrder memory second = orderOfAlice(2);
        vm.warp(order.deadline - 1);
        land(ALICE_KEY, order);
        vm.warp(order.deadline);
        land(ALICE_KEY, second);
        KillOrder memory third = orderOfAlice(3);
        third.issuedAt = order.issuedAt;
        third.deadline = order.deadline;
        vm.warp(order.deadline + 1);
        refuse(
            ALICE_KEY,
            third,
            abi.encodeWithSelector(
                IKillSwitch.OrderExpired.selector,
                order.deadline,
                uint256(order.deadline) + 1
            )
        );
    }

    function test_killBySig_issuedAtSkewBoundary() public {
        for (uint64 ahead = 59; ahead <= 60; ++ahead) {
            KillOrder memory order = orderOfAlice(ahead);
            order.issuedAt += ahead;
            land(ALICE_KEY, order);
        }
        KillOrder memory late = orderOfAlice(61);
        late.issuedAt += 61;
        refuseTimes(late);
    }

    function test_killBySig_lifeBoundaries() public {
        KillOrder memory order = orderOfAlice(1);
        order.deadline = order.issuedAt + 1 days - 1;
        land(ALICE_KEY, order);
        order = orderOfAlice(2);
        order.deadline = order.issuedAt + 1 days;
        land(ALICE_KEY, order);
        order = orderOfAlice(3);
        order.deadline = order.issuedAt + 1 days + 1;
        refuseTimes(order);

        order.deadline = order.issuedAt + 1;
        land(ALICE_KEY, order);
        order = orderOfAlice(4);
        order.deadline = order.issuedAt;
        refuseTimes(order);
        order.deadline = order.issuedAt - 1;
        refuseTimes(order);
        order.deadline = type(uint64).max;
        refuseTimes(order);
    }

    function test_killBySig_afterAResume() public {
        killAgent(alice);
        skip(10);
        uint64 requestTime = uint64(time());
        lift(alice, Scope.Agent, bytes32(agent));

        KillOrder memory order = orderOfAlice(1);
        order.issuedAt = requestTime - 1;
        order.deadline = order.issuedAt + 1 days;
        refuse(
            ALICE_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.OrderSuperseded.selector, requestTime - 1, uint40(requestTime))
        );
        order.issuedAt = requestTime;
        land(ALICE_KEY, order);
        order.issuedAt = requestTime + 1;
        order.nonce = 2;
        land(ALICE_KEY, order);
        assertKilled();
    }

    function test_killBySig_resumeOfAnotherSubjectSupersedesNothing() public {
        KillOrder memory order = orderOfAlice(1);
        order.deadline = order.issuedAt + 1 days;
        skip(10);
        killWallet(alice, alice);
        lift(alice, Scope.Owner, subjectOf(alice));
        land(ALICE_KEY, order);
        assertKilled();
    }

    // ===== Signatures

    function test_killBySig_signatureOfAnother() public {
        KillOrder memory order = orderOfAlice(1);
        bytes32 digest = killSwitch.orderDigest(order);
        refuse(
            MALLORY_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.InvalidSignature.selector, alice, digest)
        );
    }

    function test_killBySig_everyFieldIsSigned() public {
        bytes memory signature = signOrder(ALICE_KEY, orderOfAlice(1));
        uint256 second = register(alice, "2");
        for (uint256 i = 0; i < 8; ++i) {
            KillOrder memory order = orderOfAlice(1);
            if (i == 0) order.authority = guardian;
            if (i == 1) (order.scope, order.subject) = (Scope.Owner, subjectOf(alice));
            if (i == 2) order.subject = bytes32(second);
            if (i == 3) order.reason = 2;
            if (i == 4) order.text = "";
            if (i == 5) order.issuedAt += 1;
            if (i == 6) order.deadline += 1;
            if (i == 7) order.nonce = 2;
            bytes memory error_ = abi.encodeWithSelector(
                IKillSwitch.InvalidSignature.selector,
                order.authority,
                killSwitch.orderDigest(order)
            );
            expectRevert(error_);
            killSwitch.killBySig(order, signature);
        }
        assertAlive();
    }

    function test_killBySig_malformedSignatures() public {
        KillOrder memory order = orderOfAlice(1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ALICE_KEY, killSwitch.orderDigest(order));
        bytes32 order_ = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes[4] memory malformed = [
            bytes(""),
            abi.encodePacked(r, s),
            abi.encodePacked(r, s, v, v),
            // The other signature of the same message (ECDSA is malleable).
            abi.encodePacked(r, bytes32(uint256(order_) - uint256(s)), v == 27 ? 28 : 27)
        ];
        bytes memory error_ = abi.encodeWithSelector(
            IKillSwitch.InvalidSignature.selector,
            alice,
            killSwitch.orderDigest(order)
        );
        for (uint256 i = 0; i < malformed.length; ++i) {
            expectRevert(error_);
            killSwitch.killBySig(order, malformed[i]);
        }
    }

    function test_killBySig_zeroAuthority() public {
        KillOrder memory order = orderBy(address(0), Scope.Agent, bytes32(agent), 1);
        expectNotAuthorized(address(0), Scope.Agent, bytes32(agent));
        killSwitch.killBySig(order, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function test_killBySig_ofAnotherDeploymentOrChain() public {
        KillOrder memory order = orderOfAlice(1);
        bytes memory signature = signOrder(ALICE_KEY, order);
        vm.chainId(424_242);
        bytes memory error_ = abi.encodeWithSelector(
            IKillSwitch.InvalidSignature.selector,
            alice,
            killSwitch.orderDigest(order)
        );
        expectRevert(error_);
        killSwitch.killBySig(order, signature);
    }

    function test_killBySig_erc1271Wallet() public {
        address wallet = address(new SmartWallet(bob));
        agent = register(wallet, "1");
        KillOrder memory order = orderBy(wallet, Scope.Owner, subjectOf(wallet), 1);
        bytes32 digest = killSwitch.orderDigest(order);
        refuse(
            MALLORY_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.InvalidSignature.selector, wallet, digest)
        );
        land(BOB_KEY, order);
        assertKilled();
    }

    function test_killBySig_eip7702AccountKeepsItsEcdsaKill() public {
        vm.etch(alice, address(new RefusingDelegate()).code);
        land(ALICE_KEY, orderOfAlice(1));
        assertKilled();
    }

    function test_killBySig_eip7702AccountWithADelegationKeepsItsEcdsaKill() public {
        vm.etch(alice, abi.encodePacked(hex"ef0100", address(new RefusingDelegate())));
        land(ALICE_KEY, orderOfAlice(1));
        assertKilled();
    }

    function test_killBySig_eip7702AccountWithoutErc1271RefusesOthersCleanly() public {
        KillOrder memory order = orderOfAlice(1);
        vm.etch(alice, hex"00");
        bytes32 digest = killSwitch.orderDigest(order);
        refuse(
            MALLORY_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.InvalidSignature.selector, alice, digest)
        );
    }

    // ===== Burning

    function test_burnOrder_effectiveAtBoundary() public {
        KillOrder memory order = orderBy(guardian, Scope.Agent, bytes32(agent), 1);
        order.deadline = order.issuedAt + 1 days;
        KillOrder memory second = orderBy(guardian, Scope.Agent, bytes32(agent), 2);
        second.deadline = order.deadline;
        KillOrder memory third = orderBy(guardian, Scope.Agent, bytes32(agent), 3);
        third.deadline = order.deadline;
        bytes32 digest = killSwitch.orderDigest(order);
        uint40 effectiveAt = uint40(START + OWNER_COOLDOWN);
        expectEmit();
        emit IKillSwitch.OrderBurned(guardian, 1, digest, alice, effectiveAt);
        burn(alice, order);
        burn(alice, second);
        burn(alice, third);
        assertEq(killSwitch.burntFrom(digest), effectiveAt);
        assertEq(killSwitch.nonceOf(guardian, 1), 0);

        vm.warp(effectiveAt - 1);
        land(GUARDIAN_KEY, order);
        vm.warp(effectiveAt);
        bytes memory signature = signOrder(GUARDIAN_KEY, second);
        expectNonceUsed(second);
        killSwitch.killBySig(second, signature);
        vm.warp(effectiveAt + 1);
        signature = signOrder(GUARDIAN_KEY, third);
        expectNonceUsed(third);
        killSwitch.killBySig(third, signature);
        // What had landed is still answered.
        land(GUARDIAN_KEY, order);
    }

    function test_burnOrder_landedOrBurntAlready() public {
        KillOrder memory order = orderOfAlice(1);
        land(ALICE_KEY, order);
        expectNonceUsed(order);
        burn(alice, order);
        // Its nonce has landed, so this one cannot land any more.
        order.text = "another";
        expectNonceUsed(order);
        burn(alice, order);

        order = orderOfAlice(2);
        burn(alice, order);
        skip(OWNER_COOLDOWN / 2);
        expectNonceUsed(order);
        burn(alice, order);
    }

    function test_burnOrder_ranks() public {
        KillOrder memory ofBreaker = orderBy(breaker, Scope.Agent, bytes32(agent), 1);
        KillOrder memory ofCouncil = orderBy(council, Scope.Agent, bytes32(agent), 1);
        KillOrder memory ofEmergency = orderBy(emergencyGovernor, Scope.Agent, bytes32(agent), 1);
        expectRankTooLow(breaker, Rank.None, Rank.Owner);
        burn(breaker, ofBreaker);
        expectRankTooLow(guardian, Rank.None, Rank.Owner);
        burn(guardian, ofBreaker);
        expectRankTooLow(alice, Rank.Owner, Rank.Council);
        burn(alice, ofCouncil);
        expectRankTooLow(council, Rank.Council, Rank.Governance);
        burn(council, ofEmergency);

        // A breaker's order takes the cool-down of the rank that may burn it.
        assertBurn(alice, ofBreaker, OWNER_COOLDOWN);
        assertBurn(council, ofCouncil, COUNCIL_COOLDOWN);
        assertBurn(governance, ofEmergency, GOVERNANCE_COOLDOWN);
    }

    function test_burnOrder_ofAnAuthorityWithoutPowerNeedsRankOwner() public {
        KillOrder memory order = orderBy(mallory, Scope.Agent, bytes32(agent), 1);
        expectRankTooLow(mallory, Rank.None, Rank.Owner);
        burn(mallory, order);
        assertBurn(alice, order, OWNER_COOLDOWN);
    }

    function test_burnOrder_invalidSubject() public {
        KillOrder memory order = orderBy(council, Scope.Fleet, TYPE_WORD, 1);
        expectRevert(abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, Scope.Fleet, TYPE_WORD));
        burn(council, order);
        order = orderBy(council, Scope.Agent, bytes32(agent ^ 1), 1);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1));
        burn(council, order);
    }

    /// @dev Bob makes up an order of Alice's over his own agent, with the nonce of her real one.
    function test_burnOrder_ofAMadeUpOrderLeavesTheRealOne() public {
        KillOrder memory real = orderOfAlice(1);
        real.deadline = real.issuedAt + 1 days;
        uint256 bobs = register(bob, "1");
        burn(bob, orderBy(alice, Scope.Agent, bytes32(bobs), 1));
        burn(bob, orderBy(alice, Scope.Owner, subjectOf(bob), 1));
        skip(OWNER_COOLDOWN + 1);
        land(ALICE_KEY, real);
        assertKilled();
    }

    /// @dev ... nor does it keep Alice from burning the real order of her guardian.
    function test_burnOrder_ofAMadeUpOrderDoesNotBlockTheRealBurn() public {
        KillOrder memory real = orderBy(guardian, Scope.Agent, bytes32(agent), 1);
        uint256 bobs = register(bob, "1");
        burn(bob, orderBy(guardian, Scope.Agent, bytes32(bobs), 1));
        assertBurn(alice, real, OWNER_COOLDOWN);
    }

    // ===== Attacks

    function test_attack_formerOwnersOrder() public {
        KillOrder memory order = orderOfAlice(1);
        order.deadline = order.issuedAt + 1 days;
        transfer(alice, bob);
        setKey(bob, OTHER_KEY);
        requestResume(bob, Scope.Agent, bytes32(agent));
        resume(bob, Scope.Agent, bytes32(agent));
        refuse(
            ALICE_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.NotAuthorized.selector, alice, Scope.Agent, bytes32(agent))
        );
        assertAlive();
    }

    function test_attack_dismissedGuardiansOrder() public {
        KillOrder memory order = orderBy(guardian, Scope.Agent, bytes32(agent), 1);
        order.deadline = order.issuedAt + 1 days;
        vm.prank(alice);
        killSwitch.dismissGuardian(guardian);
        skip(OWNER_COOLDOWN);
        refuse(
            GUARDIAN_KEY,
            order,
            abi.encodeWithSelector(IKillSwitch.NotAuthorized.selector, guardian, Scope.Agent, bytes32(agent))
        );
    }

    function testFuzz_killBySig_onlyWithinItsTimes(uint64 issuedAt, uint64 deadline) public {
        KillOrder memory order = orderOfAlice(1);
        order.issuedAt = uint64(bound(issuedAt, START - 2 days, START + 120));
        order.deadline = uint64(bound(deadline, START - 2 days, START + 2 days));
        bool timely =
            order.issuedAt <= START + 60 &&
                order.deadline > order.issuedAt &&
                order.deadline - order.issuedAt <= 1 days &&
                order.deadline >= START;
        bytes memory signature = signOrder(ALICE_KEY, order);
        try killSwitch.killBySig(order, signature) {
            require(timely, "landed out of time");
        } catch {
            require(!timely, "refused in time");
        }
    }

    function burn(address account, KillOrder memory order) private {
        vm.prank(account);
        killSwitch.burnOrder(order);
    }

    function assertBurn(address account, KillOrder memory order, uint32 cooldown) private {
        burn(account, order);
        assertEq(killSwitch.burntFrom(killSwitch.orderDigest(order)), time() + cooldown);
    }

    function refuse(uint256 key, KillOrder memory order, bytes memory error_) private {
        bytes memory signature = signOrder(key, order);
        expectRevert(error_);
        killSwitch.killBySig(order, signature);
    }

    function refuseTimes(KillOrder memory order) private {
        bytes memory error_ = abi.encodeWithSelector(
            IKillSwitch.InvalidOrderTimes.selector,
            order.issuedAt,
            order.deadline,
            time()
        );
        refuse(ALICE_KEY, order, error_);
    }
}
