// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentKillStatus} from "../interfaces/IAgentKillStatus.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {AgentTypes} from "../libraries/AgentTypes.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {KillOrder, OWNERS_KILL, Rank, ResumeRequest, Scope, SubjectState} from "../types/Liveness.sol";
import {AgentRegistry} from "./AgentRegistry.sol";

/// @title Who may kill an agent, and whether it is killed
/// @notice
/// Design
/// ------
/// - A kill is one write, whatever it covers: liveness is a comparison of sequences, not a list of agents.
///
///       kill ──► killed ──requestResume──► killed, pending ──cool-down──resume──► alive
///                  ▲                            │ any later kill that covers the subject
///                  └────────────────────────────┘
///
/// - Easy to stop, hard to restart. A kill of a killed subject counts anew and can only raise the rank. A resume needs
///   the highest rank and the longest cool-down of what it lifts; a request dies with the next kill.
/// - What an owner stopped, or a guardian or transfer in its name, stays stopped until the owner resumes it. A resume by
///   council or governance lifts what stands above such a kill and lowers the rank to Owner; where nothing does it is
///   refused, and so is that of an agent whose wallet its owner stopped.
/// - An owner whom a vote makes council or emergency governor kills at that rank, but still as the owner: otherwise two votes
///   could lift what it stops.
/// - An order lands once. Whoever resends it gets the same answer, so relayers need not agree on who sends.
/// - An order is burnt by its digest, not by its nonce alone: otherwise the owner of any agent could make up an order
///   of a stranger over that agent and so burn the nonce of the stranger's real order over another.
/// - Orders land in batches too, each in a call of its own with a fixed share of gas: whatever a signer's wallet does with
///   its share, the other orders keep theirs.
/// - Events alone rebuild the whole state; the constructor emits them too.
///
/// Trust assumptions
/// -----------------
/// - Governance decides who holds which power and lifts every kill but an owner's; it kills nothing.
/// - The emergency governor kills everything and resumes nothing; the council does both, up to its rank, but for owners' kills.
/// - An owner who cannot sign any more cannot resume what it stopped, and nobody can in its place.
/// - A breaker can stop single agents, at the rank that their owners can lift.
/// - A guardian can stop what one owner owns, until one cool-down after its dismissal. Owners choose their own.
/// - Block timestamps are good to some seconds; every limit here is of a minute or more, or is chosen by governance.
contract KillSwitch is AgentRegistry, IKillSwitch {
    using AgentTypes for bytes32;

    /// @param trustDomain SPIFFE trust domain of all agents
    /// @param governance who decides who holds which power; not zero
    /// @param council account of rank Council; zero for none
    /// @param emergencyGovernor account that kills at rank Governance; zero for none
    /// @param minCooldown the least cool-down, in seconds, within [1 s, 1 day]: the longest life of an SVID
    /// @param cooldowns of the ranks Breaker, Owner, Council and Governance, in seconds
    struct Config {
        string trustDomain;
        address governance;
        address council;
        address emergencyGovernor;
        uint32 minCooldown;
        uint32[4] cooldowns;
    }

    /// @dev An order that landed: its sequence, and the high bits of its digest.
    struct Landing {
        uint48 sequence;
        bytes26 digest;
    }

    bytes32 private constant KILL_ORDER_TYPEHASH = keccak256(
        "KillOrder(address authority,uint8 scope,bytes32 subject,uint16 reason,string text,uint64 issuedAt,"
        "uint64 deadline,uint256 nonce)"
    );

    uint256 private constant MAX_CLOCK_SKEW = 60 seconds;
    uint256 private constant MAX_ORDER_LIFE = 1 days;
    uint256 private constant MAX_TEXT_LENGTH = 256;

    /// @dev The share of one order in a batch. The dearest honest order fills a slot of each kind with 256 bytes of text
    /// (110,000) and asks a wallet that verifies a passkey in Solidity (about 350,000). One that needs more lands by itself.
    uint256 private constant ORDER_GAS = 500_000;
    /// @dev What must be left to give it: the EVM keeps back a 64th (EIP-150), announcing a refusal takes less than another.
    uint256 private constant ORDER_GAS_NEEDED = ORDER_GAS + ORDER_GAS / 32;
    uint256 private constant MAX_ERROR_LENGTH = 256;

    uint32 private constant MAX_MIN_COOLDOWN = 1 days;
    uint32 private constant MAX_COOLDOWN = 30 days;

    /// @dev Codes from here on are the contract's own.
    uint16 private constant FIRST_RESERVED_REASON = 0xff00;
    uint16 private constant REASON_TRANSFERRED = 0xff01;

    uint256 private constant OWNERS_POWER = uint256(Rank.Owner) | OWNERS_KILL;

    uint32 private immutable _minCooldown;

    /// @dev Stays the first variable: it shares its slot with the counter, which every kill reads and writes anyway.
    address private _council;
    /// @dev The low bits of `_emergencyGovernor`, in that slot too: who has others is not it, so a kill by anyone else
    /// does not read its slot (2,100 gas of 40,000).
    uint48 private _emergencyGovernorTag;
    address private _emergencyGovernor;
    address private _governance;
    address private _pendingGovernance;
    mapping(Rank rank => uint32) private _cooldowns;
    mapping(address account => bool) private _breakers;
    mapping(address owner => mapping(address guardian => uint40)) private _guardianUntil;
    mapping(Scope scope => mapping(bytes32 subject => ResumeRequest)) private _requests;
    mapping(address authority => mapping(uint256 nonce => Landing)) private _landings;
    mapping(bytes32 orderDigest => uint40) private _burntFrom;

    modifier onlyGovernance() {
        _requireGovernance();
        _;
    }

    constructor(Config memory config) AgentRegistry(config.trustDomain) {
        require(config.governance != address(0), NotGovernance(address(0)));
        require(
            config.minCooldown > 0 && config.minCooldown <= MAX_MIN_COOLDOWN,
            InvalidCooldown(Rank.None, config.minCooldown)
        );
        _minCooldown = config.minCooldown;
        _governance = config.governance;
        emit GovernanceAccepted(address(0), config.governance);
        _setCouncil(config.council);
        _setEmergencyGovernor(config.emergencyGovernor);
        for (uint8 i = 0; i < 4; ++i) _setCooldown(Rank(i + 1), config.cooldowns[i]);
    }

    /// @inheritdoc IKillSwitch
    function kill(
        Scope scope,
        bytes32 subject,
        uint16 reason,
        string calldata text
    ) external returns (uint48 sequence_) {
        return _killAsCaller(scope, subject, reason, text);
    }

    /// @inheritdoc IKillSwitch
    function emergencyKill(
        address wallet,
        uint16 reason,
        string calldata text
    ) external returns (uint48 sequence_) {
        return _killAsCaller(Scope.Owner, _ownerSubject(wallet), reason, text);
    }

    /// @inheritdoc IKillSwitch
    function killBySig(
        KillOrder calldata order,
        bytes calldata signature
    ) external returns (uint48 sequence_) {
        return _land(order, signature);
    }

    /// @inheritdoc IKillSwitch
    function emergencyKillBySig(
        KillOrder calldata order,
        bytes calldata signature
    ) external returns (uint48 sequence_) {
        require(order.scope == Scope.Owner, WrongScope(order.scope, Scope.Owner));
        return _land(order, signature);
    }

    /// @inheritdoc IKillSwitch
    function landOrders(
        KillOrder[] calldata orders,
        bytes[] calldata signatures
    ) external returns (uint256 landed) {
        require(orders.length == signatures.length, UnequalLengths(orders.length, signatures.length));
        for (uint256 i = 0; i < orders.length; ++i) {
            (bool success, bytes memory error_) = _tryToLand(i, orders[i], signatures[i]);
            if (success) ++landed;
            else emit OrderRefused(orderDigest(orders[i]), error_);
        }
    }

    /// @inheritdoc IKillSwitch
    function burnOrder(KillOrder calldata order) external {
        _requireSubject(order.scope, order.subject);
        uint256 power = _killPower(order.authority, order.scope, order.subject);
        Rank required = _rankOf(power);
        if (required < Rank.Owner) required = Rank.Owner;
        _requireResumeRank(order.scope, order.subject, required);
        // Also of an authority that has no power any more: it may have been the owner's when it signed.
        bool owners = power == 0 || power & OWNERS_KILL != 0;
        require(
            !owners || order.scope > Scope.Owner || _owns(msg.sender, order.scope, order.subject),
            OwnersKill(order.scope, order.subject)
        );

        bytes32 digest = orderDigest(order);
        require(
            _landings[order.authority][order.nonce].sequence == 0 && _burntFrom[digest] == 0,
            NonceUsed(order.authority, order.nonce)
        );
        uint40 effectiveAt = uint40(block.timestamp) + _cooldowns[required];
        _burntFrom[digest] = effectiveAt;
        emit OrderBurned(order.authority, order.nonce, digest, msg.sender, effectiveAt);
    }

    /// @inheritdoc IKillSwitch
    function requestResume(Scope scope, bytes32 subject) external {
        _requireSubject(scope, subject);
        (uint32 cooldown, ) = _resumeTerms(scope, subject);

        ResumeRequest storage request = _requests[scope][subject];
        require(
            request.requestTime == 0 || request.sequence < _latestCoveringKill(scope, subject),
            ResumePending(scope, subject, _readyAt(request, cooldown))
        );
        uint40 now_ = uint40(block.timestamp);
        uint48 sequence_ = _currentSequence();
        _requests[scope][subject] = ResumeRequest({
            sequence: sequence_,
            requestTime: now_,
            cooldown: cooldown
        });
        emit ResumeRequested(scope, subject, msg.sender, sequence_, now_ + cooldown);
    }

    /// @inheritdoc IKillSwitch
    function resume(Scope scope, bytes32 subject) external {
        _requireSubject(scope, subject);
        (uint32 cooldown, bool ownersKillStays) = _resumeTerms(scope, subject);

        ResumeRequest memory request = _requests[scope][subject];
        require(
            request.requestTime != 0 && request.sequence >= _latestCoveringKill(scope, subject),
            NoResumeRequest(scope, subject)
        );
        uint40 readyAt = _readyAt(request, cooldown);
        require(block.timestamp >= readyAt, CooldownRunning(readyAt, block.timestamp));
        SubjectState storage state = _stateOf(scope, subject);
        delete _requests[scope][subject];
        state.resumeRequestTime = request.requestTime;
        if (ownersKillStays) {
            state.rank = Rank.Owner;
            emit RankLowered(scope, subject, msg.sender, request.requestTime);
            return;
        }
        require(scope != Scope.Agent || !_isKeyCleared(uint256(subject)), KeyRequired(uint256(subject)));

        uint48 sequence_ = _nextSequence();
        state.aliveSince = sequence_;
        state.rank = Rank.None;
        state.ownersKill = false;
        emit Resumed(scope, subject, msg.sender, sequence_, request.requestTime);
    }

    /// @inheritdoc IKillSwitch
    function appointGuardian(address guardian) external {
        require(
            _guardianUntil[msg.sender][guardian] != type(uint40).max,
            GuardianUnchanged(msg.sender, guardian)
        );
        _guardianUntil[msg.sender][guardian] = type(uint40).max;
        emit GuardianAppointed(msg.sender, guardian);
    }

    /// @inheritdoc IKillSwitch
    function dismissGuardian(address guardian) external {
        // Also refuses one that was dismissed already: its end neither moves closer nor further away.
        require(
            _guardianUntil[msg.sender][guardian] == type(uint40).max,
            GuardianUnchanged(msg.sender, guardian)
        );
        uint40 until = uint40(block.timestamp) + _cooldowns[Rank.Owner];
        _guardianUntil[msg.sender][guardian] = until;
        emit GuardianDismissed(msg.sender, guardian, until);
    }

    /// @inheritdoc IKillSwitch
    function setCouncil(address council_) external onlyGovernance {
        _setCouncil(council_);
    }

    /// @inheritdoc IKillSwitch
    function setEmergencyGovernor(address emergencyGovernor_) external onlyGovernance {
        _setEmergencyGovernor(emergencyGovernor_);
    }

    /// @inheritdoc IKillSwitch
    function setBreaker(address breaker, bool admitted) external onlyGovernance {
        _breakers[breaker] = admitted;
        emit BreakerChanged(breaker, admitted);
    }

    /// @inheritdoc IKillSwitch
    function setCooldown(Rank rank, uint32 cooldown_) external onlyGovernance {
        _setCooldown(rank, cooldown_);
    }

    /// @inheritdoc IKillSwitch
    function offerGovernance(address pending) external onlyGovernance {
        _pendingGovernance = pending;
        emit GovernanceOffered(msg.sender, pending);
    }

    /// @inheritdoc IKillSwitch
    function acceptGovernance() external {
        require(msg.sender == _pendingGovernance, NotPendingGovernance(msg.sender));
        address former = _governance;
        _governance = msg.sender;
        _pendingGovernance = address(0);
        emit GovernanceAccepted(former, msg.sender);
    }

    /// @inheritdoc IAgentKillStatus
    function isKilled(uint256 agentId) external view returns (bool) {
        return _isKilled(agentId, _requireAgent(agentId));
    }

    /// @inheritdoc IKillSwitch
    function stateOf(Scope scope, bytes32 subject) external view returns (SubjectState memory) {
        return _stateOf(scope, subject);
    }

    /// @inheritdoc IKillSwitch
    function resumeRequestOf(Scope scope, bytes32 subject) external view returns (ResumeRequest memory) {
        return _requests[scope][subject];
    }

    /// @inheritdoc IKillSwitch
    function killRankOf(address account, Scope scope, bytes32 subject) external view returns (Rank) {
        return _isSubject(scope, subject) ? _rankOf(_killPower(account, scope, subject)) : Rank.None;
    }

    /// @inheritdoc IKillSwitch
    function resumeRankOf(address account, Scope scope, bytes32 subject) external view returns (Rank) {
        return _isSubject(scope, subject) ? _resumeRank(account, scope, subject) : Rank.None;
    }

    /// @inheritdoc IKillSwitch
    function guardianUntil(address owner, address guardian) external view returns (uint40) {
        return _guardianUntil[owner][guardian];
    }

    /// @inheritdoc IKillSwitch
    function nonceOf(address authority, uint256 nonce) external view returns (uint48 landed) {
        return _landings[authority][nonce].sequence;
    }

    /// @inheritdoc IKillSwitch
    function burntFrom(bytes32 orderDigest_) external view returns (uint40) {
        return _burntFrom[orderDigest_];
    }

    /// @inheritdoc IKillSwitch
    function cooldownOf(Rank rank) external view returns (uint32) {
        return _cooldowns[rank];
    }

    /// @inheritdoc IKillSwitch
    function minCooldown() external view returns (uint32) {
        return _minCooldown;
    }

    /// @inheritdoc IKillSwitch
    function governance() external view returns (address) {
        return _governance;
    }

    /// @inheritdoc IKillSwitch
    function pendingGovernance() external view returns (address) {
        return _pendingGovernance;
    }

    /// @inheritdoc IKillSwitch
    function council() external view returns (address) {
        return _council;
    }

    /// @inheritdoc IKillSwitch
    function emergencyGovernor() external view returns (address) {
        return _emergencyGovernor;
    }

    /// @inheritdoc IKillSwitch
    function isBreaker(address account) external view returns (bool) {
        return _breakers[account];
    }

    /// @inheritdoc IAgentKillStatus
    function statusOf(
        uint256 agentId
    ) public view returns (bool killed, Scope scope, Rank rank, uint40 since, uint16 reason) {
        address owner = _requireAgent(agentId);
        bytes32[4] memory subjects = [
            bytes32(agentId),
            _ownerSubject(owner),
            _agentOf(agentId).agentType,
            bytes32(0)
        ];
        for (uint8 i = 0; i < 4; ++i) {
            Scope candidate = Scope(i);
            uint48 killedAt =
                candidate == Scope.Owner
                    ? _coveringOwnerKill(agentId, owner)
                    : _activeKill(candidate, subjects[i]);
            SubjectState storage state = _stateOf(candidate, subjects[i]);
            if (killedAt != 0 && state.rank > rank) {
                (killed, scope, rank) = (true, candidate, state.rank);
                (since, reason) = (state.killTime, state.reason);
            }
        }
    }

    /// @notice ERC-165: also the interface of the kill status.
    /// @param interfaceId the interface asked for
    /// @return whether it is supported
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IAgentKillStatus).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc IKillSwitch
    function orderDigest(KillOrder calldata order) public view returns (bytes32) {
        return
            _hashTypedDataV4(
                keccak256(
                    abi.encode(
                        KILL_ORDER_TYPEHASH,
                        order.authority,
                        order.scope,
                        order.subject,
                        order.reason,
                        keccak256(bytes(order.text)),
                        order.issuedAt,
                        order.deadline,
                        order.nonce
                    )
                )
            );
    }

    function _killTransferred(uint256 agentId, address formerOwner) internal override {
        _kill(
            Scope.Agent,
            bytes32(agentId),
            formerOwner,
            OWNERS_POWER,
            REASON_TRANSFERRED,
            string(msg.data[:0]),
            0
        );
    }

    function _reservedMetadata(
        uint256 agentId,
        bytes32 keyHash
    ) internal view override returns (bytes memory) {
        if (keyHash == KILL_STATUS_KEY) {
            (bool killed, Scope scope, Rank rank, uint40 since, uint16 reason) = statusOf(agentId);
            return abi.encode(killed, scope, rank, since, reason);
        }
        address agentWallet = keyHash == AGENT_WALLET_KEY ? _agentWalletOf(agentId) : address(0);
        return agentWallet == address(0) ? bytes("") : abi.encodePacked(agentWallet);
    }

    function _formerGuardianship() internal view override returns (uint32) {
        return _cooldowns[Rank.Owner];
    }

    function _killAsCaller(
        Scope scope,
        bytes32 subject,
        uint16 reason,
        string calldata text
    ) private returns (uint48) {
        uint256 power = _requireKill(msg.sender, scope, subject, reason, text);
        return _kill(scope, subject, msg.sender, power, reason, text, 0);
    }

    /// @dev The cheap refusals come first, the signature last.
    function _land(KillOrder calldata order, bytes calldata signature) private returns (uint48 sequence_) {
        bytes32 digest = orderDigest(order);
        address authority = order.authority;
        Landing storage landing = _landings[authority][order.nonce];
        sequence_ = landing.sequence;
        if (sequence_ != 0) {
            require(landing.digest == bytes26(digest), NonceUsed(authority, order.nonce));
            return sequence_;
        }
        require(!_isBurnt(digest), NonceUsed(authority, order.nonce));
        _requireTimely(order);
        uint256 power = _requireKill(authority, order.scope, order.subject, order.reason, order.text);
        require(Signatures.isValid(authority, digest, signature), InvalidSignature(authority, digest));

        sequence_ = _kill(order.scope, order.subject, authority, power, order.reason, order.text, digest);
        landing.sequence = sequence_;
        landing.digest = bytes26(digest);
        emit OrderLanded(authority, order.nonce, digest, sequence_);
    }

    /// @dev Lands the order in a call of its own. The gas is measured last, so that nothing the order brings comes between.
    function _tryToLand(
        uint256 index,
        KillOrder calldata order,
        bytes calldata signature
    ) private returns (bool success, bytes memory error_) {
        bytes memory data = abi.encodeCall(this.killBySig, (order, signature));
        error_ = new bytes(MAX_ERROR_LENGTH);
        uint256 left = gasleft();
        require(left >= ORDER_GAS_NEEDED, InsufficientGas(index, left, ORDER_GAS_NEEDED));
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            success := call(ORDER_GAS, address(), 0, add(data, 0x20), mload(data), 0, 0)
            let length := returndatasize()
            if gt(length, MAX_ERROR_LENGTH) {
                length := MAX_ERROR_LENGTH
            }
            mstore(error_, length)
            returndatacopy(add(error_, 0x20), 0, length)
        }
    }

    /// @dev Writes the kill. Everything has been checked.
    function _kill(
        Scope scope,
        bytes32 subject,
        address authority,
        uint256 power,
        uint16 reason,
        string calldata text,
        bytes32 digest
    ) private returns (uint48 sequence_) {
        sequence_ = _nextSequence();
        // A resume sets the rank back, so what is raised here belongs to the kills since.
        _stateOf(scope, subject).writeKill(sequence_, uint40(block.timestamp), power, reason);
        emit Killed(scope, subject, authority, _rankOf(power), reason, sequence_, digest, text);
    }

    function _setCouncil(address council_) private {
        _council = council_;
        emit CouncilChanged(council_);
    }

    function _setEmergencyGovernor(address emergencyGovernor_) private {
        _emergencyGovernor = emergencyGovernor_;
        _emergencyGovernorTag = _tagOf(emergencyGovernor_);
        emit EmergencyGovernorChanged(emergencyGovernor_);
    }

    function _setCooldown(Rank rank, uint32 cooldown) private {
        require(
            rank != Rank.None && cooldown >= _minCooldown && cooldown <= MAX_COOLDOWN,
            InvalidCooldown(rank, cooldown)
        );
        _cooldowns[rank] = cooldown;
        emit CooldownChanged(rank, cooldown);
    }

    /// @dev What a resume by the caller takes now: the highest rank and the longest cool-down of what it lifts. Refuses a
    /// caller who lacks that rank, and one who would lift an owner's kill without being the owner. `ownersKillStays` says that
    /// it lifts only what stands above the owner's kill.
    function _resumeTerms(
        Scope scope,
        bytes32 subject
    ) private view returns (uint32 cooldown, bool ownersKillStays) {
        bool owns = _owns(msg.sender, scope, subject);
        Rank required;
        // The subject of an owner's kill that forbids the resume.
        bytes32 forbids;
        Scope forbidsAs = scope;
        if (_activeKill(scope, subject) != 0) {
            SubjectState storage state = _stateOf(scope, subject);
            required = state.rank;
            bool transferred = state.reason == REASON_TRANSFERRED && required == Rank.Owner;
            if (!transferred) cooldown = _cooldowns[required];
            ownersKillStays = state.ownersKill && !owns;
            if (ownersKillStays && required == Rank.Owner) forbids = subject;
        }
        if (scope == Scope.Agent) {
            uint256 agentId = uint256(subject);
            address owner = _ownerOf(agentId);
            if (_coveringOwnerKill(agentId, owner) != 0) {
                SubjectState storage wallet = _stateOf(Scope.Owner, _ownerSubject(owner));
                Rank ownerRank = wallet.rank;
                if (ownerRank > required) required = ownerRank;
                uint32 ownerCooldown = _cooldowns[ownerRank];
                if (ownerCooldown > cooldown) cooldown = ownerCooldown;
                if (wallet.ownersKill && !owns && forbids == 0)
                    (forbidsAs, forbids) = (Scope.Owner, _ownerSubject(owner));
            }
        }
        require(required != Rank.None, NotKilled(scope, subject));
        _requireResumeRank(scope, subject, required);
        require(forbids == 0, OwnersKill(forbidsAs, forbids));
    }

    /// @dev Sequence of the latest kill, active or not, that covers (some of) the subject.
    function _latestCoveringKill(Scope scope, bytes32 subject) private view returns (uint48 latest) {
        latest = _max(_stateOf(scope, subject).killedAt, _stateOf(Scope.Fleet, 0).killedAt);
        if (scope == Scope.Agent) {
            uint256 agentId = uint256(subject);
            bytes32 owner = _ownerSubject(_ownerOf(agentId));
            latest = _max(latest, _stateOf(Scope.Owner, owner).killedAt);
            bytes32 agentType = _agentOf(agentId).agentType;
            latest = _max(latest, _stateOf(Scope.AgentType, agentType).killedAt);
        }
    }

    /// @dev The rank of a kill by the account, with `OWNERS_KILL` if it is the owner's; 0 without power.
    function _killPower(address account, Scope scope, bytes32 subject) private view returns (uint256) {
        // The zero address holds no power, also where a role or an agent wallet is vacant.
        if (account == address(0)) return 0;
        if (_tagOf(account) == _emergencyGovernorTag && account == _emergencyGovernor) {
            return uint256(Rank.Governance) | (_owns(account, scope, subject) ? OWNERS_KILL : 0);
        }
        if (account == _council) {
            return uint256(Rank.Council) | (_owns(account, scope, subject) ? OWNERS_KILL : 0);
        }
        uint8 kind = uint8(scope);
        if (kind == uint8(Scope.Owner)) {
            return _actsFor(account, address(uint160(uint256(subject)))) ? OWNERS_POWER : 0;
        }
        if (kind == uint8(Scope.Agent)) {
            uint256 agentId = uint256(subject);
            if (_actsFor(account, _ownerOf(agentId))) return OWNERS_POWER;
            Agent storage agent = _agentOf(agentId);
            if (account == agent.agentWallet) return OWNERS_POWER;
            bool formerGuardian =
                block.timestamp < agent.formerUntil && _isGuardian(agent.formerOwner, account);
            if (formerGuardian) return OWNERS_POWER;
            if (_breakers[account]) return uint256(Rank.Breaker);
        }
        return 0;
    }

    function _resumeRank(address account, Scope scope, bytes32 subject) private view returns (Rank) {
        if (account == address(0)) return Rank.None;
        if (account == _governance) return Rank.Governance;
        if (account == _council) return Rank.Council;
        return _owns(account, scope, subject) ? Rank.Owner : Rank.None;
    }

    function _owns(address account, Scope scope, bytes32 subject) private view returns (bool) {
        uint8 kind = uint8(scope);
        if (kind == uint8(Scope.Agent)) return account == _ownerOf(uint256(subject));
        return kind == uint8(Scope.Owner) && _ownerSubject(account) == subject;
    }

    function _actsFor(address account, address owner) private view returns (bool) {
        return account == owner || _isGuardian(owner, account);
    }

    function _isGuardian(address owner, address account) private view returns (bool) {
        return _guardianUntil[owner][account] > block.timestamp;
    }

    /// @dev Every check of a kill that does not depend on how it came.
    function _requireKill(
        address account,
        Scope scope,
        bytes32 subject,
        uint16 reason,
        string calldata text
    ) private view returns (uint256 power) {
        require(reason < FIRST_RESERVED_REASON, ReservedReason(reason));
        require(bytes(text).length <= MAX_TEXT_LENGTH, TextTooLong(bytes(text).length));
        _requireSubject(scope, subject);
        power = _killPower(account, scope, subject);
        require(power != 0, NotAuthorized(account, scope, subject));
    }

    function _requireTimely(KillOrder calldata order) private view {
        uint64 issuedAt = order.issuedAt;
        uint64 deadline = order.deadline;
        require(
            issuedAt <= block.timestamp + MAX_CLOCK_SKEW &&
                deadline > issuedAt &&
                deadline - issuedAt <= MAX_ORDER_LIFE,
            InvalidOrderTimes(issuedAt, deadline, block.timestamp)
        );
        require(block.timestamp <= deadline, OrderExpired(deadline, block.timestamp));
        uint40 resumeRequestTime = _stateOf(order.scope, order.subject).resumeRequestTime;
        require(issuedAt >= resumeRequestTime, OrderSuperseded(issuedAt, resumeRequestTime));
    }

    function _requireResumeRank(Scope scope, bytes32 subject, Rank required) private view {
        Rank rank = _resumeRank(msg.sender, scope, subject);
        require(rank >= required, RankTooLow(msg.sender, rank, required));
    }

    function _requireSubject(Scope scope, bytes32 subject) private view {
        if (_isSubject(scope, subject)) return;
        require(scope != Scope.Agent, UnknownAgent(uint256(subject)));
        revert InvalidSubject(scope, subject);
    }

    function _isBurnt(bytes32 digest) private view returns (bool) {
        uint40 from = _burntFrom[digest];
        return from != 0 && block.timestamp >= from;
    }

    function _requireGovernance() private view {
        require(msg.sender == _governance, NotGovernance(msg.sender));
    }

    function _isSubject(Scope scope, bytes32 subject) private view returns (bool) {
        // As numbers: the compiler checks an enum anew at each comparison (40 gas), and every kill comes through here.
        uint8 kind = uint8(scope);
        if (kind == uint8(Scope.Owner)) return subject != 0 && uint256(subject) >> 160 == 0;
        if (kind == uint8(Scope.Agent)) return _ownerOf(uint256(subject)) != address(0);
        if (kind == uint8(Scope.AgentType)) return subject.lengthOf() != 0;
        return subject == 0;
    }

    function _readyAt(ResumeRequest memory request, uint32 cooldown) private pure returns (uint40) {
        return request.requestTime + (request.cooldown > cooldown ? request.cooldown : cooldown);
    }

    function _rankOf(uint256 power) private pure returns (Rank) {
        return Rank(uint8(power));
    }

    function _tagOf(address account) private pure returns (uint48) {
        return uint48(uint160(account));
    }

    function _max(uint48 a, uint48 b) private pure returns (uint48) {
        return a > b ? a : b;
    }
}
