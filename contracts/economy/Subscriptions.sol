// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {VotesExtended} from "@openzeppelin/contracts/governance/utils/VotesExtended.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {Governed} from "../governance/Governed.sol";
import {Bounds} from "../libraries/Bounds.sol";
import {BasisPoints, Count, Duration} from "../types/Units.sol";

/// @title Who may enrol how many agents
/// @notice
/// Design
/// ------
/// - A wallet pays a plan for some periods ahead and may enrol as many agents as its quota says. Relayers let a quota
///   refuse new enrolments, never a renewal and never a kill.
/// - Holders of the governance token pay less. What counts is the least of several past balances, at times that are the same
///   for everybody (multiples of `interval`): a flash loan is back before any of them, a purchase of the last minute was
///   not there at the earlier ones, and the same tokens cannot stand in two wallets at once.
/// - What was paid for stays: a vote changes prices and quotas of what is bought later.
/// - An agent that was enrolled keeps its place, so a paid quota never shrinks before its time is over: nobody buys a large one
///   for a day, fills it, and gets the rest of his money back as credit.
///
/// Trust assumptions
/// -----------------
/// - Payments go straight to the KillSwitch's governance; the contract holds nothing.
/// - The currency is chosen at deployment and moves exactly what it is told to move.
contract Subscriptions is Governed {
    using SafeERC20 for IERC20;

    /// @param price of one period, in the currency's smallest unit
    /// @param period length of one period
    /// @param agentQuota how many agents may be enrolled
    /// @param offered whether it can be bought
    struct Plan {
        uint128 price;
        Duration period;
        Count agentQuota;
        bool offered;
    }

    /// @param balance the least balance, in the token's smallest unit
    /// @param discount what it takes off the price
    struct Discount {
        uint256 balance;
        BasisPoints discount;
    }

    /// @notice At which past times balances count: the last `samples` multiples of `interval` since 1970.
    struct Sampling {
        Duration interval;
        uint8 samples;
    }

    /// @notice What a wallet has bought.
    /// @param planId the plan
    /// @param paidUntil Unix seconds
    /// @param agentQuota the plan's when it was bought
    /// @param price what one period cost, discount included
    /// @param period length of that period
    struct Subscription {
        uint16 planId;
        uint40 paidUntil;
        Count agentQuota;
        uint128 price;
        Duration period;
    }

    uint256 private constant MOST_QUOTA = 10_000_000;
    uint256 private constant MOST_FREE_QUOTA = 1000;
    uint256 private constant MOST_PERIOD = 366 days;
    uint256 private constant MOST_AHEAD = 3 * 366 days;
    uint256 private constant MOST_DISCOUNT = 5000;
    uint256 private constant MOST_DISCOUNTS = 8;
    uint256 private constant ALL = 10_000;

    IERC20 private immutable _currency;
    VotesExtended private immutable _token;
    Duration private immutable _leastInterval;

    Sampling private _sampling;
    Count private _freeQuota;
    Discount[] private _discounts;
    mapping(uint16 planId => Plan) private _plans;
    mapping(address wallet => Subscription) private _subscriptions;

    /// @notice A plan changed, for what is bought later.
    event PlanSet(uint16 indexed planId, uint128 price, Duration period, Count agentQuota, bool offered);
    /// @notice The discounts changed; those before are gone.
    event DiscountsSet(Discount[] discounts);
    /// @notice Which past balances count changed.
    event SamplingSet(Duration interval, uint8 samples);
    /// @notice How many agents a wallet without a subscription may enrol changed.
    event FreeQuotaSet(Count agentQuota);
    /// @notice A wallet paid `cost` and may enrol `agentQuota` agents until `paidUntil` (Unix seconds).
    event Subscribed(
        address indexed wallet,
        uint16 indexed planId,
        Count agentQuota,
        uint40 paidUntil,
        uint256 cost
    );

    /// @dev There is no such plan, or it is not offered.
    error NotOffered(uint16 planId);
    /// @dev It would cost more than the wallet said it would pay.
    error TooExpensive(uint256 cost, uint256 maxCost);
    /// @dev What is left of the former subscription is worth more than the new one costs; take more periods.
    error CreditLeft(uint256 credit, uint256 cost);
    /// @dev A larger quota is paid until `paidUntil` (Unix seconds); subscribe to a smaller one when that is over.
    error SmallerQuota(uint16 planId, Count agentQuota, Count paidQuota, uint40 paidUntil);
    /// @dev Both balance and discount must grow from one discount to the next.
    error DiscountsUnordered(uint256 index);

    /// @notice Opens without plans and discounts.
    /// @param killSwitch_ whose governance decides and is paid
    /// @param currency_ in which plans are priced
    /// @param token_ whose holders pay less
    /// @param leastInterval_ the least time between two balances that count, within [1 s, 30 days]
    /// @param sampling_ at first
    /// @param freeQuota_ at first
    constructor(
        IKillSwitch killSwitch_,
        IERC20 currency_,
        VotesExtended token_,
        Duration leastInterval_,
        Sampling memory sampling_,
        Count freeQuota_
    ) Governed(killSwitch_) {
        Bounds.check("leastSampleInterval", leastInterval_.inSeconds(), 1, 30 days);
        _currency = currency_;
        _token = token_;
        _leastInterval = leastInterval_;
        _setSampling(sampling_);
        _setFreeQuota(freeQuota_);
    }

    /// @notice Buys periods of a plan for the caller. On the same terms the subscription is prolonged; on others, of another plan
    /// or of this one after a vote, it begins anew, and what is left of the former is taken off the cost. While a quota is paid,
    /// no smaller one is sold.
    /// @param planId the plan
    /// @param periods how many, at least one
    /// @param maxCost the most that may be taken, in the currency's smallest unit
    /// @return paidUntil Unix seconds
    function subscribe(uint16 planId, uint16 periods, uint256 maxCost) external returns (uint40 paidUntil) {
        Plan memory plan = _plans[planId];
        require(plan.offered, NotOffered(planId));
        (uint256 cost, uint128 price, uint40 from) = _terms(msg.sender, planId, plan, periods);
        require(cost <= maxCost, TooExpensive(cost, maxCost));

        uint256 until = from + plan.period.inSeconds() * periods;
        Bounds.check("paidAhead", until - block.timestamp, 1, MOST_AHEAD);
        paidUntil = SafeCast.toUint40(until);
        _subscriptions[msg.sender] = Subscription({
            planId: planId,
            paidUntil: paidUntil,
            agentQuota: plan.agentQuota,
            price: price,
            period: plan.period
        });
        emit Subscribed(msg.sender, planId, plan.agentQuota, paidUntil, cost);
        _currency.safeTransferFrom(msg.sender, killSwitch().governance(), cost);
    }

    /// @notice Only governance. Sets a plan; those who have it keep what they bought.
    /// @param planId the plan, not zero
    /// @param plan what it costs and gives
    function setPlan(uint16 planId, Plan calldata plan) external onlyKillSwitchGovernance {
        Bounds.check("planId", planId, 1, type(uint16).max);
        Bounds.check("price", plan.price, 1, type(uint96).max);
        Bounds.check("period", plan.period.inSeconds(), 1, MOST_PERIOD);
        Bounds.check("agentQuota", plan.agentQuota.raw(), 1, MOST_QUOTA);
        _plans[planId] = plan;
        emit PlanSet(planId, plan.price, plan.period, plan.agentQuota, plan.offered);
    }

    /// @notice Only governance. Replaces all discounts.
    /// @param discounts_ at most 8, both fields growing, each at most half of the price
    function setDiscounts(Discount[] calldata discounts_) external onlyKillSwitchGovernance {
        Bounds.check("discounts", discounts_.length, 0, MOST_DISCOUNTS);
        delete _discounts;
        for (uint256 i = 0; i < discounts_.length; ++i) {
            Discount calldata discount = discounts_[i];
            Bounds.check("discount", discount.discount.raw(), 1, MOST_DISCOUNT);
            Bounds.check("discountBalance", discount.balance, 1, type(uint208).max);
            bool grows =
                i == 0 ||
                    (discount.balance > discounts_[i - 1].balance &&
                        discount.discount.raw() > discounts_[i - 1].discount.raw());
            require(grows, DiscountsUnordered(i));
            _discounts.push(discount);
        }
        emit DiscountsSet(discounts_);
    }

    /// @notice Only governance. Sets which past balances count.
    /// @param sampling_ 3 to 32 times, `leastInterval` to 30 days apart
    function setSampling(Sampling calldata sampling_) external onlyKillSwitchGovernance {
        _setSampling(sampling_);
    }

    /// @notice Only governance. Sets how many agents a wallet without a subscription may enrol.
    /// @param agentQuota 0 to 1,000
    function setFreeQuota(Count agentQuota) external onlyKillSwitchGovernance {
        _setFreeQuota(agentQuota);
    }

    /// @notice What `subscribe` would take from the wallet now. Reverts like it.
    /// @param wallet the wallet
    /// @param planId the plan
    /// @param periods how many
    /// @return cost in the currency's smallest unit
    function costOf(address wallet, uint16 planId, uint16 periods) external view returns (uint256 cost) {
        Plan memory plan = _plans[planId];
        require(plan.offered, NotOffered(planId));
        (cost, , ) = _terms(wallet, planId, plan, periods);
    }

    /// @notice How many agents the wallet may enrol now.
    /// @param wallet the wallet
    /// @return that of its subscription while it is paid, else the free one
    function quotaOf(address wallet) external view returns (Count) {
        Subscription storage subscription = _subscriptions[wallet];
        return subscription.paidUntil > block.timestamp ? subscription.agentQuota : _freeQuota;
    }

    /// @notice What the wallet bought last.
    /// @param wallet the wallet
    /// @return all zero if it never bought
    function subscriptionOf(address wallet) external view returns (Subscription memory) {
        return _subscriptions[wallet];
    }

    /// @notice A plan.
    /// @param planId the plan
    /// @return all zero if it was never set
    function planOf(uint16 planId) external view returns (Plan memory) {
        return _plans[planId];
    }

    /// @notice All discounts.
    /// @return by growing balance
    function discounts() external view returns (Discount[] memory) {
        return _discounts;
    }

    /// @notice Which past balances count.
    /// @return the times
    function sampling() external view returns (Sampling memory) {
        return _sampling;
    }

    /// @notice How many agents a wallet without a subscription may enrol.
    /// @return the number
    function freeQuota() external view returns (Count) {
        return _freeQuota;
    }

    /// @notice The least time between two balances that count.
    /// @return fixed at deployment
    function leastInterval() external view returns (Duration) {
        return _leastInterval;
    }

    /// @notice In what plans are priced.
    /// @return an ERC-20
    function currency() external view returns (IERC20) {
        return _currency;
    }

    /// @notice Whose holders pay less.
    /// @return the governance token
    function token() external view returns (VotesExtended) {
        return _token;
    }

    /// @notice What the wallet's holdings take off a price now.
    /// @param wallet the wallet
    /// @return discount of the highest balance that it reaches
    function discountOf(address wallet) public view returns (BasisPoints discount) {
        uint256 held = heldBalanceOf(wallet);
        for (uint256 i = 0; i < _discounts.length && _discounts[i].balance <= held; ++i) {
            discount = _discounts[i].discount;
        }
    }

    /// @notice The least of the wallet's past balances that count now.
    /// @param wallet the wallet
    /// @return held in the token's smallest unit
    function heldBalanceOf(address wallet) public view returns (uint256 held) {
        uint256 interval = _sampling.interval.inSeconds();
        uint256 samples = _sampling.samples;
        // The latest multiple that is past: balances of this second can still change.
        uint256 last = ((block.timestamp - 1) / interval) * interval;
        held = type(uint256).max;
        for (uint256 i = 0; i < samples && held > 0; ++i) {
            held = Math.min(held, _token.getPastBalanceOf(wallet, last - i * interval));
        }
    }

    function _setSampling(Sampling memory sampling_) private {
        Bounds.check("sampleInterval", sampling_.interval.inSeconds(), _leastInterval.inSeconds(), 30 days);
        Bounds.check("samples", sampling_.samples, 3, 32);
        _sampling = sampling_;
        emit SamplingSet(sampling_.interval, sampling_.samples);
    }

    function _setFreeQuota(Count agentQuota) private {
        Bounds.check("freeQuota", agentQuota.raw(), 0, MOST_FREE_QUOTA);
        _freeQuota = agentQuota;
        emit FreeQuotaSet(agentQuota);
    }

    /// @dev What the periods cost after discount and credit, what one costs, and from when they run.
    function _terms(
        address wallet,
        uint16 planId,
        Plan memory plan,
        uint16 periods
    ) private view returns (uint256 cost, uint128 price, uint40 from) {
        Bounds.check("periods", periods, 1, type(uint16).max);
        price = uint128((uint256(plan.price) * (ALL - discountOf(wallet).raw())) / ALL);
        cost = uint256(price) * periods;
        from = uint40(block.timestamp);
        Subscription storage former = _subscriptions[wallet];
        if (former.paidUntil <= from) return (cost, price, from);
        // Bought at several prices, what is left would have no price.
        bool same =
            former.planId == planId &&
                former.price == price &&
                former.period.inSeconds() == plan.period.inSeconds() &&
                former.agentQuota.raw() == plan.agentQuota.raw();
        if (same) return (cost, price, former.paidUntil);

        require(
            plan.agentQuota.raw() >= former.agentQuota.raw(),
            SmallerQuota(planId, plan.agentQuota, former.agentQuota, former.paidUntil)
        );
        uint256 credit = (uint256(former.price) * (former.paidUntil - from)) / former.period.inSeconds();
        require(credit <= cost, CreditLeft(credit, cost));
        return (cost - credit, price, from);
    }
}
