// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IERC8004IdentityRegistry} from "../interfaces/IERC8004IdentityRegistry.sol";
import {AgentTypes} from "../libraries/AgentTypes.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {TrustDomains} from "../libraries/TrustDomains.sol";
import {Uuids} from "../libraries/Uuids.sol";
import {Scope, SubjectState} from "../types/Liveness.sol";
import {AgentMetadata} from "./AgentMetadata.sol";

/// @title Agents as ERC-721 tokens with a SPIFFE ID
/// @notice
/// Design
/// ------
/// - The registry keeps the one counter and the one table of liveness, because registrations and key changes count
///   too and because a killed agent or wallet may not move. Who may kill and resume is decided by the contract that
///   inherits it.
/// - An agent's id is derived from its registrant, so an announced identity cannot be taken by another.
/// - An agent may be registered without type and key (ERC-8004). It is killed like any other, by its id, its owner or
///   with the fleet, but has no SPIFFE ID. Completing it revives nothing: `aliveSince` stays that of its registration.
/// - An agent's liveness is written at its registration: its first kill then changes a slot instead of filling one.
/// - A transfer is a kill. Whoever receives an agent must set another key and resume it, so no SVID that the former
///   owner could hold survives the change of hands.
///
/// Trust assumptions
/// -----------------
/// - The registrant states the agent's type and key. That the agent holds the key is proved to a relayer, not here.
/// - Operators (ERC-721) may move an agent, which kills it, and say what they like of it. Its wallet, which may kill it,
///   its type and its key are its owner's alone.
/// - A thief of an agent cannot pass it on before the guardians of the former owner have had one cool-down.
abstract contract AgentRegistry is AgentMetadata, EIP712, IAgentRegistry {
    using AgentTypes for bytes32;
    using Uuids for uint256;

    /// @dev What is stored of an agent beside its owner (ERC-721) and its liveness. Two slots are filled by a
    /// registration with type and key, the third by an agent wallet, the fourth by a transfer. The wallet is zero while
    /// it is the owner (as it is at first), and when it was cleared: by a transfer, or by the owner (`walletUnset`).
    struct Agent {
        bytes32 agentType;
        bytes32 key;
        address agentWallet;
        bool walletUnset;
        address formerOwner;
        uint40 formerUntil;
    }

    bytes32 private constant AGENT_WALLET_SET_TYPEHASH = keccak256(
        "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
    );

    /// @dev Domain of that proof: the live ERC-8004 registry's, so that its tools sign for this one too.
    string private constant ERC8004_NAME = "ERC8004IdentityRegistry";
    string private constant ERC8004_VERSION = "1";
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    uint256 private constant MAX_AGENT_WALLET_PROOF_LIFE = 5 minutes;

    string private _trustDomain;
    mapping(uint256 agentId => Agent) private _agents;
    mapping(address registrant => uint256) private _unsalted;
    mapping(Scope scope => mapping(bytes32 subject => SubjectState)) private _states;

    /// @dev Stays the last variable: it shares its slot with the first one of the inheriting contract.
    uint48 private _sequence;

    constructor(string memory trustDomain_) ERC721("Killswitch Agent", "AGENT") EIP712("KillSwitch", "1") {
        require(TrustDomains.isValid(trustDomain_), InvalidTrustDomain(trustDomain_));
        _trustDomain = trustDomain_;
    }

    /// @inheritdoc IAgentRegistry
    function register(
        string calldata agentType,
        bytes32 key,
        bytes32 salt
    ) external returns (uint256 agentId) {
        return _register(agentType, key, salt);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function register() external returns (uint256 agentId) {
        return _registerIncomplete(_noText());
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function register(string calldata agentURI) external returns (uint256 agentId) {
        return _registerIncomplete(agentURI);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function register(
        string calldata agentURI,
        MetadataEntry[] calldata metadata
    ) external returns (uint256 agentId) {
        agentId = _registerIncomplete(agentURI);
        for (uint256 i = 0; i < metadata.length; ++i)
            _setMetadata(agentId, metadata[i].metadataKey, metadata[i].metadataValue);
    }

    /// @inheritdoc IAgentRegistry
    function registerBatch(
        Registration[] calldata registrations
    ) external returns (uint256[] memory agentIds) {
        agentIds = new uint256[](registrations.length);
        for (uint256 i = 0; i < registrations.length; ++i) {
            Registration calldata registration = registrations[i];
            agentIds[i] = _register(registration.agentType, registration.key, registration.salt);
        }
    }

    /// @inheritdoc IAgentRegistry
    function completeAgent(uint256 agentId, string calldata agentType, bytes32 key) external {
        address owner = _requireAgentOwner(agentId);
        Agent storage agent = _agents[agentId];
        require(agent.agentType == 0, AgentComplete(agentId));
        require(!_isKilled(agentId, owner), AgentKilled(agentId));
        bytes32 typeWord = AgentTypes.toWord(agentType);
        require(key != 0, InvalidKey(agentId));

        uint48 sequence_ = _nextSequence();
        _stateOf(Scope.Agent, bytes32(agentId)).keySince = sequence_;
        agent.agentType = typeWord;
        agent.key = key;
        emit AgentCompleted(agentId, agentType, key, sequence_);
    }

    /// @inheritdoc IAgentRegistry
    function setKey(uint256 agentId, bytes32 key) external {
        _requireAgentOwner(agentId);
        Agent storage agent = _requireComplete(agentId);
        require(key != 0, InvalidKey(agentId));
        // A transfer leaves the cleared key here, so this also refuses the one that the former owner knew.
        require(key != agent.key, KeyUnchanged(agentId, key));

        uint48 sequence_ = _nextSequence();
        _stateOf(Scope.Agent, bytes32(agentId)).keySince = sequence_;
        agent.key = key;
        emit KeyChanged(agentId, key, sequence_);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function setAgentWallet(
        uint256 agentId,
        address newWallet,
        uint256 deadline,
        bytes calldata signature
    ) external {
        address owner = _requireAgentOwner(agentId);
        require(!_isKilled(agentId, owner), AgentKilled(agentId));
        bytes32 digest = MessageHashUtils.toTypedDataHash(
            keccak256(
                abi.encode(
                    DOMAIN_TYPEHASH,
                    keccak256(bytes(ERC8004_NAME)),
                    keccak256(bytes(ERC8004_VERSION)),
                    block.chainid,
                    address(this)
                )
            ),
            keccak256(abi.encode(AGENT_WALLET_SET_TYPEHASH, agentId, newWallet, owner, deadline))
        );
        require(
            block.timestamp <= deadline &&
                deadline <= block.timestamp + MAX_AGENT_WALLET_PROOF_LIFE &&
                Signatures.isValid(newWallet, digest, signature),
            InvalidAgentWalletProof(agentId, newWallet, deadline)
        );

        _agents[agentId].agentWallet = newWallet;
        _announceWallet(agentId, newWallet);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function unsetAgentWallet(uint256 agentId) external {
        address owner = _requireAgentOwner(agentId);
        require(!_isKilled(agentId, owner), AgentKilled(agentId));

        Agent storage agent = _agents[agentId];
        agent.agentWallet = address(0);
        agent.walletUnset = true;
        _announceWallet(agentId, address(0));
    }

    /// @inheritdoc IAgentRegistry
    function spiffeId(uint256 agentId) external view returns (string memory) {
        _requireAgent(agentId);
        Agent storage agent = _requireComplete(agentId);
        return string.concat("spiffe://", _trustDomain, "/", agent.agentType.toText(), "/", agentId.toText());
    }

    /// @inheritdoc IAgentRegistry
    function trustDomain() external view returns (string memory) {
        return _trustDomain;
    }

    /// @inheritdoc IAgentRegistry
    function agentTypeOf(uint256 agentId) external view returns (string memory) {
        _requireAgent(agentId);
        return _agents[agentId].agentType.toText();
    }

    /// @inheritdoc IAgentRegistry
    function keyOf(uint256 agentId) external view returns (bytes32) {
        _requireAgent(agentId);
        return _isKeyCleared(agentId) ? bytes32(0) : _agents[agentId].key;
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function getAgentWallet(uint256 agentId) external view returns (address) {
        _requireAgent(agentId);
        return _agentWalletOf(agentId);
    }

    /// @inheritdoc IAgentRegistry
    function sequence() external view returns (uint48) {
        return _sequence;
    }

    /// @inheritdoc IAgentRegistry
    function deriveAgentId(address registrant, bytes32 salt) public view returns (uint256 agentId) {
        return Uuids.fromHash(keccak256(abi.encode(block.chainid, address(this), registrant, salt)));
    }

    /// @notice The domain of agent wallet proofs (ERC-5267), for the tools of ERC-8004. Orders have a domain of their own:
    /// `KillSwitch`, version `1`, as `orderDigest` has it.
    /// @return fields all but salt and extensions
    /// @return name of ERC-8004's registry
    /// @return version of ERC-8004's registry
    /// @return chainId of this chain
    /// @return verifyingContract this contract
    /// @return salt none
    /// @return extensions none
    function eip712Domain()
        public
        view
        override
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (
            hex"0f",
            ERC8004_NAME,
            ERC8004_VERSION,
            block.chainid,
            address(this),
            bytes32(0),
            new uint256[](0)
        );
    }

    /// @dev The kill that goes with a transfer: scope Agent, rank Owner, in the name of the former owner.
    function _killTransferred(uint256 agentId, address formerOwner) internal virtual;

    /// @dev For how long the guardians of a former owner keep their kill, in seconds.
    function _formerGuardianship() internal view virtual returns (uint32);

    /// @dev Every change of hands comes through here; nothing burns agents.
    function _update(address to, uint256 agentId, address auth) internal override returns (address from) {
        from = super._update(to, agentId, auth);
        if (from == address(0)) return from;

        Agent storage agent = _agents[agentId];
        require(!_isKilled(agentId, from), AgentKilled(agentId));
        _requireNotKilled(to);
        require(block.timestamp >= agent.formerUntil, TransferredTooRecently(agentId, agent.formerUntil));

        uint40 formerUntil = uint40(block.timestamp) + _formerGuardianship();
        agent.formerOwner = from;
        agent.formerUntil = formerUntil;
        _stateOf(Scope.Agent, bytes32(agentId)).keySince = 0;
        emit AgentTransferred(agentId, from, to, formerUntil);
        if (agent.agentWallet != address(0)) agent.agentWallet = address(0);
        _announceWallet(agentId, address(0));
        _killTransferred(agentId, from);
    }

    function _nextSequence() internal returns (uint48) {
        // 10,000 acts a second would take 890 years to reach 2^48.
        unchecked {
            return ++_sequence;
        }
    }

    function _currentSequence() internal view returns (uint48) {
        return _sequence;
    }

    function _stateOf(Scope scope, bytes32 subject) internal view returns (SubjectState storage) {
        return _states[scope][subject];
    }

    function _agentOf(uint256 agentId) internal view returns (Agent storage) {
        return _agents[agentId];
    }

    /// @dev Whether a kill covers the agent while `owner` owns it.
    function _isKilled(uint256 agentId, address owner) internal view returns (bool) {
        return
            _activeKill(Scope.Agent, bytes32(agentId)) != 0 ||
            _coveringOwnerKill(agentId, owner) != 0 ||
            _activeKill(Scope.AgentType, _agents[agentId].agentType) != 0 ||
            _activeKill(Scope.Fleet, 0) != 0;
    }

    /// @dev Sequence of the wallet's active kill, unless the agent's own resume (or registration) has answered it; else 0.
    function _coveringOwnerKill(uint256 agentId, address owner) internal view returns (uint48 killedAt) {
        killedAt = _activeKill(Scope.Owner, _ownerSubject(owner));
        if (killedAt <= _stateOf(Scope.Agent, bytes32(agentId)).aliveSince) killedAt = 0;
    }

    /// @dev Sequence of the subject's latest kill while it is active, else 0.
    function _activeKill(Scope scope, bytes32 subject) internal view returns (uint48 killedAt) {
        SubjectState storage state = _stateOf(scope, subject);
        killedAt = state.killedAt;
        if (killedAt <= state.aliveSince) killedAt = 0;
    }

    /// @dev Whether a transfer withdrew the key, which `Agent` keeps so that it is not set again. An agent that never had one
    /// has none that a former owner could know.
    function _isKeyCleared(uint256 agentId) internal view returns (bool) {
        return _stateOf(Scope.Agent, bytes32(agentId)).keySince == 0 && _agents[agentId].key != 0;
    }

    /// @dev Zero for an unknown agent.
    function _agentWalletOf(uint256 agentId) internal view returns (address agentWallet) {
        Agent storage agent = _agents[agentId];
        agentWallet = agent.agentWallet;
        bool cleared = agent.walletUnset || agent.formerUntil != 0;
        if (agentWallet == address(0) && !cleared) agentWallet = _ownerOf(agentId);
    }

    function _ownerSubject(address wallet) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(wallet)));
    }

    function _register(
        string calldata agentType,
        bytes32 key,
        bytes32 salt
    ) private returns (uint256 agentId) {
        agentId = deriveAgentId(msg.sender, salt);
        Agent storage agent = _agents[agentId];
        bytes32 typeWord = AgentTypes.toWord(agentType);
        require(key != 0, InvalidKey(agentId));
        _create(agentId, agentType, key, _noText());
        agent.agentType = typeWord;
        agent.key = key;
    }

    /// @dev Five words are hashed where a salt makes four, so that no salt gives the same id.
    function _registerIncomplete(string calldata agentURI) private returns (uint256 agentId) {
        uint256 count = _unsalted[msg.sender];
        _unsalted[msg.sender] = count + 1;
        agentId = Uuids.fromHash(
            keccak256(abi.encode(block.chainid, address(this), msg.sender, bytes32(0), count))
        );
        _create(agentId, _noText(), 0, agentURI);
        if (bytes(agentURI).length > 0) _setURI(agentId, agentURI);
    }

    function _create(
        uint256 agentId,
        string calldata agentType,
        bytes32 key,
        string calldata agentURI
    ) private {
        _requireNotKilled(msg.sender);
        require(_ownerOf(agentId) == address(0), AgentExists(agentId));

        uint48 sequence_ = _nextSequence();
        SubjectState memory state;
        state.aliveSince = sequence_;
        if (key != 0) state.keySince = sequence_;
        _states[Scope.Agent][bytes32(agentId)] = state;
        _mint(msg.sender, agentId);
        emit AgentRegistered(agentId, msg.sender, agentType, key, sequence_);
        emit Registered(agentId, agentURI, msg.sender);
        _announceWallet(agentId, msg.sender);
    }

    function _announceWallet(uint256 agentId, address agentWallet) private {
        bytes memory value = agentWallet == address(0) ? bytes("") : abi.encodePacked(agentWallet);
        emit MetadataSet(agentId, "agentWallet", "agentWallet", value);
    }

    function _requireComplete(uint256 agentId) private view returns (Agent storage agent) {
        agent = _agents[agentId];
        require(agent.agentType != 0, AgentIncomplete(agentId));
    }

    function _requireNotKilled(address wallet) private view {
        require(_activeKill(Scope.Owner, _ownerSubject(wallet)) == 0, WalletKilled(wallet));
    }

    function _requireAgentOwner(uint256 agentId) private view returns (address owner) {
        owner = _requireAgent(agentId);
        require(owner == msg.sender, NotAgentOwner(agentId, msg.sender));
    }

    function _noText() private pure returns (string calldata) {
        return string(msg.data[:0]);
    }
}
