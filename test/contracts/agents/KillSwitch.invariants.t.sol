// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KillSwitch} from "../../../contracts/agents/KillSwitch.sol";
import {KillOrder, Rank, ResumeRequest, Scope} from "../../../contracts/types/Liveness.sol";
import {KillSwitchTest} from "../support/KillSwitchTest.sol";

/// @notice Random acts of eight accounts on up to eight agents, and a model of what they should lead to.
/// @dev The model knows no counters. It keeps, for each agent, the wounds it carries: its own, and one from each kill
/// of its wallet while it was there. It asks an own table who holds which power.
contract KillSwitchHandler is KillSwitchTest {
    struct Wound {
        bool open;
        Rank rank;
        /// Whether an owner's kill is among what made it.
        bool owners;
    }

    uint256 private constant MAX_AGENTS = 8;
    string private constant OTHER_TYPE = "data-miner";

    address[] private _actors;
    uint256[] private _agents;
    uint256 private _now = START;
    uint256 private _keys;

    // The model.
    mapping(uint256 agentId => address) private _owner;
    mapping(uint256 agentId => bytes32) private _type;
    mapping(uint256 agentId => Wound) private _own;
    mapping(uint256 agentId => Wound) private _fromWallet;
    mapping(uint256 agentId => bool) private _keyless;
    mapping(uint256 agentId => uint256) private _handedOver;
    mapping(uint256 agentId => address) private _former;
    mapping(bytes32 scopeAndSubject => Wound) private _wide;
    uint256 public counted;

    // Orders that were made, by place; what each authority's nonce landed as.
    KillOrder[] private _orders;
    mapping(bytes32 digest => uint48) private _landed;
    mapping(bytes32 authorityAndNonce => bytes32) private _nonceDigest;

    string public violation;
    mapping(string act => uint256) public successes;

    /// @dev Every act runs at the handler's own time, and must not revive an agent unless it says so.
    modifier act(bool mayRevive) {
        vm.warp(_now);
        bool[] memory before = new bool[](_agents.length);
        for (uint256 i = 0; i < before.length; ++i) before[i] = killSwitch.isKilled(_agents[i]);
        _;
        for (uint256 i = 0; i < before.length; ++i) {
            bool revived = before[i] && !killSwitch.isKilled(_agents[i]);
            if (revived && !mayRevive) violation = "revived without a resume";
        }
    }

    constructor() {
        setUp();
        _actors = [alice, bob, guardian, breaker, council, emergencyGovernor, governance, mallory];
        counted = 1;
        adopt(agent, alice, TYPE_WORD);
    }

    function passTime(uint256 seconds_) external {
        _now += bound(seconds_, 1, OWNER_COOLDOWN);
    }

    function registerAgent(uint256 actor, bool other) external act(false) {
        if (_agents.length == MAX_AGENTS) return;
        // Agents belong to Alice, Bob and Mallory.
        address owner = ownerFrom(actor);
        bool refused = wide(Scope.Owner, subjectOf(owner)).open;
        vm.prank(owner);
        try killSwitch.register(other ? OTHER_TYPE : TYPE, nextKey(), bytes32(_agents.length + 100)) returns (
            uint256 agentId
        ) {
            if (refused) violation = "registered into a killed wallet";
            ++counted;
            ++successes["register"];
            adopt(agentId, owner, other ? bytes32("data-miner") : TYPE_WORD);
        } catch {
            if (!refused) violation = "registration refused";
        }
    }

    function registerIncomplete(uint256 actor) external act(false) {
        if (_agents.length == MAX_AGENTS) return;
        address owner = ownerFrom(actor);
        bool refused = wide(Scope.Owner, subjectOf(owner)).open;
        vm.prank(owner);
        try killSwitch.register() returns (uint256 agentId) {
            if (refused) violation = "registered into a killed wallet";
            ++counted;
            ++successes["register incomplete"];
            adopt(agentId, owner, 0);
        } catch {
            if (!refused) violation = "registration refused";
        }
    }

    function completeSomething(uint256 pick, bool other) external act(false) {
        uint256 agentId = _agents[pick % _agents.length];
        bool refused = _type[agentId] != 0 || modelKilled(agentId);
        vm.prank(_owner[agentId]);
        try killSwitch.completeAgent(agentId, other ? OTHER_TYPE : TYPE, nextKey()) {
            if (refused) violation = "completed twice or while killed";
            _type[agentId] = other ? bytes32("data-miner") : TYPE_WORD;
            ++counted;
            ++successes["complete"];
        } catch {
            if (!refused) violation = "completion refused";
        }
    }

    function killSomething(uint256 actor, uint256 scope, uint256 pick) external act(false) {
        (Scope scope_, bytes32 subject) = subjectFrom(scope, pick);
        address account = _actors[actor % _actors.length];
        Rank rank = killPower(account, scope_, subject);
        vm.prank(account);
        try killSwitch.kill(scope_, subject, COMPROMISED, "") {
            if (rank == Rank.None) violation = "killed without power";
            wound(scope_, subject, rank, isOwnersKill(account, scope_, subject, rank));
            ++successes["kill"];
        } catch {
            if (rank != Rank.None) violation = "kill refused";
        }
    }

    function landOrder(uint256 actor, uint256 scope, uint256 pick, uint256 nonce) external act(false) {
        uint256[6] memory keys = [ALICE_KEY, BOB_KEY, GUARDIAN_KEY, BREAKER_KEY, COUNCIL_KEY, MALLORY_KEY];
        uint256 key = keys[actor % keys.length];
        (Scope scope_, bytes32 subject) = subjectFrom(scope, pick);
        KillOrder memory order = orderBy(vm.addr(key), scope_, subject, nonce % 4);
        _orders.push(order);
        landAndCompare(order, signOrder(key, order));
    }

    function landOrderAgain(uint256 pick) external act(false) {
        if (_orders.length == 0) return;
        KillOrder memory order = _orders[pick % _orders.length];
        uint256[6] memory keys = [ALICE_KEY, BOB_KEY, GUARDIAN_KEY, BREAKER_KEY, COUNCIL_KEY, MALLORY_KEY];
        for (uint256 i = 0; i < keys.length; ++i) {
            if (vm.addr(keys[i]) == order.authority) landAndCompare(order, signOrder(keys[i], order));
        }
    }

    function requestSomething(uint256 actor, uint256 scope, uint256 pick) external act(false) {
        (Scope scope_, bytes32 subject) = subjectFrom(scope, pick);
        address account = _actors[actor % _actors.length];
        Rank required = needed(scope_, subject);
        vm.prank(account);
        try killSwitch.requestResume(scope_, subject) {
            if (required == Rank.None || resumePower(account, scope_, subject) < required) {
                violation = "requested without power";
            }
            if (isOwnersAlone(account, scope_, subject)) violation = "requested what its owner stopped";
            ++successes["request"];
        } catch {}
    }

    function resumeSomething(uint256 actor, uint256 scope, uint256 pick) external {
        (Scope scope_, bytes32 subject) = subjectFrom(scope, pick);
        tryResume(_actors[actor % _actors.length], scope_, subject);
    }

    /// @dev The way of a resume in one step, or random acts would rarely find it.
    function liftSomething(uint256 actor, uint256 scope, uint256 pick, bool interrupted) external {
        (Scope scope_, bytes32 subject) = subjectFrom(scope, pick);
        // Wide kills stop everything else, so what stands is lifted first.
        if (wide(Scope.Fleet, FLEET).open) (scope_, subject) = (Scope.Fleet, FLEET);
        else if (wide(Scope.AgentType, TYPE_WORD).open) (scope_, subject) = (Scope.AgentType, TYPE_WORD);
        address[5] memory lifters = [alice, bob, mallory, council, governance];
        address account = lifters[actor % 5];
        vm.warp(_now);
        vm.prank(account);
        try killSwitch.requestResume(scope_, subject) {} catch {
            return;
        }
        _now += GOVERNANCE_COOLDOWN;
        if (interrupted) {
            vm.warp(_now);
            kill(emergencyGovernor, scope_, subject);
            wound(scope_, subject, Rank.Governance, false);
            vm.prank(governance);
            try killSwitch.resume(scope_, subject) {
                violation = "resumed by a request older than the kill";
            } catch {}
            return;
        }
        tryResume(account, scope_, subject);
    }

    function changeKey(uint256 pick) external act(false) {
        uint256 agentId = _agents[pick % _agents.length];
        if (_type[agentId] == 0) return;
        vm.prank(_owner[agentId]);
        killSwitch.setKey(agentId, nextKey());
        _keyless[agentId] = false;
        ++counted;
        ++successes["key"];
    }

    function handOver(uint256 pick, uint256 actor) external act(false) {
        uint256 agentId = _agents[pick % _agents.length];
        address from = _owner[agentId];
        address to = ownerFrom(actor);
        bool refused =
            modelKilled(agentId) ||
                wide(Scope.Owner, subjectOf(to)).open ||
                _now < _handedOver[agentId] + OWNER_COOLDOWN;
        vm.prank(from);
        try killSwitch.transferFrom(from, to, agentId) {
            if (refused) violation = "transferred what should stay";
            _former[agentId] = from;
            _owner[agentId] = to;
            _own[agentId] = Wound({open: true, rank: Rank.Owner, owners: true});
            _fromWallet[agentId].open = false;
            _keyless[agentId] = _type[agentId] != 0;
            _handedOver[agentId] = _now;
            ++counted;
            ++successes["transfer"];
        } catch {
            if (!refused) violation = "transfer refused";
        }
    }

    // ===== What the invariants ask

    function agents() external view returns (uint256[] memory) {
        return _agents;
    }

    function actors() external view returns (address[] memory) {
        return _actors;
    }

    function deployment() external view returns (KillSwitch) {
        return killSwitch;
    }

    function ownerInModel(uint256 agentId) external view returns (address) {
        return _owner[agentId];
    }

    function now_() external view returns (uint256) {
        return _now;
    }

    function modelKilled(uint256 agentId) public view returns (bool) {
        return
            _own[agentId].open ||
            _fromWallet[agentId].open ||
            wide(Scope.AgentType, _type[agentId]).open ||
            wide(Scope.Fleet, FLEET).open;
    }

    function orderCount() external view returns (uint256) {
        return _orders.length;
    }

    /// @dev Whether the contract still gives this order the answer that it gave when it landed.
    function orderKeepsItsAnswer(uint256 index) external view returns (bool) {
        KillOrder memory order = _orders[index];
        bytes32 digest = killSwitch.orderDigest(order);
        return _landed[digest] == 0 || killSwitch.nonceOf(order.authority, order.nonce) == _landed[digest];
    }

    // ===== The model

    function landAndCompare(KillOrder memory order, bytes memory signature) private {
        bytes32 digest = killSwitch.orderDigest(order);
        bytes32 slot = keccak256(abi.encode(order.authority, order.nonce));
        uint48 before = killSwitch.sequence();
        Rank rank = killPower(order.authority, order.scope, order.subject);
        (bool success, uint48 sequence) = tryToLand(order, signature, uint256(digest) % 2 == 0);
        if (!success) {
            if (_landed[digest] != 0) violation = "a landed order was refused";
            return;
        }
        if (_landed[digest] != 0) {
            if (sequence != _landed[digest] || killSwitch.sequence() != before) {
                violation = "an order landed twice";
            }
            return;
        }
        if (_nonceDigest[slot] != 0) violation = "a nonce was used twice";
        if (rank == Rank.None) violation = "an order landed without power";
        if (order.deadline < _now) violation = "an expired order landed";
        _landed[digest] = sequence;
        _nonceDigest[slot] = digest;
        wound(
            order.scope,
            order.subject,
            rank,
            isOwnersKill(order.authority, order.scope, order.subject, rank)
        );
        ++successes["order"];
    }

    /// @dev Alone or as a batch of one, which must come to the same.
    function tryToLand(
        KillOrder memory order,
        bytes memory signature,
        bool alone
    ) private returns (bool, uint48) {
        if (alone) {
            try killSwitch.killBySig(order, signature) returns (uint48 sequence) {
                return (true, sequence);
            } catch {
                return (false, 0);
            }
        }
        KillOrder[] memory orders = new KillOrder[](1);
        bytes[] memory signatures = new bytes[](1);
        (orders[0], signatures[0]) = (order, signature);
        bool landed = killSwitch.landOrders(orders, signatures) == 1;
        return (landed, landed ? killSwitch.nonceOf(order.authority, order.nonce) : 0);
    }

    function tryResume(address account, Scope scope, bytes32 subject) private act(true) {
        Rank required = needed(scope, subject);
        Rank power = resumePower(account, scope, subject);
        ResumeRequest memory request = killSwitch.resumeRequestOf(scope, subject);
        bool ownersAlone = isOwnersAlone(account, scope, subject);
        bool stays = woundOf(scope, subject).open && woundOf(scope, subject).owners;
        vm.prank(account);
        try killSwitch.resume(scope, subject) {
            if (required == Rank.None || power < required) violation = "resumed without power";
            if (_now < request.requestTime + request.cooldown) violation = "resumed too early";
            if (ownersAlone) violation = "resumed what its owner stopped";
            if (stays && !isOwner(account, scope, subject)) {
                lower(scope, subject);
                ++successes["lower"];
                return;
            }
            if (scope == Scope.Agent && _keyless[uint256(subject)]) violation = "resumed without a key";
            heal(scope, subject);
            ++counted;
            ++successes["resume"];
        } catch {}
    }

    function adopt(uint256 agentId, address owner, bytes32 agentType) private {
        _agents.push(agentId);
        _owner[agentId] = owner;
        _type[agentId] = agentType;
    }

    function wound(Scope scope, bytes32 subject, Rank rank, bool owners) private {
        ++counted;
        deepen(woundOf(scope, subject), rank, owners);
        if (scope != Scope.Owner) return;
        // All kills of a wallet since its last resume count with their highest rank, also for an agent lifted between.
        Wound memory ofWallet = wide(scope, subject);
        for (uint256 i = 0; i < _agents.length; ++i) {
            if (subjectOf(_owner[_agents[i]]) == subject)
                deepen(_fromWallet[_agents[i]], ofWallet.rank, ofWallet.owners);
        }
    }

    function deepen(Wound storage wound_, Rank rank, bool owners) private {
        if (!wound_.open || rank > wound_.rank) wound_.rank = rank;
        wound_.owners = owners || (wound_.open && wound_.owners);
        wound_.open = true;
    }

    /// @dev Only what stands above the owner's kill is gone.
    function lower(Scope scope, bytes32 subject) private {
        woundOf(scope, subject).rank = Rank.Owner;
        if (scope != Scope.Owner) return;
        for (uint256 i = 0; i < _agents.length; ++i) {
            if (subjectOf(_owner[_agents[i]]) == subject) _fromWallet[_agents[i]].rank = Rank.Owner;
        }
    }

    function heal(Scope scope, bytes32 subject) private {
        if (scope == Scope.Agent) {
            _own[uint256(subject)].open = false;
            _fromWallet[uint256(subject)].open = false;
            return;
        }
        wide(scope, subject).open = false;
        if (scope != Scope.Owner) return;
        for (uint256 i = 0; i < _agents.length; ++i) {
            if (subjectOf(_owner[_agents[i]]) == subject) _fromWallet[_agents[i]].open = false;
        }
    }

    function needed(Scope scope, bytes32 subject) private view returns (Rank rank) {
        if (scope != Scope.Agent) {
            return wide(scope, subject).open ? wide(scope, subject).rank : Rank.None;
        }
        Wound memory own = _own[uint256(subject)];
        Wound memory fromWallet = _fromWallet[uint256(subject)];
        if (own.open) rank = own.rank;
        if (fromWallet.open && fromWallet.rank > rank) rank = fromWallet.rank;
    }

    function isOwner(address account, Scope scope, bytes32 subject) private view returns (bool) {
        if (scope == Scope.Agent) return account == _owner[uint256(subject)];
        return scope == Scope.Owner && subject == subjectOf(account);
    }

    function isOwnersKill(
        address account,
        Scope scope,
        bytes32 subject,
        Rank rank
    ) private view returns (bool) {
        return rank == Rank.Owner || isOwner(account, scope, subject);
    }

    /// @dev Whether the account must not even ask: nothing stands above the owner's kill, or it is of the agent's wallet.
    function isOwnersAlone(address account, Scope scope, bytes32 subject) private view returns (bool) {
        if (isOwner(account, scope, subject)) return false;
        Wound memory own = woundOf(scope, subject);
        if (own.open && own.owners && own.rank == Rank.Owner) return true;
        if (scope != Scope.Agent) return false;
        Wound memory fromWallet = _fromWallet[uint256(subject)];
        return fromWallet.open && fromWallet.owners;
    }

    function killPower(address account, Scope scope, bytes32 subject) private view returns (Rank) {
        if (account == emergencyGovernor) return Rank.Governance;
        if (account == council) return Rank.Council;
        if (scope == Scope.Owner) {
            bool acts = subject == subjectOf(account) || (account == guardian && subject == subjectOf(alice));
            return acts ? Rank.Owner : Rank.None;
        }
        if (scope != Scope.Agent) return Rank.None;
        address owner = _owner[uint256(subject)];
        if (account == owner) return Rank.Owner;
        // Alice's guardian, also one cool-down after she gave the agent away.
        if (account == guardian && (owner == alice || wasAlices(uint256(subject)))) return Rank.Owner;
        return account == breaker ? Rank.Breaker : Rank.None;
    }

    function wasAlices(uint256 agentId) private view returns (bool) {
        return
            _handedOver[agentId] != 0 &&
            _now < _handedOver[agentId] + OWNER_COOLDOWN &&
            _former[agentId] == alice;
    }

    function resumePower(address account, Scope scope, bytes32 subject) private view returns (Rank) {
        if (account == governance) return Rank.Governance;
        if (account == council) return Rank.Council;
        if (scope == Scope.Agent && _owner[uint256(subject)] == account) return Rank.Owner;
        return scope == Scope.Owner && subject == subjectOf(account) ? Rank.Owner : Rank.None;
    }

    function woundOf(Scope scope, bytes32 subject) private view returns (Wound storage) {
        return scope == Scope.Agent ? _own[uint256(subject)] : wide(scope, subject);
    }

    function wide(Scope scope, bytes32 subject) private view returns (Wound storage) {
        return _wide[keccak256(abi.encode(scope, subject))];
    }

    function ownerFrom(uint256 actor) private view returns (address) {
        address[3] memory owners = [alice, bob, mallory];
        return owners[actor % 3];
    }

    /// @dev Most acts are on agents: under a kill of the fleet little else happens.
    function subjectFrom(uint256 scope, uint256 pick) private view returns (Scope, bytes32) {
        uint256 choice = scope % 16;
        if (choice < 3) return (Scope.Owner, subjectOf(ownerFrom(pick)));
        if (choice == 3) return (Scope.AgentType, pick % 2 == 0 ? TYPE_WORD : bytes32("data-miner"));
        if (choice == 4) return (Scope.Fleet, FLEET);
        return (Scope.Agent, bytes32(_agents[pick % _agents.length]));
    }

    function nextKey() private returns (bytes32) {
        return keccak256(abi.encode("key", ++_keys));
    }
}

