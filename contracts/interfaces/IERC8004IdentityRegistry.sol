// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The identity registry of ERC-8004 (Trustless Agents)
/// @notice Names, signatures and events are those of the standard and of its live contract (version 2), so that its
/// tools work unchanged. Two things differ: agent ids are derived instead of counted, and what gives power (the agent
/// wallet) stays with the owner and is refused while the agent is killed.
interface IERC8004IdentityRegistry {
    /// @notice One entry of an agent's metadata.
    struct MetadataEntry {
        string metadataKey;
        bytes metadataValue;
    }

    /// @notice An agent was registered, by whatever function.
    event Registered(uint256 indexed agentId, string agentURI, address indexed owner);

    /// @notice A metadata entry was set; for the key `agentWallet` also by registration, transfer and the functions below.
    event MetadataSet(
        uint256 indexed agentId,
        string indexed indexedMetadataKey,
        string metadataKey,
        bytes metadataValue
    );

    /// @notice The agent's URI changed.
    event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy);

    /// @notice Registers an agent to the caller. It has no SPIFFE ID until its owner completes it.
    /// @return agentId derived from the caller and the number of agents it has registered without a salt
    function register() external returns (uint256 agentId);

    /// @notice `register` with the URI of the registration file.
    function register(string calldata agentURI) external returns (uint256 agentId);

    /// @notice `register` with the URI of the registration file and metadata; none of the reserved keys.
    function register(
        string calldata agentURI,
        MetadataEntry[] calldata metadata
    ) external returns (uint256 agentId);

    /// @notice Sets the URI of the registration file. Owner or operator, also while killed.
    function setAgentURI(uint256 agentId, string calldata newURI) external;

    /// @notice Sets a metadata entry. Owner or operator, also while killed; none of the reserved keys: `agentWallet` has
    /// functions of its own, `killStatus` and `active` would let an owner contradict the kill status.
    function setMetadata(uint256 agentId, string calldata metadataKey, bytes calldata metadataValue) external;

    /// @notice Names the agent's own wallet, which may then kill it. Only the owner, not while killed.
    /// @param deadline Unix seconds, at most 5 minutes ahead
    /// @param signature by `newWallet` (ECDSA or ERC-1271) over the EIP-712 struct
    /// `AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)` in the domain that
    /// `eip712Domain` (ERC-5267) names: `ERC8004IdentityRegistry`, version `1`
    function setAgentWallet(
        uint256 agentId,
        address newWallet,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Clears the agent's own wallet. Only the owner, not while killed.
    function unsetAgentWallet(uint256 agentId) external;

    /// @notice A metadata entry; empty if there is none. `agentWallet` is the wallet's 20 bytes, `killStatus` is
    /// `abi.encode` of what `statusOf` answers.
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory);

    /// @notice The agent's own wallet: its owner until another one is set, zero once it was cleared.
    function getAgentWallet(uint256 agentId) external view returns (address);

    /// @notice Whether `spender` owns the agent or is an operator of it (ERC-721), as reputation registries ask.
    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool);
}
