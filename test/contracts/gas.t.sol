// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAgentRegistry} from "../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../contracts/interfaces/IKillSwitch.sol";
import {KillOrder, Scope} from "../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "./support/KillSwitchTest.sol";

/// @notice What whole transactions cost: hard limits here, exact figures in the snapshot.
/// @dev Each test makes one call to a contract whose storage is cold, since `setUp` ran before it as another
/// transaction. Added to it is what a transaction costs beside its execution (21,000 and its calldata).
contract GasTest is KillSwitchTest {
    uint256 private constant RUNTIME_LIMIT = 24_576;

    uint256 private _killed;
    KillOrder private _order;
    bytes private _signature;

    function setUp() public override {
        super.setUp();
        _killed = register(alice, "2");
        kill(alice, Scope.Agent, bytes32(_killed));
        register(bob, "1");
        killWallet(bob, bob);
        kill(council, Scope.Fleet, FLEET);
        lift(council, Scope.Fleet, FLEET);
        kill(council, Scope.AgentType, TYPE_WORD);
        lift(council, Scope.AgentType, TYPE_WORD);
        _order = orderBy(guardian, Scope.Owner, subjectOf(alice), 1);
        _signature = signOrder(GUARDIAN_KEY, _order);
    }

    function test_gas_isKilled() public {
        IKillSwitch target = killSwitch;
        require(address(target).code.length > 0);
        uint256 agentId = agent;
        uint256 before = gasleft();
        target.isKilled(agentId);
        check("isKilled (execution)", before - gasleft(), 16_000);
    }

    function test_gas_registerFirst() public {
        transact(mallory, "register, first of an owner", registration(), 200_000);
    }

    function test_gas_registerLater() public {
        transact(alice, "register, later", registration(), 180_000);
    }

    function test_gas_killAgentFirst() public {
        transact(alice, "kill agent, first", killCall(Scope.Agent, bytes32(agent)), 65_000);
    }

    function test_gas_killAgentLater() public {
        transact(alice, "kill agent, later", killCall(Scope.Agent, bytes32(_killed)), 45_000);
    }

    function test_gas_killTypeFirst() public {
        transact(council, "kill type, first", killCall(Scope.AgentType, "data-miner"), 65_000);
    }

    function test_gas_killFleetLater() public {
        transact(council, "kill fleet, later", killCall(Scope.Fleet, FLEET), 45_000);
    }

    function test_gas_emergencyKillFirst() public {
        bytes memory data = abi.encodeCall(IKillSwitch.emergencyKill, (alice, COMPROMISED, ""));
        transact(alice, "emergencyKill, first", data, 58_000);
    }

    function test_gas_emergencyKillLater() public {
        bytes memory data = abi.encodeCall(IKillSwitch.emergencyKill, (bob, COMPROMISED, ""));
        transact(bob, "emergencyKill, later", data, 40_000);
    }

    function test_gas_emergencyKillBySig() public {
        KillOrder memory order = _order;
        bytes memory data = abi.encodeCall(IKillSwitch.emergencyKillBySig, (order, _signature));
        transact(mallory, "emergencyKillBySig, by a guardian, first", data, 105_000);
    }

    function test_gas_requestResume() public {
        bytes memory data = abi.encodeCall(IKillSwitch.requestResume, (Scope.Agent, bytes32(_killed)));
        transact(alice, "requestResume of an agent", data, 70_000);
    }

    function test_gas_transfer() public {
        bytes memory data = abi.encodeWithSignature(
            "transferFrom(address,address,uint256)",
            alice,
            mallory,
            agent
        );
        transact(alice, "transferFrom, to a new owner", data, 140_000);
    }

    function test_gas_setKey() public {
        transact(alice, "setKey", abi.encodeCall(IAgentRegistry.setKey, (agent, OTHER_KEY)), 50_000);
    }

    function test_size_runtime() public {
        uint256 size = address(killSwitch).code.length;
        require(size + 2_048 <= RUNTIME_LIMIT, "too little room below EIP-170's limit");
        vm.snapshotValue("KillSwitch", "size of the runtime code (bytes)", size);
    }

    function registration() private pure returns (bytes memory) {
        return abi.encodeCall(IAgentRegistry.register, (TYPE, KEY, bytes32("9")));
    }

    function killCall(Scope scope, bytes32 subject) private pure returns (bytes memory) {
        return abi.encodeCall(IKillSwitch.kill, (scope, subject, COMPROMISED, ""));
    }

    function transact(address from, string memory name, bytes memory data, uint256 limit) private {
        // What the call costs this test, beside what it costs in the contract.
        address nobody = address(0xdead);
        vm.etch(nobody, hex"00");
        uint256 overhead = call(nobody, data);
        address target = address(killSwitch);
        vm.prank(from);
        uint256 used = call(target, data) - overhead;
        check(name, used + 21_000 + calldataGas(data), limit);
    }

    /// @dev A transaction's target is warm (EIP-2929); its storage is not.
    function call(address target, bytes memory data) private returns (uint256 used) {
        require(target.code.length > 0);
        uint256 before = gasleft();
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, ) = target.call(data);
        used = before - gasleft();
        require(success, "the measured call reverted");
    }

    /// @dev EIP-2028. The floor of EIP-7623 (21,000 and 10 per token) never binds here.
    function calldataGas(bytes memory data) private pure returns (uint256 gas_) {
        for (uint256 i = 0; i < data.length; ++i) gas_ += data[i] == 0 ? 4 : 16;
    }

    function check(string memory name, uint256 used, uint256 limit) private {
        vm.snapshotValue("KillSwitch", name, used);
        require(used <= limit, name);
    }
}
