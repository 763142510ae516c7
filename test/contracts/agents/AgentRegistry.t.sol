// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Metadata.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {KillSwitch} from "../../../contracts/agents/KillSwitch.sol";
import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {Scope, SubjectState} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";
import {RefusingDelegate, SmartWallet} from "../support/Wallets.sol";

contract AgentRegistryTest is KillSwitchTest {
    // ===== Registration

    function test_register_writesAllOfIt() public {
        uint48 before = killSwitch.sequence();
        uint256 agentId = killSwitch.deriveAgentId(bob, "7");
        expectEmit();
        emit IERC721.Transfer(address(0), bob, agentId);
        expectEmit();
        emit IAgentRegistry.AgentRegistered(agentId, bob, "data-miner-2", OTHER_KEY, before + 1);
        vm.prank(bob);
        assertEq(killSwitch.register("data-miner-2", OTHER_KEY, "7"), agentId);

        assertEq(killSwitch.ownerOf(agentId), bob);
        assertEq(killSwitch.balanceOf(bob), 1);
        assertEq(killSwitch.agentTypeOf(agentId), "data-miner-2");
        assertEq(killSwitch.keyOf(agentId), OTHER_KEY);
        assertEq(killSwitch.getAgentWallet(agentId), bob);
        assertEq(killSwitch.sequence(), before + 1);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agentId));
        assertEq(state.aliveSince, before + 1);
        assertEq(state.keySince, before + 1);
        assertEq(state.killedAt, 0);
        require(!killSwitch.isKilled(agentId));
    }

    function test_registerBatch_inOrder() public {
        IAgentRegistry.Registration[] memory batch = new IAgentRegistry.Registration[](3);
        for (uint256 i = 0; i < 3; ++i) {
            batch[i] = IAgentRegistry.Registration({agentType: TYPE, key: KEY, salt: bytes32(i)});
        }
        uint48 before = killSwitch.sequence();
        vm.prank(bob);
        uint256[] memory ids = killSwitch.registerBatch(batch);
        assertEq(ids.length, 3);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(ids[i], killSwitch.deriveAgentId(bob, bytes32(i)));
            assertEq(killSwitch.stateOf(Scope.Agent, bytes32(ids[i])).aliveSince, before + 1 + i);
        }
        assertEq(killSwitch.sequence(), before + 3);
        assertEq(killSwitch.balanceOf(bob), 3);
    }

    function test_registerBatch_allOrNone() public {
        IAgentRegistry.Registration[] memory batch = new IAgentRegistry.Registration[](2);
        batch[0] = IAgentRegistry.Registration({agentType: TYPE, key: KEY, salt: "1"});
        batch[1] = batch[0];
        uint256 agentId = killSwitch.deriveAgentId(bob, "1");
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentExists.selector, agentId));
        vm.prank(bob);
        killSwitch.registerBatch(batch);
        assertEq(killSwitch.balanceOf(bob), 0);
    }

    function test_register_sameSaltOncePerRegistrant() public {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentExists.selector, agent));
        register(alice, "1");
        require(register(bob, "1") != agent);
    }

    function test_register_idStaysTakenAfterTransfer() public {
        transfer(alice, bob);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentExists.selector, agent));
        register(alice, "1");
    }

    function test_register_types() public {
        vm.prank(bob);
        killSwitch.register("a", KEY, "1");
        vm.prank(bob);
        killSwitch.register("abcdefghijklmnopqrstuvwxyz-01239", KEY, "2");
        vm.prank(bob);
        killSwitch.register("services", KEY, "3");
        string[8] memory invalid = [
            "",
            "abcdefghijklmnopqrstuvwxyz-012390",
            "Panel",
            "panel_controller",
            "panel controller",
            "panel/controller",
            unicode"pänel",
            string(abi.encodePacked("panel", bytes1(0)))
        ];
        for (uint256 i = 0; i < invalid.length; ++i) {
            expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidAgentType.selector, invalid[i]));
            vm.prank(bob);
            killSwitch.register(invalid[i], KEY, "4");
        }
    }

    function test_attack_reservedTypes() public {
        string[5] memory reserved = ["service", "relayer", "admin", "governance", "spire"];
        for (uint256 i = 0; i < reserved.length; ++i) {
            expectRevert(abi.encodeWithSelector(IAgentRegistry.ReservedAgentType.selector, reserved[i]));
            vm.prank(bob);
            killSwitch.register(reserved[i], KEY, "4");
        }
    }

    function test_register_zeroKey() public {
        uint256 agentId = killSwitch.deriveAgentId(bob, "1");
        expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidKey.selector, agentId));
        vm.prank(bob);
        killSwitch.register(TYPE, 0, "1");
    }

    function test_attack_registeringIntoAKilledWallet() public {
        killWallet(council, bob);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.WalletKilled.selector, bob));
        register(bob, "1");
        lift(council, Scope.Owner, subjectOf(bob));
        register(bob, "1");
    }

    // ===== Names

    function test_deriveAgentId_isUuid8OfRegistrantAndSalt() public view {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(killSwitch), alice, bytes32("1")));
        assertEq(agent >> 80, uint256(hash) >> 208);
        assertEq((agent >> 76) & 0xf, 8);
        assertEq((agent >> 64) & 0xfff, (uint256(hash) >> 192) & 0xfff);
        assertEq((agent >> 62) & 3, 2);
        assertEq(agent & ((1 << 62) - 1), (uint256(hash) >> 128) & ((1 << 62) - 1));
    }

    function test_deriveAgentId_dependsOnEverything() public {
        uint256 id = killSwitch.deriveAgentId(alice, "1");
        require(id != killSwitch.deriveAgentId(bob, "1"));
        require(id != killSwitch.deriveAgentId(alice, "2"));
        require(id != new KillSwitch(config()).deriveAgentId(alice, "1"));
        vm.chainId(424_242);
        require(id != killSwitch.deriveAgentId(alice, "1"));
    }

    function test_spiffeId() public view {
        bytes memory id = bytes(killSwitch.spiffeId(agent));
        bytes memory start = "spiffe://killswitch.ai/panel-controller/";
        assertEq(id.length, start.length + 36);
        uint256 number;
        for (uint256 i = 0; i < id.length; ++i) {
            if (i < start.length) {
                require(id[i] == start[i]);
                continue;
            }
            uint256 position = i - start.length;
            if (position == 8 || position == 13 || position == 18 || position == 23) {
                require(id[i] == "-");
                continue;
            }
            uint8 char = uint8(id[i]);
            require((char >= 0x30 && char <= 0x39) || (char >= 0x61 && char <= 0x66));
            number = (number << 4) | (char < 0x61 ? char - 0x30 : char - 0x57);
        }
        assertEq(number, agent);
    }

    function test_trustDomain() public {
        assertEq(killSwitch.trustDomain(), "killswitch.ai");
        string[6] memory invalid = ["", "Killswitch.ai", "kill switch", "a/b", "a:1", string(new bytes(256))];
        for (uint256 i = 0; i < invalid.length; ++i) {
            KillSwitch.Config memory config_ = config();
            config_.trustDomain = invalid[i];
            expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidTrustDomain.selector, invalid[i]));
            new KillSwitch(config_);
        }
    }

    function test_views_unknownAgent() public {
        uint256 unknown = agent ^ 1;
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.UnknownAgent.selector, unknown);
        expectRevert(error_);
        killSwitch.spiffeId(unknown);
        expectRevert(error_);
        killSwitch.agentTypeOf(unknown);
        expectRevert(error_);
        killSwitch.keyOf(unknown);
        expectRevert(error_);
        killSwitch.getAgentWallet(unknown);
        expectRevert(error_);
        vm.prank(alice);
        killSwitch.setKey(unknown, OTHER_KEY);
    }

    function test_erc721() public view {
        assertEq(killSwitch.name(), "Killswitch Agent");
        assertEq(killSwitch.symbol(), "AGENT");
        require(killSwitch.supportsInterface(type(IERC165).interfaceId));
        require(killSwitch.supportsInterface(type(IERC721).interfaceId));
        require(killSwitch.supportsInterface(type(IERC721Metadata).interfaceId));
        require(!killSwitch.supportsInterface(0xffffffff));
    }

    // ===== Keys

    function test_setKey_countsAndStates() public {
        uint48 before = killSwitch.sequence();
        expectEmit();
        emit IAgentRegistry.KeyChanged(agent, OTHER_KEY, before + 1);
        setKey(alice, OTHER_KEY);
        assertEq(killSwitch.keyOf(agent), OTHER_KEY);
        assertEq(killSwitch.sequence(), before + 1);
        SubjectState memory state = killSwitch.stateOf(Scope.Agent, bytes32(agent));
        assertEq(state.keySince, before + 1);
        assertEq(state.aliveSince, before);
    }

    function test_setKey_alsoWhileKilledAndWithoutResuming() public {
        killAgent(alice);
        setKey(alice, OTHER_KEY);
        assertKilled();
    }

    function test_setKey_refused() public {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.InvalidKey.selector, agent));
        setKey(alice, 0);
        expectRevert(abi.encodeWithSelector(IAgentRegistry.KeyUnchanged.selector, agent, KEY));
        setKey(alice, KEY);
        vm.prank(alice);
        killSwitch.setApprovalForAll(mallory, true);
        address[4] memory others = [bob, guardian, council, mallory];
        for (uint256 i = 0; i < others.length; ++i) {
            expectRevert(abi.encodeWithSelector(IAgentRegistry.NotAgentOwner.selector, agent, others[i]));
            setKey(others[i], OTHER_KEY);
        }
    }

    // ===== The agent's own wallet

    function test_setAgentWallet_thenUnset() public {
        uint256 deadline = time() + 1 minutes;
        bytes memory proof = sign(AGENT_WALLET_KEY, walletProof(agent, agentWallet, alice, deadline));
        uint48 before = killSwitch.sequence();
        expectWalletSet(agent, agentWallet);
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, proof);
        assertEq(killSwitch.getAgentWallet(agent), agentWallet);

        expectWalletSet(agent, address(0));
        vm.prank(alice);
        killSwitch.unsetAgentWallet(agent);
        assertEq(killSwitch.getAgentWallet(agent), address(0));
        assertEq(killSwitch.sequence(), before);
        expectNotAuthorized(agentWallet, Scope.Agent, bytes32(agent));
        killAgent(agentWallet);
    }

    function test_setAgentWallet_deadlineBoundary() public {
        proveWallet(time());
        proveWallet(time() + 1);
        refuseWallet(time() - 1);
    }

    function test_setAgentWallet_furthestDeadlineBoundary() public {
        proveWallet(time() + 5 minutes - 1);
        proveWallet(time() + 5 minutes);
        refuseWallet(time() + 5 minutes + 1);
        refuseWallet(type(uint256).max);
    }

    function test_setAgentWallet_wrongSignatures() public {
        uint256 deadline = time() + 60;
        bytes32[5] memory digests = [
            walletProof(agent ^ 1, agentWallet, alice, deadline),
            walletProof(agent, alice, alice, deadline),
            walletProof(agent, agentWallet, bob, deadline),
            walletProof(agent, agentWallet, alice, deadline + 1),
            bytes32("anything")
        ];
        for (uint256 i = 0; i < digests.length; ++i) {
            bytes memory signature = sign(AGENT_WALLET_KEY, digests[i]);
            expectInvalidProof(agentWallet, deadline);
            vm.prank(alice);
            killSwitch.setAgentWallet(agent, agentWallet, deadline, signature);
        }
        bytes memory byAnother = sign(MALLORY_KEY, walletProof(agent, agentWallet, alice, deadline));
        expectInvalidProof(agentWallet, deadline);
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, byAnother);
        expectInvalidProof(address(0), deadline);
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, address(0), deadline, "");
    }

    function test_setAgentWallet_smartWalletAndDelegatedAccount() public {
        uint256 deadline = time() + 60;
        address wallet = address(new SmartWallet(bob));
        bytes memory proof = sign(BOB_KEY, walletProof(agent, wallet, alice, deadline));
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, wallet, deadline, proof);
        assertEq(killSwitch.getAgentWallet(agent), wallet);

        vm.etch(agentWallet, address(new RefusingDelegate()).code);
        proveWallet(deadline);
    }

    function test_agentWallet_onlyOwnerAndNotWhileKilled() public {
        bytes memory error_ = abi.encodeWithSelector(IAgentRegistry.NotAgentOwner.selector, agent, bob);
        expectRevert(error_);
        vm.prank(bob);
        killSwitch.setAgentWallet(agent, agentWallet, time() + 60, "");
        expectRevert(error_);
        vm.prank(bob);
        killSwitch.unsetAgentWallet(agent);

        setAgentWallet();
        uint256 deadline = time() + 60;
        bytes memory proof = sign(AGENT_WALLET_KEY, walletProof(agent, agentWallet, alice, deadline));
        kill(council, Scope.Fleet, FLEET);
        expectAgentKilled();
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, proof);
        expectAgentKilled();
        vm.prank(alice);
        killSwitch.unsetAgentWallet(agent);
        killAgent(agentWallet);
    }

    function proveWallet(uint256 deadline) private {
        bytes memory proof = sign(AGENT_WALLET_KEY, walletProof(agent, agentWallet, alice, deadline));
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, proof);
    }

    function refuseWallet(uint256 deadline) private {
        bytes memory proof = sign(AGENT_WALLET_KEY, walletProof(agent, agentWallet, alice, deadline));
        expectInvalidProof(agentWallet, deadline);
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, proof);
    }

    function expectInvalidProof(address wallet, uint256 deadline) private {
        expectRevert(
            abi.encodeWithSelector(IAgentRegistry.InvalidAgentWalletProof.selector, agent, wallet, deadline)
        );
    }
}
