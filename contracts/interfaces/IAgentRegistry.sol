// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Agents as ERC-721 tokens with a SPIFFE ID
/// @notice Beside the functions of ERC-8004 (see {IERC8004IdentityRegistry}): registration with a type and a key, which
/// give an agent its SPIFFE ID. An agent id is the number of its UUID (version 8), derived from chain, contract, registrant and salt, so
/// that nobody can take an announced identity first. It is also the ERC-721 token id.
interface IAgentRegistry {
    /// @notice What a registrant states of a new agent.
    /// @param agentType `[a-z0-9-]{1,32}`, not one of the reserved types
    /// @param key Ed25519 public key (RFC 8032) with which the agent attests
    /// @param salt chosen by the registrant; one agent per registrant and salt
    struct Registration {
        string agentType;
        bytes32 key;
        bytes32 salt;
    }

    /// @notice An agent was registered; `sequence` is also its first `aliveSince` and `keySince`. Type and key are empty
    /// where the agent is yet to be completed.
    event AgentRegistered(
        uint256 indexed agentId,
        address indexed owner,
        string agentType,
        bytes32 key,
        uint48 sequence
    );

    /// @notice The agent's key changed; SVIDs of an earlier generation can no longer be renewed.
    event KeyChanged(uint256 indexed agentId, bytes32 key, uint48 sequence);

    /// @notice An agent that was registered without type and key got them; `sequence` is also its `keySince`.
    event AgentCompleted(uint256 indexed agentId, string agentType, bytes32 key, uint48 sequence);

    /// @notice An agent changed hands. It was killed by the transfer (see `Killed` beside it), its key and agent wallet
    /// are cleared, and until `formerUntil` (Unix seconds) guardians of `formerOwner` keep their kill of it and it
    /// cannot be transferred again.
    event AgentTransferred(
        uint256 indexed agentId,
        address indexed formerOwner,
        address indexed newOwner,
        uint40 formerUntil
    );

    /// @dev The type is not `[a-z0-9-]{1,32}`.
    error InvalidAgentType(string agentType);
    /// @dev The type is kept for workloads that operators enrol.
    error ReservedAgentType(string agentType);
    /// @dev The trust domain is not `[a-z0-9._-]{1,255}`.
    error InvalidTrustDomain(string trustDomain);
    /// @dev The registrant has used this salt already.
    error AgentExists(uint256 agentId);
    /// @dev No such agent is registered.
    error UnknownAgent(uint256 agentId);
    /// @dev Zero is no key.
    error InvalidKey(uint256 agentId);
    /// @dev The new key equals the present one, or the one that a transfer cleared.
    error KeyUnchanged(uint256 agentId, bytes32 key);
    /// @dev The caller does not own the agent.
    error NotAgentOwner(uint256 agentId, address caller);
    /// @dev The caller neither owns the agent nor is an operator of it (ERC-721).
    error NotAgentOperator(uint256 agentId, address caller);
    /// @dev The agent has no type and key yet; complete it first.
    error AgentIncomplete(uint256 agentId);
    /// @dev The agent has its type for good.
    error AgentComplete(uint256 agentId);
    /// @dev The key is kept for what the contract itself says of an agent.
    error ReservedMetadataKey(string metadataKey);
    /// @dev A wallet under an active Owner kill neither registers nor receives agents.
    error WalletKilled(address wallet);
    /// @dev A killed agent can neither be transferred nor completed nor given another wallet.
    error AgentKilled(uint256 agentId);
    /// @dev The guardians of the former owner keep their kill until `formerUntil`; until then it stays where it is.
    error TransferredTooRecently(uint256 agentId, uint40 formerUntil);
    /// @dev The new wallet's proof is expired, too far ahead (over 5 minutes) or not its signature.
    error InvalidAgentWalletProof(uint256 agentId, address newWallet, uint256 deadline);

    /// @notice Registers one agent to the caller.
    /// @return agentId the derived id
    function register(
        string calldata agentType,
        bytes32 key,
        bytes32 salt
    ) external returns (uint256 agentId);

    /// @notice Registers several agents to the caller, in order, all or none.
    function registerBatch(
        Registration[] calldata registrations
    ) external returns (uint256[] memory agentIds);

    /// @notice Sets another attestation key of a complete agent. Only the owner; also while killed (a transferred agent needs one to resume).
    function setKey(uint256 agentId, bytes32 key) external;

    /// @notice Gives type and key, and so a SPIFFE ID, to an agent that was registered without; once. Only the owner, not
    /// while killed. Kills of the type cover it from then on, earlier ones too.
    function completeAgent(uint256 agentId, string calldata agentType, bytes32 key) external;

    /// @notice The id that `registrant` would get for `salt`: UUIDv8 over
    /// `keccak256(abi.encode(chainId, this, registrant, salt))`.
    function deriveAgentId(address registrant, bytes32 salt) external view returns (uint256 agentId);

    /// @notice `spiffe://<trust domain>/<type>/<uuid>`; reverts for an agent that is not complete.
    function spiffeId(uint256 agentId) external view returns (string memory);

    /// @notice The trust domain of all agents of this deployment.
    function trustDomain() external view returns (string memory);

    /// @notice The agent's type; empty until it is complete.
    function agentTypeOf(uint256 agentId) external view returns (string memory);

    /// @notice The agent's Ed25519 key; zero while a transfer has cleared it, and until it is complete.
    function keyOf(uint256 agentId) external view returns (bytes32);

    /// @notice The one counter: grows by one with every kill, resume, registration and key change.
    function sequence() external view returns (uint48);
}