contract KillSwitchInvariantsTest {
    KillSwitchHandler private _handler;
    KillSwitch private _killSwitch;

    function setUp() public {
        _handler = new KillSwitchHandler();
        _killSwitch = _handler.deployment();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @dev One campaign for all of it: what costs time is the acts.
    function invariant_modelAndContractAgree() public view {
        string memory violation = _handler.violation();
        require(bytes(violation).length == 0, violation);
        require(_killSwitch.sequence() == _handler.counted(), "the counter missed an act or counted another");
        checkLiveness();
        checkNoKeyResumesAboveItsKill();
        checkOrdersKeepTheirAnswer();
    }

    /// @dev That random acts get anywhere: one long history in which every kind of act has succeeded.
    function test_historyReachesEveryAct() public {
        for (uint256 i = 0; i < 1000; ++i) {
            uint256 a = uint256(keccak256(abi.encode(i)));
            uint256 b = a >> 32;
            uint256 c = a >> 64;
            uint256 d = a >> 96;
            uint256 choice = (a >> 128) % 12;
            if (choice == 0) _handler.passTime(a);
            if (choice == 1) _handler.registerAgent(a, b % 2 == 0);
            if (choice == 2) _handler.killSomething(a, b, c);
            if (choice == 3) _handler.landOrder(a, b, c, d);
            if (choice == 4) _handler.landOrderAgain(a);
            if (choice == 5) _handler.requestSomething(a, b, c);
            if (choice == 6) _handler.resumeSomething(a, b, c);
            if (choice == 7) _handler.liftSomething(a, b, c, d % 4 == 0);
            if (choice == 8) _handler.changeKey(a);
            if (choice == 9) _handler.handOver(a, b);
            if (choice == 10) _handler.registerIncomplete(a);
            if (choice == 11) _handler.completeSomething(a, b % 2 == 0);
        }
        invariant_modelAndContractAgree();
        string[10] memory acts = [
            "register",
            "register incomplete",
            "complete",
            "kill",
            "order",
            "request",
            "resume",
            "lower",
            "key",
            "transfer"
        ];
        for (uint256 i = 0; i < acts.length; ++i) require(_handler.successes(acts[i]) > 0, acts[i]);
    }

    function checkLiveness() private view {
        uint256[] memory agents = _handler.agents();
        for (uint256 i = 0; i < agents.length; ++i) {
            bool killed = _killSwitch.isKilled(agents[i]);
            require(killed == _handler.modelKilled(agents[i]), "the model and the contract differ");
            (bool killed_, , Rank rank, , ) = _killSwitch.statusOf(agents[i]);
            require(killed == killed_, "isKilled and statusOf differ");
            require(killed == (rank != Rank.None), "killed without a rank");
            require(_killSwitch.ownerOf(agents[i]) == _handler.ownerInModel(agents[i]), "owner");
        }
    }

    function checkNoKeyResumesAboveItsKill() private view {
        uint256[] memory agents = _handler.agents();
        address[] memory actors = _handler.actors();
        for (uint256 i = 0; i < actors.length; ++i) {
            for (uint256 j = 0; j < agents.length; ++j) {
                checkPowers(actors[i], Scope.Agent, bytes32(agents[j]));
                address wallet = _killSwitch.ownerOf(agents[j]);
                checkPowers(actors[i], Scope.Owner, bytes32(uint256(uint160(wallet))));
            }
            checkPowers(actors[i], Scope.AgentType, "data-miner");
            checkPowers(actors[i], Scope.Fleet, 0);
        }
    }

    function checkOrdersKeepTheirAnswer() private view {
        uint256 count = _handler.orderCount();
        for (uint256 i = 0; i < count; ++i) {
            require(_handler.orderKeepsItsAnswer(i), "a landed order lost its sequence");
        }
    }

    function checkPowers(address account, Scope scope, bytes32 subject) private view {
        Rank kills = _killSwitch.killRankOf(account, scope, subject);
        Rank resumes = _killSwitch.resumeRankOf(account, scope, subject);
        require(kills == Rank.None || resumes <= kills, "a key kills and resumes above its kill");
    }
}
