// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentKillStatus} from "./IAgentKillStatus.sol";
import {KillOrder, Rank, ResumeRequest, Scope, SubjectState} from "../types/Liveness.sol";

/// @title Who may kill an agent, and whether it is killed
/// @notice Kills take effect at once and cost the same however many agents they cover. Resumes are strict: they need
/// an authority of at least the killer's rank, a request, and the cool-down of the highest rank involved. A kill of rank Owner
/// (an owner's kill: by the owner, its guardian, the agent wallet, or a transfer) is lifted by the owner alone.
///
/// | authority | rank | kills | resumes |
/// |---|---|---|---|
/// | breaker | Breaker | Agent | nothing |
/// | owner | Owner | own Agent, own Owner scope | the same, up to rank Owner |
/// | guardian of the owner | Owner | the owner's Agent and Owner scopes | nothing |
/// | agent wallet | Owner | its Agent | nothing |
/// | council | Council | every scope | every scope, up to rank Council, but no owner's kill |
/// | emergency governor | Governance | every scope | nothing |
/// | governance | - | nothing | every scope, every rank, but no owner's kill |
interface IKillSwitch is IAgentKillStatus {
    /// @notice A subject was killed. `rank` is that of this kill's authority; the subject's rank is the highest of the kills
    /// that stand. It is an owner's kill if `rank` is Owner, and at any rank if `authority` owns the agent or is the wallet.
    /// `orderDigest` is the EIP-712 digest of the order, zero for a transaction.
    event Killed(
        Scope indexed scope,
        bytes32 indexed subject,
        address indexed authority,
        Rank rank,
        uint16 reason,
        uint48 sequence,
        bytes32 orderDigest,
        string text
    );
    /// @notice A resume was requested; it may be executed from `readyAt` (Unix seconds) unless a later kill covers it.
    event ResumeRequested(
        Scope indexed scope,
        bytes32 indexed subject,
        address indexed authority,
        uint48 sequence,
        uint40 readyAt
    );
    /// @notice A subject was resumed; orders for it issued before `requestTime` are void.
    event Resumed(
        Scope indexed scope,
        bytes32 indexed subject,
        address indexed authority,
        uint48 sequence,
        uint40 requestTime
    );
    /// @notice What stood above the owner's kill of a subject was lifted: its rank is Owner, it stays killed, and orders for it
    /// issued before `requestTime` are void.
    event RankLowered(
        Scope indexed scope,
        bytes32 indexed subject,
        address indexed authority,
        uint40 requestTime
    );
    /// @notice `guardian` may kill what `owner` owns, at once.
    event GuardianAppointed(address indexed owner, address indexed guardian);
    /// @notice `guardian` keeps its kill until `until` (Unix seconds).
    event GuardianDismissed(address indexed owner, address indexed guardian, uint40 until);
    /// @notice An order landed as the kill of `sequence`; its nonce is used.
    event OrderLanded(address indexed authority, uint256 indexed nonce, bytes32 orderDigest, uint48 sequence);
    /// @notice `landOrders` did not land this order: `refusal` is the error it met (its first 256 bytes), empty where its gas
    /// ran out. It says something of this attempt only: anyone can have an order refused by a wrong signature of his own.
    event OrderRefused(bytes32 indexed orderDigest, bytes refusal);
    /// @notice The order cannot land from `effectiveAt` (Unix seconds) on; relayers then stop enforcing it.
    event OrderBurned(
        address indexed authority,
        uint256 indexed nonce,
        bytes32 orderDigest,
        address burner,
        uint40 effectiveAt
    );
    /// @notice The council changed.
    event CouncilChanged(address indexed council);
    /// @notice The emergency governor changed.
    event EmergencyGovernorChanged(address indexed emergencyGovernor);
    /// @notice A breaker was admitted or dismissed.
    event BreakerChanged(address indexed breaker, bool admitted);
    /// @notice The cool-down of kills of a rank changed, in seconds.
    event CooldownChanged(Rank indexed rank, uint32 cooldown);
    /// @notice Governance offered itself to `pending`, which must accept.
    event GovernanceOffered(address indexed governance, address indexed pending);
    /// @notice Governance changed hands.
    event GovernanceAccepted(address indexed formerGovernance, address indexed governance);

