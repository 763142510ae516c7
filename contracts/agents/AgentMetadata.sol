// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IERC8004IdentityRegistry} from "../interfaces/IERC8004IdentityRegistry.sol";

/// @title What owners say of their agents (ERC-8004)
/// @notice
/// Design
/// ------
/// - Nothing here has power: owners and their operators write it, also while an agent is killed, so that they can say
///   why. What the contract itself knows of an agent is kept out of their reach by reserved keys.
abstract contract AgentMetadata is ERC721, IERC8004IdentityRegistry {
    bytes32 internal constant AGENT_WALLET_KEY = keccak256("agentWallet");
    bytes32 internal constant KILL_STATUS_KEY = keccak256("killStatus");
    /// @dev Draft ERC-8156 lets this key overrule `active` of the registration file. Left empty, it overrules nothing.
    bytes32 internal constant ACTIVE_KEY = keccak256("active");

    mapping(uint256 agentId => string) private _uris;
    mapping(uint256 agentId => mapping(bytes32 keyHash => bytes)) private _metadata;

    /// @inheritdoc IERC8004IdentityRegistry
    function setAgentURI(uint256 agentId, string calldata newURI) external {
        _requireOperator(agentId);
        _setURI(agentId, newURI);
        emit URIUpdated(agentId, newURI, msg.sender);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function setMetadata(
        uint256 agentId,
        string calldata metadataKey,
        bytes calldata metadataValue
    ) external {
        _requireOperator(agentId);
        _setMetadata(agentId, metadataKey, metadataValue);
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function getMetadata(uint256 agentId, string calldata metadataKey) external view returns (bytes memory) {
        bytes32 keyHash = keccak256(bytes(metadataKey));
        return _isReserved(keyHash) ? _reservedMetadata(agentId, keyHash) : _metadata[agentId][keyHash];
    }

    /// @inheritdoc IERC8004IdentityRegistry
    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool) {
        return _isAuthorized(_requireAgent(agentId), spender, agentId);
    }

    /// @notice The URI of the agent's registration file.
    /// @param agentId the agent
    /// @return its URI, empty if none was set
    function tokenURI(uint256 agentId) public view override returns (string memory) {
        _requireAgent(agentId);
        return _uris[agentId];
    }

    function _setURI(uint256 agentId, string calldata uri) internal {
        _uris[agentId] = uri;
    }

    function _setMetadata(uint256 agentId, string calldata key, bytes calldata value) internal {
        bytes32 keyHash = keccak256(bytes(key));
        require(!_isReserved(keyHash), IAgentRegistry.ReservedMetadataKey(key));
        _metadata[agentId][keyHash] = value;
        emit MetadataSet(agentId, key, key, value);
    }

    /// @dev What the contract itself says under a reserved key.
    function _reservedMetadata(uint256 agentId, bytes32 keyHash) internal view virtual returns (bytes memory);

    function _requireAgent(uint256 agentId) internal view returns (address owner) {
        owner = _ownerOf(agentId);
        require(owner != address(0), IAgentRegistry.UnknownAgent(agentId));
    }

    function _requireOperator(uint256 agentId) private view {
        require(
            _isAuthorized(_requireAgent(agentId), msg.sender, agentId),
            IAgentRegistry.NotAgentOperator(agentId, msg.sender)
        );
    }

    function _isReserved(bytes32 keyHash) private pure returns (bool) {
        return keyHash == AGENT_WALLET_KEY || keyHash == KILL_STATUS_KEY || keyHash == ACTIVE_KEY;
    }
}
