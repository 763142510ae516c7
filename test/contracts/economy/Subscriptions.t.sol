// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {VotesExtended} from "@openzeppelin/contracts/governance/utils/VotesExtended.sol";
import {Subscriptions} from "../../../contracts/economy/Subscriptions.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Bounds} from "../../../contracts/libraries/Bounds.sol";
import {KillswitchToken} from "../../../contracts/token/KillswitchToken.sol";
import {BasisPoints, Count, Duration} from "../../../contracts/types/Units.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

/// @notice A currency of which anyone gets some.
contract Currency is ERC20("Currency", "CUR") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}

/// @notice Plans, quotas, discounts and what would-be cheats make of them.
contract SubscriptionsTest is KillSwitchTest {
    uint32 private constant INTERVAL = 5 days;
    uint8 private constant SAMPLES = 6;
    uint32 private constant PERIOD = 30 days;
    uint128 private constant PRICE = 100 ether;
    uint16 private constant SMALL = 1;
    uint16 private constant LARGE = 2;
    uint32 private constant FREE = 3;

    KillswitchToken private token;
    Currency private currency;
    Subscriptions private subscriptions;

    function setUp() public override {
        super.setUp();
        token = new KillswitchToken(address(this), 1_000_000 ether);
        currency = new Currency();
        subscriptions = deploy(INTERVAL, SAMPLES, FREE, 1 days);
        setPlan(SMALL, PRICE, PERIOD, 10);
        setPlan(LARGE, PRICE * 4, PERIOD, 100);
        Subscriptions.Discount[] memory discounts = new Subscriptions.Discount[](2);
        discounts[0] = Subscriptions.Discount({balance: 1000 ether, discount: BasisPoints.wrap(1000)});
        discounts[1] = Subscriptions.Discount({balance: 10_000 ether, discount: BasisPoints.wrap(2500)});
        vm.prank(governance);
        subscriptions.setDiscounts(discounts);
        currency.mint(alice, 1e6 ether);
        vm.prank(alice);
        currency.approve(address(subscriptions), type(uint256).max);
    }

    // ===== Quotas

    function test_quota_whileItIsPaid() public {
        assertEq(quota(alice), FREE);
        uint256 until = time() + PERIOD;
        vm.expectEmit(true, true, true, true, address(subscriptions));
        emit Subscriptions.Subscribed(alice, SMALL, Count.wrap(10), uint40(until), PRICE);
        assertEq(subscribe(SMALL, 1, PRICE), until);
        assertEq(currency.balanceOf(governance), PRICE);
        assertEq(currency.balanceOf(address(subscriptions)), 0);
        vm.warp(until - 1);
        assertEq(quota(alice), 10);
        vm.warp(until);
        assertEq(quota(alice), FREE);
        vm.warp(until + 1);
        assertEq(quota(alice), FREE);
    }

    function test_quota_isWhatWasBought() public {
        subscribe(SMALL, 1, PRICE);
        setPlan(SMALL, PRICE * 2, PERIOD, 1);
        assertEq(quota(alice), 10);
    }

    function test_subscribe_prolongsTheSameTerms() public {
        uint256 until = time() + PERIOD;
        subscribe(SMALL, 1, PRICE);
        skip(PERIOD / 2);
        assertEq(subscribe(SMALL, 2, PRICE * 2), until + 2 * PERIOD);
        skip(5 * PERIOD);
        assertEq(subscribe(SMALL, 1, PRICE), time() + PERIOD);
    }

    function test_subscribe_anotherPlanTakesOffWhatIsLeft() public {
        subscribe(SMALL, 2, PRICE * 2);
        skip(PERIOD / 2);
        uint256 cost = PRICE * 4 - (PRICE * 3) / 2;
        assertEq(subscriptions.costOf(alice, LARGE, 1), cost);
        assertEq(subscribe(LARGE, 1, cost), time() + PERIOD);
        assertEq(quota(alice), 100);
        assertEq(currency.balanceOf(governance), PRICE * 2 + cost);
    }

    function test_subscribe_anotherPlanMustUseUpWhatIsLeft() public {
        subscribe(SMALL, 5, PRICE * 5);
        expectRevert(abi.encodeWithSelector(Subscriptions.CreditLeft.selector, PRICE * 5, PRICE * 4));
        subscribe(LARGE, 1, PRICE * 4);
        assertEq(subscribe(LARGE, 2, PRICE * 3), time() + 2 * PERIOD);
    }

    /// @dev A large quota bought to be filled, then exchanged for a small one: places stay, so the money does too.
    function test_subscribe_noSmallerQuotaBeforeTheLargerIsOver() public {
        uint256 until = subscribe(LARGE, 1, PRICE * 4);
        uint256[2] memory times = [time() + 1, until - 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(times[i]);
            expectSmallerQuota(SMALL, 10, 100, until);
            subscribe(SMALL, 4, PRICE * 4);
            assertEq(quota(alice), 100);
        }
        vm.warp(until);
        assertEq(subscribe(SMALL, 1, PRICE), until + PERIOD);
        assertEq(quota(alice), 10);
    }

    /// @dev Also where a vote made the plan smaller that was bought.
    function test_subscribe_noSmallerQuotaOfTheSamePlan() public {
        uint256 until = subscribe(SMALL, 1, PRICE);
        setPlan(SMALL, PRICE, PERIOD, 9);
        expectSmallerQuota(SMALL, 9, 10, until);
        subscribe(SMALL, 1, PRICE);
        setPlan(SMALL, PRICE, PERIOD, 11);
        assertEq(subscriptions.costOf(alice, SMALL, 1), 0);
    }

    /// @dev Time that was bought cheaply is not worth more because the plan became dear.
    function test_subscribe_aRaisedPriceMakesNoCredit() public {
        subscribe(SMALL, 10, PRICE * 10);
        setPlan(SMALL, PRICE * 100, PERIOD, 10);
        assertEq(subscriptions.costOf(alice, SMALL, 1), PRICE * 90);
        subscribe(SMALL, 1, PRICE * 90);
        assertEq(subscriptions.subscriptionOf(alice).paidUntil, time() + PERIOD);
        // All that was ever paid is what is left.
        setPlan(LARGE, PRICE * 1000, PERIOD, 100);
        assertEq(subscriptions.costOf(alice, LARGE, 1), PRICE * 900);
    }

    /// @dev What was paid for is never worth more than was paid, whatever is bought when.
    function testFuzz_subscribe_makesNoMoney(uint256 seed) public {
        uint256 worth;
        for (uint256 i = 0; i < 6; ++i) {
            uint256 word = uint256(keccak256(abi.encode(seed, i)));
            if (word % 3 == 0) setPlan(SMALL, uint128(bound(word >> 16, 1, 500 ether)), PERIOD, 10);
            skip((word >> 8) % (2 * PERIOD));
            uint16 plan = word % 2 == 0 ? SMALL : LARGE;
            uint256 before = currency.balanceOf(alice);
            vm.prank(alice);
            try subscriptions.subscribe(plan, uint16(1 + ((word >> 64) % 5)), type(uint256).max) {} catch {}
            worth += before - currency.balanceOf(alice);
            Subscriptions.Subscription memory now_ = subscriptions.subscriptionOf(alice);
            uint256 ahead = now_.paidUntil > time() ? now_.paidUntil - time() : 0;
            uint256 left =
                Duration.unwrap(now_.period) == 0 ? 0 : (now_.price * ahead) / Duration.unwrap(now_.period);
            require(left <= worth, "more is left than was paid");
        }
    }

    function test_subscribe_refusals() public {
        expectRevert(abi.encodeWithSelector(Subscriptions.NotOffered.selector, 3));
        subscribe(3, 1, PRICE);
        expectRevert(abi.encodeWithSelector(Subscriptions.TooExpensive.selector, PRICE, PRICE - 1));
        subscribe(SMALL, 1, PRICE - 1);
        expectRevert(outOfBounds("periods", 0, 1, type(uint16).max));
        subscribe(SMALL, 0, PRICE);
        uint256 most = 3 * 366 days;
        expectRevert(outOfBounds("paidAhead", 37 * uint256(PERIOD), 1, most));
        subscribe(SMALL, 37, PRICE * 37);
        subscribe(SMALL, 36, PRICE * 36);
        vm.prank(governance);
        subscriptions.setPlan(
            SMALL,
            Subscriptions.Plan({
                price: PRICE,
                period: Duration.wrap(PERIOD),
                agentQuota: Count.wrap(10),
                offered: false
            })
        );
        expectRevert(abi.encodeWithSelector(Subscriptions.NotOffered.selector, SMALL));
        subscribe(SMALL, 1, PRICE);
    }

    // ===== Discounts

    function test_discount_ofAHolder() public {
        token.transfer(alice, 10_000 ether);
        skip(INTERVAL * SAMPLES + 1);
        assertEq(discount(alice), 2500);
        assertEq(subscriptions.costOf(alice, SMALL, 2), (PRICE * 2 * 3) / 4);
        subscribe(SMALL, 1, (PRICE * 3) / 4);
        assertEq(currency.balanceOf(governance), (PRICE * 3) / 4);
    }

    function test_discount_boundary() public {
        address[3] memory holders = [address(0xd1), address(0xd2), address(0xd3)];
        for (uint256 i = 0; i < 3; ++i) token.transfer(holders[i], 1000 ether - 1 + i);
        skip(INTERVAL * SAMPLES + 1);
        assertEq(discount(holders[0]), 0);
        assertEq(discount(holders[1]), 1000);
        assertEq(discount(holders[2]), 1000);
    }

    /// @dev Everything there is, but only now.
    function test_discount_aPurchaseOfTheLastMinuteBuysNothing() public {
        token.transfer(alice, 1_000_000 ether);
        assertEq(discount(alice), 0);
        // Nor after all but one of the times that count.
        skip(INTERVAL * (SAMPLES - 1));
        assertEq(subscriptions.heldBalanceOf(alice), 0);
        assertEq(discount(alice), 0);
    }

    /// @dev Lent in the very seconds that count, and returned in them.
    function test_discount_aFlashLoanBuysNothing() public {
        for (uint256 i = 0; i <= SAMPLES; ++i) {
            vm.warp((time() / INTERVAL + 1) * INTERVAL);
            token.transfer(alice, 1_000_000 ether);
            assertEq(discount(alice), 0);
            vm.prank(alice);
            token.transfer(address(this), 1_000_000 ether);
        }
        skip(1);
        assertEq(subscriptions.heldBalanceOf(alice), 0);
        assertEq(discount(alice), 0);
    }

    /// @dev The least counts: one gap costs the whole of it, until it is past.
    function test_discount_theLeastBalanceCounts() public {
        token.transfer(alice, 20_000 ether);
        skip(INTERVAL * SAMPLES + 1);
        assertEq(discount(alice), 2500);
        vm.prank(alice);
        token.transfer(address(this), 19_000 ether);
        skip(INTERVAL);
        token.transfer(alice, 19_000 ether);
        assertEq(discount(alice), 1000);
        assertEq(subscriptions.heldBalanceOf(alice), 1000 ether);
        skip(INTERVAL * (SAMPLES - 1));
        assertEq(discount(alice), 1000);
        skip(INTERVAL);
        assertEq(discount(alice), 2500);
    }

    /// @dev Passed back and forth so that each of two wallets holds the tokens whenever its own purchase, minus whole
    /// intervals, would look. The times that count are everybody's, so only one of them gets a discount for them.
    function testFuzz_discount_theSameTokensCountOnce(uint256 start, uint256 offset) public {
        start = bound(start, 1, INTERVAL);
        offset = bound(offset, 1, INTERVAL - 1);
        address first = address(0xd1);
        address second = address(0xd2);
        skip(start);
        token.transfer(second, 10_000 ether);
        for (uint256 i = 0; i <= SAMPLES; ++i) {
            vm.prank(second);
            token.transfer(first, 10_000 ether);
            skip(offset);
            vm.prank(first);
            token.transfer(second, 10_000 ether);
            skip(INTERVAL - offset);
        }
        vm.prank(second);
        token.transfer(first, 10_000 ether);
        skip(1);
        uint256 counted = subscriptions.heldBalanceOf(first);
        vm.prank(first);
        token.transfer(second, 10_000 ether);
        skip(offset);
        counted += subscriptions.heldBalanceOf(second);
        require(counted <= 10_000 ether, "counted twice");
    }

    function test_discount_hasNothingToDoWithDelegation() public {
        token.transfer(alice, 10_000 ether);
        vm.prank(alice);
        token.delegate(bob);
        skip(INTERVAL * SAMPLES + 1);
        assertEq(discount(alice), 2500);
        assertEq(discount(bob), 0);
    }

    // ===== Settings

    function test_settings_onlyGovernance() public {
        Subscriptions.Plan memory plan;
        bytes[4] memory calls = [
            abi.encodeCall(Subscriptions.setPlan, (SMALL, plan)),
            abi.encodeCall(Subscriptions.setDiscounts, (new Subscriptions.Discount[](0))),
            abi.encodeCall(
                Subscriptions.setSampling,
                (Subscriptions.Sampling({interval: Duration.wrap(INTERVAL), samples: SAMPLES}))
            ),
            abi.encodeCall(Subscriptions.setFreeQuota, (Count.wrap(1)))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(alice);
            // solhint-disable-next-line avoid-low-level-calls
            (bool success, bytes memory result) = address(subscriptions).call(calls[i]);
            require(!success);
            assertEq(
                keccak256(result),
                keccak256(abi.encodeWithSelector(IKillSwitch.NotGovernance.selector, alice))
            );
        }
    }

    function test_bounds_plan() public {
        setPlan(SMALL, 1, 1, 1);
        setPlan(type(uint16).max, type(uint96).max, 366 days, 10_000_000);
        refusePlan(0, 1, 1, 1, outOfBounds("planId", 0, 1, type(uint16).max));
        refusePlan(1, 0, 1, 1, outOfBounds("price", 0, 1, type(uint96).max));
        refusePlan(1, uint128(1) << 96, 1, 1, outOfBounds("price", 1 << 96, 1, type(uint96).max));
        refusePlan(1, 1, 0, 1, outOfBounds("period", 0, 1, 366 days));
        refusePlan(1, 1, 366 days + 1, 1, outOfBounds("period", 366 days + 1, 1, 366 days));
        refusePlan(1, 1, 1, 0, outOfBounds("agentQuota", 0, 1, 10_000_000));
        refusePlan(1, 1, 1, 10_000_001, outOfBounds("agentQuota", 10_000_001, 1, 10_000_000));
    }

    function test_bounds_discounts() public {
        refuseDiscount(0, 1, outOfBounds("discountBalance", 0, 1, type(uint208).max));
        refuseDiscount(1, 0, outOfBounds("discount", 0, 1, 5000));
        refuseDiscount(1, 5001, outOfBounds("discount", 5001, 1, 5000));
        Subscriptions.Discount[] memory many = new Subscriptions.Discount[](9);
        expectRevert(outOfBounds("discounts", 9, 0, 8));
        vm.prank(governance);
        subscriptions.setDiscounts(many);
        many = new Subscriptions.Discount[](2);
        many[0] = Subscriptions.Discount({balance: 10, discount: BasisPoints.wrap(100)});
        many[1] = Subscriptions.Discount({balance: 20, discount: BasisPoints.wrap(100)});
        expectRevert(abi.encodeWithSelector(Subscriptions.DiscountsUnordered.selector, 1));
        vm.prank(governance);
        subscriptions.setDiscounts(many);
        many[1] = Subscriptions.Discount({balance: 10, discount: BasisPoints.wrap(200)});
        expectRevert(abi.encodeWithSelector(Subscriptions.DiscountsUnordered.selector, 1));
        vm.prank(governance);
        subscriptions.setDiscounts(many);
        // Nothing was changed by what was refused.
        assertEq(subscriptions.discounts().length, 2);
        assertEq(subscriptions.discounts()[0].balance, 1000 ether);
    }

    function test_bounds_samplingAndFreeQuota() public {
        setSampling(1 days, 3);
        setSampling(30 days, 32);
        refuseSampling(1 days - 1, 3, outOfBounds("sampleInterval", 1 days - 1, 1 days, 30 days));
        refuseSampling(30 days + 1, 3, outOfBounds("sampleInterval", 30 days + 1, 1 days, 30 days));
        refuseSampling(1 days, 2, outOfBounds("samples", 2, 3, 32));
        refuseSampling(1 days, 33, outOfBounds("samples", 33, 3, 32));
        expectRevert(outOfBounds("freeQuota", 1001, 0, 1000));
        vm.prank(governance);
        subscriptions.setFreeQuota(Count.wrap(1001));
        vm.prank(governance);
        subscriptions.setFreeQuota(Count.wrap(0));
        assertEq(quota(alice), 0);
        expectRevert(outOfBounds("leastSampleInterval", 0, 1, 30 days));
        deploy(INTERVAL, SAMPLES, FREE, 0);
    }

    // ===== Helpers

    function deploy(
        uint32 interval,
        uint8 samples,
        uint32 free,
        uint32 leastInterval
    ) private returns (Subscriptions) {
        return
            new Subscriptions(
                killSwitch,
                currency,
                VotesExtended(address(token)),
                Duration.wrap(leastInterval),
                Subscriptions.Sampling({interval: Duration.wrap(interval), samples: samples}),
                Count.wrap(free)
            );
    }

    function plan_(
        uint128 price,
        uint32 period,
        uint32 agents
    ) private pure returns (Subscriptions.Plan memory) {
        return
            Subscriptions.Plan({
                price: price,
                period: Duration.wrap(period),
                agentQuota: Count.wrap(agents),
                offered: true
            });
    }

    function setPlan(uint16 planId, uint128 price, uint32 period, uint32 agents) private {
        vm.prank(governance);
        subscriptions.setPlan(planId, plan_(price, period, agents));
    }

    function refusePlan(
        uint16 planId,
        uint128 price,
        uint32 period,
        uint32 agents,
        bytes memory error_
    ) private {
        expectRevert(error_);
        setPlan(planId, price, period, agents);
    }

    function refuseDiscount(uint256 balance, uint16 off, bytes memory error_) private {
        Subscriptions.Discount[] memory one = new Subscriptions.Discount[](1);
        one[0] = Subscriptions.Discount({balance: balance, discount: BasisPoints.wrap(off)});
        expectRevert(error_);
        vm.prank(governance);
        subscriptions.setDiscounts(one);
    }

    function setSampling(uint32 interval, uint8 samples) private {
        vm.prank(governance);
        subscriptions.setSampling(
            Subscriptions.Sampling({interval: Duration.wrap(interval), samples: samples})
        );
    }

    function refuseSampling(uint32 interval, uint8 samples, bytes memory error_) private {
        expectRevert(error_);
        setSampling(interval, samples);
    }

    function expectSmallerQuota(uint16 planId, uint32 agents, uint32 paid, uint256 paidUntil) private {
        expectRevert(
            abi.encodeWithSelector(Subscriptions.SmallerQuota.selector, planId, agents, paid, paidUntil)
        );
    }

    function subscribe(uint16 planId, uint16 periods, uint256 maxCost) private returns (uint256) {
        vm.prank(alice);
        return subscriptions.subscribe(planId, periods, maxCost);
    }

    function quota(address wallet) private view returns (uint256) {
        return Count.unwrap(subscriptions.quotaOf(wallet));
    }

    function discount(address wallet) private view returns (uint256) {
        return BasisPoints.unwrap(subscriptions.discountOf(wallet));
    }

    function outOfBounds(
        bytes32 what,
        uint256 value,
        uint256 least,
        uint256 most
    ) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Bounds.OutOfBounds.selector, what, value, least, most);
    }
}
