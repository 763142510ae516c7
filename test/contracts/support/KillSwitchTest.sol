// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KillSwitch} from "../../../contracts/agents/KillSwitch.sol";
import {IAgentRegistry} from "../../../contracts/interfaces/IAgentRegistry.sol";
import {IKillSwitch} from "../../../contracts/interfaces/IKillSwitch.sol";
import {IERC8004IdentityRegistry} from "../../../contracts/interfaces/IERC8004IdentityRegistry.sol";
import {KillOrder, Rank, Scope} from "../../../contracts/types/Liveness.sol";
import {Vm} from "./Vm.sol";

/// @notice A deployment with one account per role and one agent of Alice's.
abstract contract KillSwitchTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_800_000_000;
    uint32 internal constant MIN_COOLDOWN = 300;
    uint32 internal constant BREAKER_COOLDOWN = 600;
    uint32 internal constant OWNER_COOLDOWN = 3600;
    uint32 internal constant COUNCIL_COOLDOWN = 7200;
    uint32 internal constant GOVERNANCE_COOLDOWN = 14_400;

    string internal constant TYPE = "panel-controller";
    bytes32 internal constant TYPE_WORD = "panel-controller";
    bytes32 internal constant KEY = keccak256("key");
    bytes32 internal constant OTHER_KEY = keccak256("other key");
    bytes32 internal constant FLEET = 0;
    uint16 internal constant COMPROMISED = 1;
    uint16 internal constant TRANSFERRED = 0xff01;

    uint256 internal constant ALICE_KEY = 0xa11ce;
    uint256 internal constant BOB_KEY = 0xb0b;
    uint256 internal constant GUARDIAN_KEY = 0x60a4d;
    uint256 internal constant AGENT_WALLET_KEY = 0xa6e47;
    uint256 internal constant BREAKER_KEY = 0xb4ea;
    uint256 internal constant COUNCIL_KEY = 0xc0;
    uint256 internal constant EMERGENCY_KEY = 0xe0;
    uint256 internal constant MALLORY_KEY = 0x3a11;

    address internal immutable alice = vm.addr(ALICE_KEY);
    address internal immutable bob = vm.addr(BOB_KEY);
    address internal immutable guardian = vm.addr(GUARDIAN_KEY);
    address internal immutable agentWallet = vm.addr(AGENT_WALLET_KEY);
    address internal immutable breaker = vm.addr(BREAKER_KEY);
    address internal immutable council = vm.addr(COUNCIL_KEY);
    address internal immutable emergencyGovernor = vm.addr(EMERGENCY_KEY);
    address internal immutable mallory = vm.addr(MALLORY_KEY);
    address internal immutable governance = address(0x60);

    KillSwitch internal killSwitch;
    uint256 internal agent;

    function setUp() public virtual {
        vm.warp(START);
        killSwitch = new KillSwitch(config());
        vm.prank(governance);
        killSwitch.setBreaker(breaker, true);
        vm.prank(alice);
        killSwitch.appointGuardian(guardian);
        agent = register(alice, "1");
    }

    function config() internal view returns (KillSwitch.Config memory) {
        return
            KillSwitch.Config({
                trustDomain: "killswitch.ai",
                governance: governance,
                council: council,
                emergencyGovernor: emergencyGovernor,
                minCooldown: MIN_COOLDOWN,
                cooldowns: [BREAKER_COOLDOWN, OWNER_COOLDOWN, COUNCIL_COOLDOWN, GOVERNANCE_COOLDOWN]
            });
    }

    // ===== Actions

    function register(address owner, bytes32 salt) internal returns (uint256) {
        vm.prank(owner);
        return killSwitch.register(TYPE, KEY, salt);
    }

    function kill(address account, Scope scope, bytes32 subject) internal returns (uint48) {
        vm.prank(account);
        return killSwitch.kill(scope, subject, COMPROMISED, "");
    }

    function killAgent(address account) internal returns (uint48) {
        return kill(account, Scope.Agent, bytes32(agent));
    }

    function killWallet(address account, address wallet) internal returns (uint48) {
        return kill(account, Scope.Owner, subjectOf(wallet));
    }

    function requestResume(address account, Scope scope, bytes32 subject) internal {
        vm.prank(account);
        killSwitch.requestResume(scope, subject);
    }

    function resume(address account, Scope scope, bytes32 subject) internal {
        vm.prank(account);
        killSwitch.resume(scope, subject);
    }

    /// @dev Request, cool-down, resume.
    function lift(address account, Scope scope, bytes32 subject) internal {
        requestResume(account, scope, subject);
        skip(GOVERNANCE_COOLDOWN);
        resume(account, scope, subject);
    }

    function transfer(address from, address to) internal {
        vm.prank(from);
        killSwitch.transferFrom(from, to, agent);
    }

    function setKey(address owner, bytes32 key) internal {
        vm.prank(owner);
        killSwitch.setKey(agent, key);
    }

    function setAgentWallet() internal {
        uint256 deadline = time() + 1 minutes;
        bytes memory signature = sign(AGENT_WALLET_KEY, walletProof(agent, agentWallet, alice, deadline));
        vm.prank(alice);
        killSwitch.setAgentWallet(agent, agentWallet, deadline, signature);
    }

    function setCooldown(Rank rank, uint32 cooldown) internal {
        vm.prank(governance);
        killSwitch.setCooldown(rank, cooldown);
    }

    function skip(uint256 seconds_) internal {
        vm.warp(time() + seconds_);
    }

    function time() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    // ===== Orders

    function orderBy(
        address authority,
        Scope scope,
        bytes32 subject,
        uint256 nonce
    ) internal view returns (KillOrder memory) {
        return
            KillOrder({
                authority: authority,
                scope: scope,
                subject: subject,
                reason: COMPROMISED,
                text: "leaked key",
                issuedAt: uint64(time()),
                deadline: uint64(time() + 1 hours),
                nonce: nonce
            });
    }

    function orderOfAlice(uint256 nonce) internal view returns (KillOrder memory) {
        return orderBy(alice, Scope.Agent, bytes32(agent), nonce);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signOrder(uint256 key, KillOrder memory order) internal view returns (bytes memory) {
        return sign(key, killSwitch.orderDigest(order));
    }

    function land(uint256 key, KillOrder memory order) internal returns (uint48) {
        return killSwitch.killBySig(order, signOrder(key, order));
    }

    function walletProof(
        uint256 agentId,
        address newWallet,
        address owner,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
        );
        return
            typedDataDigest(
                "ERC8004IdentityRegistry",
                address(killSwitch),
                keccak256(abi.encode(typeHash, agentId, newWallet, owner, deadline))
            );
    }

    /// @dev EIP-712, written out independently of OpenZeppelin.
    function typedDataDigest(
        string memory name,
        address verifier,
        bytes32 structHash
    ) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    // ===== Subjects and expectations

    function expectWalletSet(uint256 agentId, address wallet) internal {
        bytes memory value = wallet == address(0) ? bytes("") : abi.encodePacked(wallet);
        expectEmit();
        emit IERC8004IdentityRegistry.MetadataSet(agentId, "agentWallet", "agentWallet", value);
    }

    function subjectOf(address wallet) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(wallet)));
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (value % (high - low + 1));
    }

    function expectRevert(bytes memory error_) internal {
        vm.expectRevert(error_);
    }

    function expectNotAuthorized(address account, Scope scope, bytes32 subject) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.NotAuthorized.selector, account, scope, subject));
    }

    function expectRankTooLow(address account, Rank rank, Rank required) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.RankTooLow.selector, account, rank, required));
    }

    function expectOwnersKill(Scope scope, bytes32 subject) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.OwnersKill.selector, scope, subject));
    }

    function expectNonceUsed(KillOrder memory order) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.NonceUsed.selector, order.authority, order.nonce));
    }

    function expectNoResumeRequest(Scope scope, bytes32 subject) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.NoResumeRequest.selector, scope, subject));
    }

    function expectCooldownRunning(uint256 readyAt) internal {
        expectRevert(abi.encodeWithSelector(IKillSwitch.CooldownRunning.selector, uint40(readyAt), time()));
    }

    function expectAgentKilled() internal {
        expectRevert(abi.encodeWithSelector(IAgentRegistry.AgentKilled.selector, agent));
    }

    function expectEmit() internal {
        vm.expectEmit(true, true, true, true, address(killSwitch));
    }

    function assertKilled() internal view {
        require(killSwitch.isKilled(agent), "the agent should be killed");
    }

    function assertAlive() internal view {
        require(!killSwitch.isKilled(agent), "the agent should be alive");
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        if (left != right) revert Unequal(bytes32(left), bytes32(right));
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        if (left != right) revert Unequal(left, right);
    }

    function assertEq(address left, address right) internal pure {
        if (left != right) revert Unequal(subjectOf(left), subjectOf(right));
    }

    function assertEq(Rank left, Rank right) internal pure {
        assertEq(uint256(left), uint256(right));
    }

    function assertEq(string memory left, string memory right) internal pure {
        if (keccak256(bytes(left)) != keccak256(bytes(right))) revert UnequalTexts(left, right);
    }

    error Unequal(bytes32 left, bytes32 right);
    error UnequalTexts(string left, string right);
}