    /// @dev The account has no kill over the subject.
    error NotAuthorized(address account, Scope scope, bytes32 subject);
    /// @dev The account cannot resume (or undo an order over) the subject: its rank does not reach `required`.
    error RankTooLow(address account, Rank rank, Rank required);
    /// @dev The subject is not well formed for its scope. (An agent that is not registered: `UnknownAgent`.)
    error InvalidSubject(Scope scope, bytes32 subject);
    /// @dev The code is reserved for the contract's own kills.
    error ReservedReason(uint16 reason);
    /// @dev The free text is longer than 256 bytes.
    error TextTooLong(uint256 length);
    /// @dev The order does not have the scope of this function.
    error WrongScope(Scope scope, Scope expected);
    /// @dev Neither an ECDSA nor an ERC-1271 signature of the authority over this digest.
    error InvalidSignature(address authority, bytes32 digest);
    /// @dev The order's deadline has passed.
    error OrderExpired(uint64 deadline, uint256 now_);
    /// @dev The order is issued in the future (over 60 s) or its life is not within (0, 1 day].
    error InvalidOrderTimes(uint64 issuedAt, uint64 deadline, uint256 now_);
    /// @dev The order was issued before the request of the subject's last executed resume, or lowering of its rank.
    error OrderSuperseded(uint64 issuedAt, uint40 resumeRequestTime);
    /// @dev Another order has landed with this nonce, or this order was burnt.
    error NonceUsed(address authority, uint256 nonce);
    /// @dev Each order needs one signature.
    error UnequalLengths(uint256 orders, uint256 signatures);
    /// @dev Too little gas is left to give the order at `index` its full share; send more. No order has landed.
    error InsufficientGas(uint256 index, uint256 left, uint256 needed);
    /// @dev The subject's owner stopped it (or signed the order): its owner alone lifts (or burns) that.
    error OwnersKill(Scope scope, bytes32 subject);
    /// @dev Nothing to resume: the subject has no active kill.
    error NotKilled(Scope scope, bytes32 subject);
    /// @dev A request that still holds is pending; execute it from `readyAt` on.
    error ResumePending(Scope scope, bytes32 subject, uint40 readyAt);
    /// @dev There is no request, or a later kill has voided it.
    error NoResumeRequest(Scope scope, bytes32 subject);
    /// @dev The cool-down ends at `readyAt`.
    error CooldownRunning(uint40 readyAt, uint256 now_);
    /// @dev A transferred agent needs a new, different key before it resumes.
    error KeyRequired(uint256 agentId);
    /// @dev Already a guardian, or none (any more).
    error GuardianUnchanged(address owner, address guardian);
    /// @dev The caller is not governance; from the constructor: the zero address cannot govern.
    error NotGovernance(address caller);
    /// @dev Governance was not offered to the caller.
    error NotPendingGovernance(address caller);
    /// @dev The cool-down is outside [minCooldown, 30 days], or the rank has none. From the constructor with rank None:
    /// minCooldown is outside [1 s, 1 day].
    error InvalidCooldown(Rank rank, uint32 cooldown);

    /// @notice Kills a subject with the caller's highest rank over it. A kill of a killed subject counts anew.
    /// @param scope what is covered
    /// @param subject see {Scope}
    /// @param reason code, 0 = unspecified; 0xff00 and above are reserved
    /// @param text free text, at most 256 bytes, in the event only
    /// @return sequence_ the kill's sequence
    function kill(
        Scope scope,
        bytes32 subject,
        uint16 reason,
        string calldata text
    ) external returns (uint48 sequence_);

    /// @notice Kills all agents of a wallet, present and future: `kill` with scope Owner.
    function emergencyKill(
        address wallet,
        uint16 reason,
        string calldata text
    ) external returns (uint48 sequence_);

    /// @notice Lands an order; anyone may send it. The identical order again is answered with its earlier sequence.
    function killBySig(
        KillOrder calldata order,
        bytes calldata signature
    ) external returns (uint48 sequence_);

    /// @notice `killBySig` for orders of scope Owner only.
    function emergencyKillBySig(
        KillOrder calldata order,
        bytes calldata signature
    ) external returns (uint48 sequence_);

