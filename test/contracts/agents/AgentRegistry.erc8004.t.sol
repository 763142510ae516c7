// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IAgentKillStatus} from "../../../contracts/interfaces/IAgentKillStatus.sol";
import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IERC8004IdentityRegistry} from "../../../contracts/interfaces/IERC8004IdentityRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {Rank, Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

/// @notice The identity registry of ERC-8004; `bare` is an agent without type and key.
contract AgentRegistryErc8004Test is KillSwitchTest {
    string private constant FILE_URI = "ipfs://bafkreigh2akiscaildc";
    string private constant OTHER_URI = "https://agent.example/agent.json";

    uint256 private bare;

    function setUp() public override {
        super.setUp();
        vm.prank(alice);
        bare = killSwitch.register();
    }

    // ===== Registration

    function test_register_withoutAnything() public {
        uint48 next = killSwitch.sequence() + 1;
        vm.prank(bob);
        uint256 agentId = killSwitch.register();
        assertEq(killSwitch.ownerOf(agentId), bob);
        assertEq(killSwitch.sequence(), next);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agentId));
        assertEq(state.aliveSince, next);
        assertEq(state.keySince, 0);
        assertEq(killSwitch.keyOf(agentId), 0);
        assertEq(killSwitch.agentTypeOf(agentId), "");
        assertEq(killSwitch.tokenURI(agentId), "");
        assertEq(killSwitch.getAgentWallet(agentId), bob);
        require(!killSwitch.isKilled(agentId));
    }

    function test_register_emitsTheEventsOfTheStandardAndItsOwn() public {
        // The standard names them and their fields, not their order; the id is known from what it is derived from.
        uint256 agentId = idOf(bob, 0);
        IERC8004IdentityRegistry.MetadataEntry[] memory metadata = entries("note", "hello");
        uint48 next = killSwitch.sequence() + 1;
        expectEmit();
        emit IERC721.Transfer(address(0), bob, agentId);
        expectEmit();
        emit IAgentRegistry.AgentRegistered(agentId, bob, "", 0, next);
        expectEmit();
        emit IERC8004IdentityRegistry.Registered(agentId, FILE_URI, bob);
        expectWalletSet(agentId, bob);
        expectEmit();
        emit IERC8004IdentityRegistry.MetadataSet(agentId, "note", "note", "hello");
        vm.prank(bob);
        assertEq(killSwitch.register(FILE_URI, metadata), agentId);
        assertEq(killSwitch.tokenURI(agentId), FILE_URI);
        assertEq(string(killSwitch.getMetadata(agentId, "note")), "hello");
    }

    function test_register_withAType_emitsTheEventsOfTheStandardToo() public {
        uint256 agentId = killSwitch.deriveAgentId(bob, "9");
        expectEmit();
        emit IERC8004IdentityRegistry.Registered(agentId, "", bob);
        expectWalletSet(agentId, bob);
        register(bob, "9");
    }

    /// @dev Nobody else's registrations change which id one gets.
    function testFuzz_register_idsDependOnTheRegistrantAlone(uint8 before) public {
        for (uint256 i = 0; i < before % 8; ++i) {
            vm.prank(mallory);
            killSwitch.register();
        }
        register(bob, "1");
        for (uint256 count = 0; count < 3; ++count) {
            vm.prank(bob);
            assertEq(killSwitch.register(FILE_URI), idOf(bob, count));
        }
    }

    function test_register_idsAreOfVersion8() public view {
        assertEq((bare >> 76) & 0xf, 8);
        assertEq((bare >> 62) & 3, 2);
        assertEq(bare >> 128, 0);
    }

    /// @dev A salt cannot be chosen so that a later registration without one finds its id taken.
    function test_attack_saltOfTheNextId() public {
        register(bob, bytes32(0));
        register(bob, bytes32(uint256(1)));
        vm.prank(bob);
        require(killSwitch.register() != killSwitch.deriveAgentId(bob, 0));
        vm.prank(bob);
        killSwitch.register();
    }

    function test_attack_registeringIntoAKilledWallet() public {
        killWallet(council, bob);
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.WalletKilled.selector, bob);
        expectRevert(error_);
        vm.prank(bob);
        killSwitch.register();
        expectRevert(error_);
        vm.prank(bob);
        killSwitch.register(FILE_URI);
        IERC8004IdentityRegistry.MetadataEntry[] memory metadata = entries("note", "");
        expectRevert(error_);
        vm.prank(bob);
        killSwitch.register(FILE_URI, metadata);
    }

    // ===== Kills of agents that are not complete

    function test_kill_coversBareAgentsByIdOwnerAndFleet() public {
        assertEq(killSwitch.agentTypeOf(bare), "");
        kill(breaker, Scope.Agent, bytes32(bare));
        require(killSwitch.isKilled(bare));
        lift(alice, Scope.Agent, bytes32(bare));
        require(!killSwitch.isKilled(bare));

        killWallet(guardian, alice);
        require(killSwitch.isKilled(bare));
        lift(alice, Scope.Owner, subjectOf(alice));
        require(!killSwitch.isKilled(bare));

        kill(council, Scope.Fleet, FLEET);
        require(killSwitch.isKilled(bare));
    }

    function test_kill_ofTheEmptyTypeIsImpossible() public {
        expectRevert(
            abi.encodeWithSelector(IKillSwitch.InvalidSubject.selector, Scope.AgentType, bytes32(0))
        );
        kill(council, Scope.AgentType, 0);
    }

    function test_kill_ofATypeCoversFromCompletionOn() public {
        kill(council, Scope.AgentType, TYPE_WORD);
        require(!killSwitch.isKilled(bare));
        complete(alice, TYPE, KEY);
        require(killSwitch.isKilled(bare));
        lift(council, Scope.AgentType, TYPE_WORD);
        require(!killSwitch.isKilled(bare));
    }

    // ===== Completion

    function test_completeAgent_givesTypeKeyAndSpiffeId() public {
        uint48 aliveSince = killSwitch.stateOf(Scope.Agent, bytes32(bare)).aliveSince;
        uint48 next = killSwitch.sequence() + 1;
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentIncomplete.selector, bare));
        killSwitch.spiffeId(bare);
        expectEmit();
        emit IAgentRegistry.AgentCompleted(bare, TYPE, KEY, next);
        complete(alice, TYPE, KEY);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(bare));
        assertEq(state.keySince, next);
        assertEq(state.aliveSince, aliveSince);
        assertEq(killSwitch.keyOf(bare), KEY);
        assertEq(killSwitch.agentTypeOf(bare), TYPE);
        string memory id = killSwitch.spiffeId(bare);
        assertEq(bytes(id).length, bytes("spiffe://killswitch.ai/").length + bytes(TYPE).length + 1 + 36);
        vm.prank(alice);
        killSwitch.setKey(bare, OTHER_KEY);
    }

    function test_completeAgent_once() public {
        complete(alice, TYPE, KEY);
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.AgentComplete.selector, bare);
        expectRevert(error_);
        complete(alice, TYPE, KEY);
        expectRevert(error_);
        complete(alice, "another", OTHER_KEY);
        // Nor one that was complete from the start.
        bare = agent;
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentComplete.selector, agent));
        complete(alice, "another", OTHER_KEY);
    }

    function test_completeAgent_onlyOwner() public {
        vm.prank(alice);
        killSwitch.setApprovalForAll(mallory, true);
        address[4] memory others = [mallory, guardian, council, governance];
        for (uint256 i = 0; i < others.length; ++i) {
            expectRevert(abi.encodeWithSelector(IAgentRegistry.NotAgentOwner.selector, bare, others[i]));
            complete(others[i], TYPE, KEY);
        }
        expectRevert(abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, bare ^ 1));
        vm.prank(alice);
        killSwitch.completeAgent(bare ^ 1, TYPE, KEY);
    }

    function test_completeAgent_typeAndKeyAsInARegistration() public {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.ReservedAgentType.selector, "relayer"));
        complete(alice, "relayer", KEY);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidAgentType.selector, ""));
        complete(alice, "", KEY);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidKey.selector, bare));
        complete(alice, TYPE, 0);
    }

    function test_attack_completingAKilledAgent() public {
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.AgentKilled.selector, bare);
        kill(guardian, Scope.Agent, bytes32(bare));
        expectRevert(error_);
        complete(alice, TYPE, KEY);
        lift(alice, Scope.Agent, bytes32(bare));

        killWallet(guardian, alice);
        expectRevert(error_);
        complete(alice, TYPE, KEY);
        lift(alice, Scope.Owner, subjectOf(alice));

        kill(council, Scope.Fleet, FLEET);
        expectRevert(error_);
        complete(alice, TYPE, KEY);
        lift(council, Scope.Fleet, FLEET);
        complete(alice, TYPE, KEY);
    }

    function test_setKey_ofABareAgent() public {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentIncomplete.selector, bare));
        vm.prank(alice);
        killSwitch.setKey(bare, KEY);
    }

    /// @dev It is killed like any transfer; with no key to replace, its new owner resumes it and then completes it.
    function test_transfer_ofABareAgent() public {
        vm.prank(alice);
        killSwitch.transferFrom(alice, bob, bare);
        require(killSwitch.isKilled(bare));
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentKilled.selector, bare));
        complete(bob, TYPE, KEY);
        requestResume(bob, Scope.Agent, bytes32(bare));
        resume(bob, Scope.Agent, bytes32(bare));
        complete(bob, TYPE, KEY);
        require(!killSwitch.isKilled(bare));
    }

    // ===== What owners say

    function test_setAgentURI_byOwnerAndOperatorsAlsoWhileKilled() public {
        expectEmit();
        emit IERC8004IdentityRegistry.URIUpdated(agent, FILE_URI, alice);
        vm.prank(alice);
        killSwitch.setAgentURI(agent, FILE_URI);
        assertEq(killSwitch.tokenURI(agent), FILE_URI);

        killAgent(alice);
        vm.prank(alice);
        killSwitch.approve(mallory, agent);
        vm.prank(mallory);
        killSwitch.setAgentURI(agent, OTHER_URI);
        assertEq(killSwitch.tokenURI(agent), OTHER_URI);
        vm.prank(alice);
        killSwitch.setAgentURI(agent, "");
        assertEq(killSwitch.tokenURI(agent), "");
    }

    function test_setMetadata_byOwnerAndOperatorsAlsoWhileKilled() public {
        killAgent(alice);
        expectEmit();
        emit IERC8004IdentityRegistry.MetadataSet(agent, "note", "note", hex"00ff");
        vm.prank(alice);
        killSwitch.setMetadata(agent, "note", hex"00ff");
        assertEq(keccak256(killSwitch.getMetadata(agent, "note")), keccak256(hex"00ff"));
        assertEq(killSwitch.getMetadata(bare, "note").length, 0);
        vm.prank(alice);
        killSwitch.setApprovalForAll(mallory, true);
        vm.prank(mallory);
        killSwitch.setMetadata(agent, "note", "");
        assertEq(killSwitch.getMetadata(agent, "note").length, 0);
    }

    function test_says_onlyOwnerAndOperators() public {
        address[3] memory others = [mallory, guardian, governance];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory error_ = abi.encodeWithSelector(
                IAgentRegistry.NotAgentOperator.selector,
                agent,
                others[i]
            );
            expectRevert(error_);
            vm.prank(others[i]);
            killSwitch.setAgentURI(agent, FILE_URI);
            expectRevert(error_);
            vm.prank(others[i]);
            killSwitch.setMetadata(agent, "note", "");
            require(!killSwitch.isAuthorizedOrOwner(others[i], agent));
        }
        require(killSwitch.isAuthorizedOrOwner(alice, agent));
        vm.prank(alice);
        killSwitch.approve(mallory, agent);
        require(killSwitch.isAuthorizedOrOwner(mallory, agent));
        transfer(alice, bob);
        require(!killSwitch.isAuthorizedOrOwner(mallory, agent));
        require(!killSwitch.isAuthorizedOrOwner(alice, agent));
    }

    function test_says_unknownAgent() public {
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, agent ^ 1);
        expectRevert(error_);
        killSwitch.setAgentURI(agent ^ 1, FILE_URI);
        expectRevert(error_);
        killSwitch.setMetadata(agent ^ 1, "note", "");
        expectRevert(error_);
        killSwitch.tokenURI(agent ^ 1);
        expectRevert(error_);
        killSwitch.isAuthorizedOrOwner(alice, agent ^ 1);
        expectRevert(error_);
        killSwitch.getMetadata(agent ^ 1, "killStatus");
        assertEq(killSwitch.getMetadata(agent ^ 1, "agentWallet").length, 0);
        assertEq(killSwitch.getMetadata(agent ^ 1, "note").length, 0);
    }

    // ===== Reserved keys

    function test_attack_reservedKeys() public {
        string[3] memory keys = ["agentWallet", "killStatus", "active"];
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes memory error_ = abi.encodeWithSelector(
                IAgentRegistry.ReservedMetadataKey.selector,
                keys[i]
            );
            expectRevert(error_);
            vm.prank(alice);
            killSwitch.setMetadata(agent, keys[i], hex"01");
            IERC8004IdentityRegistry.MetadataEntry[] memory metadata = entries(keys[i], hex"01");
            expectRevert(error_);
            vm.prank(bob);
            killSwitch.register(FILE_URI, metadata);
        }
        assertEq(killSwitch.balanceOf(bob), 0);
        assertEq(killSwitch.getMetadata(agent, "active").length, 0);
    }

    function test_getMetadata_killStatusIsWhatStatusOfSays() public {
        bytes memory alive = abi.encode(false, Scope.Agent, Rank.None, uint40(0), uint16(0));
        assertEq(keccak256(killSwitch.getMetadata(agent, "killStatus")), keccak256(alive));
        killWallet(council, alice);
        bytes memory killed = abi.encode(true, Scope.Owner, Rank.Council, uint40(time()), COMPROMISED);
        assertEq(keccak256(killSwitch.getMetadata(agent, "killStatus")), keccak256(killed));
        assertEq(keccak256(killSwitch.getMetadata(bare, "killStatus")), keccak256(killed));
    }

    function test_supportsInterface_ofTheKillStatus() public view {
        bytes4 id = IAgentKillStatus.isKilled.selector ^ IAgentKillStatus.statusOf.selector;
        assertEq(bytes32(id), bytes32(type(IAgentKillStatus).interfaceId));
        require(killSwitch.supportsInterface(id));
    }

    // ===== The agent's own wallet

    function test_agentWallet_isTheOwnerAtFirstAndNeverAgain() public {
        assertWallet(alice);
        setAgentWallet();
        assertWallet(agentWallet);
        vm.prank(alice);
        killSwitch.unsetAgentWallet(agent);
        assertWallet(address(0));
        setAgentWallet();
        assertWallet(agentWallet);
        transfer(alice, bob);
        assertWallet(address(0));
    }

    function test_agentWallet_ofAnAgentThatHadNoneIsClearedByATransferToo() public {
        expectWalletSet(agent, address(0));
        transfer(alice, bob);
        assertWallet(address(0));
        // Also once the former guardians' time is over.
        skip(OWNER_COOLDOWN + 1);
        assertWallet(address(0));
    }

    function test_agentWallet_namesNobodyThatHadNoKill() public {
        transfer(alice, bob);
        expectNotAuthorized(alice, Scope.Agent, bytes32(agent));
        killAgent(alice);
    }

    function test_eip712Domain_isOfTheLiveRegistry() public view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifier,
            bytes32 salt,
            uint256[] memory extensions
        ) = killSwitch.eip712Domain();
        assertEq(bytes32(fields), bytes32(hex"0f"));
        assertEq(name, "ERC8004IdentityRegistry");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifier, address(killSwitch));
        assertEq(salt, 0);
        assertEq(extensions.length, 0);
    }

    /// @dev A signature over the same words in the domain of orders is none.
    function test_setAgentWallet_inTheDomainOfOrders() public {
        uint256 deadline = time() + 60;
        bytes32 typeHash = keccak256(
            "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(typeHash, agent, agentWallet, alice, deadline));
        bytes memory proof = sign(
            AGENT_WALLET_KEY,
            typedDataDigest("KillSwitch", address(killSwitch), structHash)
        );
        expectRevert(
            abi.encodeWithSelector(
                IAgentRegistry.InvalidAgentWalletProof.selector,
                agent,
                agentWallet,
                deadline
            )
        );
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, proof);
    }

    function complete(address account, string memory agentType, bytes32 key) private {
        vm.prank(account);
        killSwitch.completeAgent(bare, agentType, key);
    }

    function assertWallet(address wallet) private view {
        assertEq(killSwitch.getAgentWallet(agent), wallet);
        bytes memory expected = wallet == address(0) ? bytes("") : abi.encodePacked(wallet);
        assertEq(keccak256(killSwitch.getMetadata(agent, "agentWallet")), keccak256(expected));
    }

    function entries(
        string memory key,
        bytes memory value
    ) private pure returns (IERC8004IdentityRegistry.MetadataEntry[] memory metadata) {
        metadata = new IERC8004IdentityRegistry.MetadataEntry[](1);
        metadata[0] = IERC8004IdentityRegistry.MetadataEntry(key, value);
    }

    /// @dev The rule of docs/protocol.md, written out.
    function idOf(address registrant, uint256 count) private view returns (uint256) {
        bytes32 hash = keccak256(
            abi.encode(block.chainid, address(killSwitch), registrant, bytes32(0), count)
        );
        uint256 uuid = uint256(hash) >> 128;
        return (uuid & ~uint256((0xf << 76) | (3 << 62))) | (8 << 76) | (2 << 62);
    }
}
