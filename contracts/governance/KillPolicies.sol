// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAgentRegistry} from "../interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../interfaces/IKillSwitch.sol";
import {AgentTypes} from "../libraries/AgentTypes.sol";
import {PolicyRules} from "../libraries/PolicyRules.sol";
import {Document, EffectivePolicy, KillPolicy, Limits, POLICY_SCHEMA} from "../types/KillPolicy.sol";
import {Governed} from "./Governed.sol";

/// @title Under which conditions agents are stopped
/// @notice One policy by default and at most one for each agent type. Governance sets them; relayers follow them.
///
/// Design
/// ------
/// - Owners choose the type of their agents, so a type must not be a way out: its policy holds together with the
///   default, the tighter of each field. A policy that is looser is *by admission*: it holds, alone, for those agents of
///   the type that governance has admitted, and the default for the others.
/// - An admission is of an agent in the hands of one owner: it does not hold in other hands, and holds again when the agent
///   comes back. It is of no version either: it holds for whichever policy by admission the type has, until `dismiss`.
/// - Every change raises the version of its policy, and names the version that it replaces: what voters saw. So of two votes on
///   the same policy the second never undoes the first unseen. The events alone rebuild every policy at every block, the constructor's
///   included.
///
/// Trust assumptions
/// -----------------
/// - Nothing here kills or revives. A policy is what relayers, fences and breakers go by.
/// - What documents say is outside the chain; their hashes are not.
contract KillPolicies is Governed {
    using AgentTypes for bytes32;

    /// @dev Version 0: never set. A removed policy keeps its version and has `exists` false.
    struct Entry {
        uint64 version;
        bool exists;
        bool byAdmission;
        KillPolicy policy;
    }

    /// @notice The type under which the default is kept: none.
    bytes32 public constant DEFAULT = 0;

    mapping(bytes32 agentType => Entry) private _entries;
    mapping(uint256 agentId => address) private _admittedOwners;

    /// @notice A policy was set. `policy` is the ABI encoding of the layout that `schema` numbers (1: `KillPolicy`).
    event PolicySet(bytes32 indexed agentType, uint64 version, uint16 schema, bool byAdmission, bytes policy);
    /// @notice The type has no policy of its own any more.
    event PolicyRemoved(bytes32 indexed agentType, uint64 version);
    /// @notice The agent is admitted to its type's policy while `owner` owns it; zero ends its admission.
    event AgentAdmitted(uint256 indexed agentId, address indexed owner);

    /// @dev The word is no type that agents may have.
    error InvalidAgentType(bytes32 agentType);
    /// @dev A field is looser than the default's; make the policy hold by admission, or tighten it.
    error LooserThanDefault(bytes32 agentType);
    /// @dev The type has no policy of its own.
    error NoPolicy(bytes32 agentType);
    /// @dev The agent belongs to somebody else than the vote was told.
    error OwnerChanged(uint256 agentId, address owner, address expected);

    /// @dev Another vote changed the policy since; propose what shall follow `version`.
    error VersionChanged(bytes32 agentType, uint64 version, uint64 expected);

    /// @notice Sets the default's first version.
    /// @param killSwitch_ whose governance sets policies
    /// @param defaultPolicy the default's first version
    constructor(IKillSwitch killSwitch_, KillPolicy memory defaultPolicy) Governed(killSwitch_) {
        checkPolicy(defaultPolicy);
        _set(DEFAULT, defaultPolicy, false);
    }

    /// @notice Only governance. Sets the policy that holds for every agent.
    /// @param policy the new default
    /// @param expectedVersion the version that it replaces
    function setDefault(
        KillPolicy calldata policy,
        uint64 expectedVersion
    ) external onlyKillSwitchGovernance {
        _requireVersion(DEFAULT, expectedVersion);
        checkPolicy(policy);
        _set(DEFAULT, policy, false);
    }

    /// @notice Only governance. Sets the policy of a type.
    /// @param agentType the type's word
    /// @param policy its policy; without `byAdmission` no field may be looser than the default's
    /// @param byAdmission whether it holds, alone, for agents that governance admits
    /// @param expectedVersion the version that it replaces, 0 if the type never had a policy
    function setPolicy(
        bytes32 agentType,
        KillPolicy calldata policy,
        bool byAdmission,
        uint64 expectedVersion
    ) external onlyKillSwitchGovernance {
        require(agentType.lengthOf() != 0 && !agentType.isReserved(), InvalidAgentType(agentType));
        _requireVersion(agentType, expectedVersion);
        checkPolicy(policy);
        require(
            byAdmission || PolicyRules.isTightening(_entries[DEFAULT].policy.limits, policy.limits),
            LooserThanDefault(agentType)
        );
        _set(agentType, policy, byAdmission);
    }

    /// @notice Only governance. From now on the default alone holds for the type.
    /// @param agentType the type's word
    /// @param expectedVersion the version that is removed
    function removePolicy(bytes32 agentType, uint64 expectedVersion) external onlyKillSwitchGovernance {
        Entry storage entry = _entries[agentType];
        require(agentType != DEFAULT && entry.exists, NoPolicy(agentType));
        _requireVersion(agentType, expectedVersion);
        uint64 version = entry.version + 1;
        delete _entries[agentType];
        entry.version = version;
        emit PolicyRemoved(agentType, version);
    }

    /// @notice Only governance. Admits an agent to its type's policies by admission, present and later, whenever this account
    /// owns it.
    /// @param agentId the agent
    /// @param owner who owns it, as the voters were told
    function admit(uint256 agentId, address owner) external onlyKillSwitchGovernance {
        address found = IERC721(address(killSwitch())).ownerOf(agentId);
        require(found == owner, OwnerChanged(agentId, found, owner));
        _setAdmission(agentId, owner);
    }

    /// @notice Only governance. Ends an admission.
    /// @param agentId the agent
    function dismiss(uint256 agentId) external onlyKillSwitchGovernance {
        _setAdmission(agentId, address(0));
    }

    /// @notice A policy as it was set.
    /// @param agentType the type's word, or `DEFAULT`
    /// @return policy empty where there is none
    /// @return version how often it was set or removed
    /// @return exists whether there is one
    /// @return byAdmission whether it holds, alone, for admitted agents
    function policyOf(
        bytes32 agentType
    ) external view returns (KillPolicy memory policy, uint64 version, bool exists, bool byAdmission) {
        Entry storage entry = _entries[agentType];
        return (entry.policy, entry.version, entry.exists, entry.byAdmission);
    }

    /// @notice Who owned the agent when it was admitted; it is admitted while it still belongs to that account.
    /// @param agentId the agent
    /// @return zero for an agent that was never admitted, or dismissed
    function admittedOwnerOf(uint256 agentId) external view returns (address) {
        return _admittedOwners[agentId];
    }

    /// @notice What holds for an agent. Reverts for one that is not registered.
    /// @param agentId the agent
    /// @return what holds
    function effectivePolicyOf(uint256 agentId) external view returns (EffectivePolicy memory) {
        address owner = IERC721(address(killSwitch())).ownerOf(agentId);
        string memory agentType = IAgentRegistry(address(killSwitch())).agentTypeOf(agentId);
        // A type has at most 32 bytes; an agent without one falls under the default alone.
        return _effective(bytes32(bytes(agentType)), _admittedOwners[agentId] == owner);
    }

    /// @notice What holds for agents of a type that were not admitted.
    /// @param agentType the type's word
    /// @return what holds
    function effectivePolicyOfType(bytes32 agentType) external view returns (EffectivePolicy memory) {
        return _effective(agentType, false);
    }

    /// @notice Reverts unless every value is within its bounds: the bounds of `docs/governance.md`.
    /// @param policy the policy
    function checkPolicy(KillPolicy memory policy) public view {
        PolicyRules.check(policy, killSwitch().minCooldown());
    }

    function _set(bytes32 agentType, KillPolicy memory policy, bool byAdmission) private {
        Entry storage entry = _entries[agentType];
        uint64 version = entry.version + 1;
        entry.version = version;
        entry.exists = true;
        entry.byAdmission = byAdmission;
        entry.policy = policy;
        emit PolicySet(agentType, version, POLICY_SCHEMA, byAdmission, abi.encode(policy));
    }

    function _setAdmission(uint256 agentId, address owner) private {
        _admittedOwners[agentId] = owner;
        emit AgentAdmitted(agentId, owner);
    }

    function _requireVersion(bytes32 agentType, uint64 expected) private view {
        uint64 version = _entries[agentType].version;
        require(version == expected, VersionChanged(agentType, version, expected));
    }

    function _effective(
        bytes32 agentType,
        bool admittedOwner
    ) private view returns (EffectivePolicy memory effective) {
        Entry storage default_ = _entries[DEFAULT];
        Entry storage own = _entries[agentType];
        effective.defaultVersion = default_.version;
        effective.typeVersion = agentType == DEFAULT ? 0 : own.version;
        effective.admitted = agentType != DEFAULT && own.exists && own.byAdmission && admittedOwner;
        bool tightened = agentType != DEFAULT && own.exists && !own.byAdmission;

        Limits memory limits = default_.policy.limits;
        if (tightened) limits = PolicyRules.tighter(limits, own.policy.limits);
        effective.limits = effective.admitted ? own.policy.limits : limits;
        effective.boundaries = _documents(
            default_.policy.boundary,
            !effective.admitted,
            own.policy.boundary,
            tightened || effective.admitted
        );
        effective.decisions = _documents(
            default_.policy.decisions,
            !effective.admitted,
            own.policy.decisions,
            tightened || effective.admitted
        );
    }

    /// @dev Those of the two that hold and exist, in this order.
    function _documents(
        Document memory first,
        bool firstHolds,
        Document memory second,
        bool secondHolds
    ) private pure returns (Document[] memory documents) {
        firstHolds = firstHolds && first.hash != 0;
        secondHolds = secondHolds && second.hash != 0;
        documents = new Document[]((firstHolds ? 1 : 0) + (secondHolds ? 1 : 0));
        if (firstHolds) documents[0] = first;
        if (secondHolds) documents[documents.length - 1] = second;
    }
}