    /// @notice Lands several orders, in order; anyone may send them. Each is tried by itself, with 500,000 gas: one that is
    /// refused is announced by `OrderRefused` and neither reverts nor starves the others. Reverts only as a whole: for
    /// unequal lengths, malformed calldata, or when too little gas is left for the next order, so that no sender can
    /// have an honest order refused by sending too little. With 530,000 gas for each order (and the intrinsic gas of the
    /// transaction) it cannot run short whatever the orders do; what is not used is not paid.
    /// @param orders the orders
    /// @param signatures one for each order, in the same order
    /// @return landed how many of the orders have landed, now or before
    function landOrders(
        KillOrder[] calldata orders,
        bytes[] calldata signatures
    ) external returns (uint256 landed);

    /// @notice Undoes an order that has not landed, once the cool-down of its rank has passed; until then it can land.
    /// The caller must be able to resume the subject at the order's rank and at least at rank Owner. Over an agent or a wallet the
    /// order of an authority whose kill has rank Owner, of one that has none any more, and of the owner is burnt by the
    /// owner alone.
    function burnOrder(KillOrder calldata order) external;

    /// @notice Asks for the subject to be resumed. For an agent, rank and cool-down are the highest and longest of its
    /// active Agent and Owner kills. Who is not the owner is refused (`OwnersKill`) where nothing stands above an owner's kill,
    /// and for an agent whose wallet is under an owner's kill.
    function requestResume(Scope scope, bytes32 subject) external;

    /// @notice Resumes the subject once the cool-down is over: the larger of its values at the request and now. Where an
    /// owner's kill stands and the caller is not the owner, lifts what stands above it, lowers the rank to Owner
    /// (`RankLowered`) and leaves the subject killed.
    function resume(Scope scope, bytes32 subject) external;

    /// @notice Gives `guardian` a kill over the caller's Agent and Owner scopes.
    function appointGuardian(address guardian) external;

    /// @notice Withdraws a guardian's kill after the cool-down of rank Owner.
    function dismissGuardian(address guardian) external;

    /// @notice Only governance.
    function setCouncil(address council_) external;

    /// @notice Only governance.
    function setEmergencyGovernor(address emergencyGovernor_) external;

    /// @notice Only governance.
    function setBreaker(address breaker, bool admitted) external;

    /// @notice Only governance. Seconds, within [minCooldown, 30 days].
    function setCooldown(Rank rank, uint32 cooldown_) external;

    /// @notice Only governance; zero withdraws an offer.
    function offerGovernance(address pending) external;

    /// @notice Only the account to which governance was offered.
    function acceptGovernance() external;

    /// @notice The stored state of a subject.
    function stateOf(Scope scope, bytes32 subject) external view returns (SubjectState memory);

    /// @notice The pending resume of a subject, void or not.
    function resumeRequestOf(Scope scope, bytes32 subject) external view returns (ResumeRequest memory);

    /// @notice The rank with which the account could kill the subject now; None for an invalid subject.
    function killRankOf(address account, Scope scope, bytes32 subject) external view returns (Rank);

    /// @notice The highest rank of kill that the account could lift of the subject now (an owner's kill only as its owner); None
    /// for an invalid subject.
    function resumeRankOf(address account, Scope scope, bytes32 subject) external view returns (Rank);

    /// @notice Until when (Unix seconds) the guardian may kill for the owner; the largest uint40 while appointed.
    function guardianUntil(address owner, address guardian) external view returns (uint40);

    /// @notice EIP-712 digest of an order in this deployment.
    function orderDigest(KillOrder calldata order) external view returns (bytes32);

    /// @notice Sequence with which the authority's nonce landed; 0 if it has not.
    function nonceOf(address authority, uint256 nonce) external view returns (uint48 landed);

    /// @notice Time (Unix seconds) from which the order of this digest cannot land; 0 if it was not burnt. A burn binds
    /// the digest, which names authority, subject and nonce: another order with the same nonce is not touched by it.
    function burntFrom(bytes32 orderDigest_) external view returns (uint40);

    /// @notice Cool-down of kills of a rank, in seconds.
    function cooldownOf(Rank rank) external view returns (uint32);

    /// @notice The least cool-down: the longest life of an SVID, in seconds.
    function minCooldown() external view returns (uint32);

    /// @notice The account that decides who holds which power.
    function governance() external view returns (address);

    /// @notice The account to which governance is offered.
    function pendingGovernance() external view returns (address);

    /// @notice The account of rank Council.
    function council() external view returns (address);

    /// @notice The account that kills at rank Governance.
    function emergencyGovernor() external view returns (address);

    /// @notice Whether the account is a breaker.
    function isBreaker(address account) external view returns (bool);
}
