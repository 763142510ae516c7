import type { Hex } from '../../../protocol/hex.ts'
import { isKilled, isActive as stands } from '../../../protocol/liveness.ts'
import type { KillOrder } from '../../../protocol/order.ts'
import { higherRank, Rank } from '../../../protocol/rank.ts'
import { firstReservedReason, Reason } from '../../../protocol/reason.ts'
import {
  type Agent,
  applyRegistryEvent,
  copyRegistry,
  createRegistry,
  isOwnersOrder,
  killRankOf,
  type MutableRegistry,
  ownerOf,
  ownersHold,
  type RegistryEvent,
  resumeRankOf,
  stateIn,
} from '../../../protocol/registry.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  subjectLabel,
  type Target,
  targetKey,
} from '../../../protocol/scope.ts'
import { isAgentType } from '../../../protocol/spiffeId.ts'
import { type Call, signatureOf, type Transaction } from './transaction.ts'

/** The rules of KillSwitch.sol that the model can leave out. */
export const contractRules = [
  'a resume needs the highest rank',
  'a resume waits out the longest cool-down',
  'a later kill voids the request',
  'a killed wallet registers nothing',
  'a killed wallet receives nothing',
  'a transfer kills',
  'a transfer clears the key',
  'a killed agent is not transferred',
  'a transferred agent stays for one cool-down',
  'a dismissal takes one cool-down',
  'former guardians keep their kill',
  'an order lands once',
  'an order of before a resume is void',
  'an owner’s kill is its owner’s to lift',
  'an owner’s kill stays below a higher one',
  'a burn needs the rank',
  'an owner’s order is its owner’s to burn',
  'a burn takes one cool-down',
  'the digest is burnt, not the nonce',
  'a kill of a killed subject counts anew',
  'a kill raises the rank',
] as const
export type ContractRule = (typeof contractRules)[number]

/** What a block leaves behind. */
export type ContractState = {
  readonly registry: MutableRegistry
  /** Keys that a transfer has cleared, which the agent must not get again. */
  readonly clearedKeys: Map<string, Hex>
}

export type ContractSettings = {
  readonly governance: Hex
  readonly council: Hex
  readonly emergencyGovernor: Hex
  /** Of Breaker, Owner, Council and Governance, in seconds. */
  readonly cooldowns: readonly [number, number, number, number]
}

/** The state after the constructor, with its events. */
export function deployed(settings: ContractSettings): {
  readonly state: ContractState
  readonly events: readonly RegistryEvent[]
} {
  const events: RegistryEvent[] = [
    { type: 'GovernanceAccepted', governance: settings.governance },
    { type: 'CouncilChanged', council: settings.council },
    { type: 'EmergencyGovernorChanged', emergencyGovernor: settings.emergencyGovernor },
    ...settings.cooldowns.map(
      (cooldown, i): RegistryEvent => ({ type: 'CooldownChanged', rank: (i + 1) as Rank, cooldown }),
    ),
  ]
  const registry = createRegistry()
  for (const event of events) applyRegistryEvent(registry, event, 0)
  return { state: { registry, clearedKeys: new Map() }, events }
}

/** A copy that can be advanced without changing the original. */
export const copyOf = ({ registry, clearedKeys }: ContractState): ContractState => ({
  registry: copyRegistry(registry),
  clearedKeys: new Map(clearedKeys),
})

const maxSkew = 60
const maxOrderLife = 86_400

/** A refusal by the contract, with the name of the contract's own error. */
class Reverted extends Error {
  override readonly name = 'Reverted'
}

const require = (holds: boolean, error: string): void => {
  if (!holds) throw new Reverted(error)
}

/**
 * Executes a transaction as KillSwitch.sol does; test/simulation/contract.test.ts compares the two.
 * @param time of the block, Unix seconds
 * @param without rules that are left out
 * @returns its events, which `state` has taken, or the name of the error with which it reverts
 */
export function execute(
  state: ContractState,
  { from, call }: Transaction,
  time: number,
  without: ReadonlySet<ContractRule>,
): readonly RegistryEvent[] | string {
  const { registry } = state
  const events: RegistryEvent[] = []
  const emit = (event: RegistryEvent) => {
    applyRegistryEvent(registry, event, time)
    events.push(event)
  }
  const holds = (rule: ContractRule) => !without.has(rule)
  const cooldownOf = (rank: Rank) => registry.cooldowns.get(rank) ?? 0
  const stateOf = stateIn(registry)
  const isActive = (target: Target) => stands(stateOf(target))

  const agentOf = (uuid: string): Agent => {
    const agent = registry.agents.get(uuid)
    if (agent === undefined) throw new Reverted('UnknownAgent')
    return agent
  }
  const ownAgent = (uuid: string): Agent => {
    const agent = agentOf(uuid)
    require(agent.owner === from, 'NotAgentOwner')
    return agent
  }
  const labelOf = (target: Target): string => {
    const label = subjectLabel(target)
    require(target.scope !== Scope.Agent || registry.agents.has(label), 'UnknownAgent')
    return label
  }
  const coveringOwnerKill = (agent: Agent): number => {
    const owner = ownerTarget(agent.owner)
    const { killedAt } = stateOf(owner)
    return isActive(owner) && killedAt > stateOf(agentTarget(agent.uuid)).aliveSince ? killedAt : 0
  }
  const nextSequence = () => registry.sequence + 1

  const kill = (target: Target, authority: Hex, rank: Rank, reason: number, digest: Hex | null): number => {
    const sequence = nextSequence()
    const standing = stateOf(target)
    if (!holds('a kill of a killed subject counts anew') && isActive(target)) return standing.killedAt
    emit({ type: 'Killed', ...target, authority, rank, reason, sequence, orderDigest: digest, text: '' })
    if (!holds('a kill raises the rank')) registry.states.set(targetKey(target), { ...stateOf(target), rank })
    return sequence
  }
  const killRank = (account: Hex, target: Target): Rank => {
    const rank = killRankOf(registry, account, target, time)
    if (rank !== Rank.Owner || holds('former guardians keep their kill') || target.scope !== Scope.Agent)
      return rank
    const agent = agentOf(subjectLabel(target))
    const isNow =
      account === agent.owner ||
      account === agent.agentWallet ||
      (registry.guardians.get(`${agent.owner}:${account}`) ?? 0) > time
    return isNow ? rank : Rank.None
  }
  const requireKill = (account: Hex, target: Target, reason: number): Rank => {
    require(reason < firstReservedReason, 'ReservedReason')
    labelOf(target)
    const rank = killRank(account, target)
    require(rank !== Rank.None, 'NotAuthorized')
    return rank
  }
  const resumeTerms = (target: Target): { required: Rank; cooldown: number } => {
    let required: Rank = Rank.None
    let cooldown = 0
    if (isActive(target)) {
      const { rank, reason } = stateOf(target)
      required = rank
      if (!(reason === Reason.Transferred && rank === Rank.Owner)) cooldown = cooldownOf(rank)
    }
    if (target.scope === Scope.Agent) {
      const agent = agentOf(subjectLabel(target))
      if (coveringOwnerKill(agent) !== 0) {
        const { rank } = stateOf(ownerTarget(agent.owner))
        required = higherRank(required, rank)
        cooldown = Math.max(cooldown, cooldownOf(rank))
      }
    }
    require(required !== Rank.None, 'NotKilled')
    return { required, cooldown: holds('a resume waits out the longest cool-down') ? cooldown : 0 }
  }
  const requireResumeRank = (target: Target, required: Rank) => {
    const rank = resumeRankOf(registry, from, target)
    const needed = holds('a resume needs the highest rank') || required === Rank.None ? required : Rank.Owner
    require(rank >= needed, 'RankTooLow')
  }
  /** Whether a resume by the caller leaves the owner's kill in place. */
  const requireOwnersHold = (target: Target): boolean => {
    const { kind } = ownersHold(registry, from, target)
    require(kind !== 'refuses' || !holds('an owner’s kill is its owner’s to lift'), 'OwnersKill')
    return kind === 'lowers' && holds('an owner’s kill stays below a higher one')
  }
  const latestCoveringKill = (target: Target): number => {
    const covering: Target[] = [target, fleetTarget]
    if (target.scope === Scope.Agent) {
      const agent = agentOf(subjectLabel(target))
      covering.push(ownerTarget(agent.owner), agentTypeTarget(agent.agentType ?? ''))
    }
    return Math.max(...covering.map((one) => stateOf(one).killedAt))
  }
  const isVoid = (target: Target, sequence: number) =>
    holds('a later kill voids the request') && sequence < latestCoveringKill(target)
  const requireTimely = (order: KillOrder) => {
    const [issuedAt, deadline] = [Number(order.issuedAt), Number(order.deadline)]
    require(issuedAt <= time + maxSkew &&
      deadline > issuedAt &&
      deadline - issuedAt <= maxOrderLife, 'InvalidOrderTimes')
    require(time <= deadline, 'OrderExpired')
    require(issuedAt >= stateOf(order).resumeRequestTime ||
      !holds('an order of before a resume is void'), 'OrderSuperseded')
  }

  const calls: { [N in Call['name']]: (call: Extract<Call, { name: N }>) => void } = {
    register({ uuid, agentType, key }) {
      require(isAgentType(agentType), 'InvalidAgentType')
      require(!/^0x0*$/.test(key), 'InvalidKey')
      require(!isActive(ownerTarget(from)) || !holds('a killed wallet registers nothing'), 'WalletKilled')
      require(!registry.agents.has(uuid), 'AgentExists')
      emit({ type: 'AgentRegistered', uuid, owner: from, agentType, key, sequence: nextSequence() })
    },
    setKey({ uuid, key }) {
      const agent = ownAgent(uuid)
      require(!/^0x0*$/.test(key), 'InvalidKey')
      require(key !== agent.key && key !== state.clearedKeys.get(uuid), 'KeyUnchanged')
      state.clearedKeys.delete(uuid)
      emit({ type: 'KeyChanged', uuid, key, sequence: nextSequence() })
    },
    setAgentWallet({ uuid, wallet }) {
      const agent = ownAgent(uuid)
      require(!isKilled(agent, stateOf), 'AgentKilled')
      emit({ type: 'AgentWalletChanged', uuid, agentWallet: wallet })
    },
    transfer({ uuid, to }) {
      const agent = ownAgent(uuid)
      require(!isKilled(agent, stateOf) || !holds('a killed agent is not transferred'), 'AgentKilled')
      require(!isActive(ownerTarget(to)) || !holds('a killed wallet receives nothing'), 'WalletKilled')
      require(time >= agent.formerUntil ||
        !holds('a transferred agent stays for one cool-down'), 'TransferredTooRecently')
      if (agent.key !== null && holds('a transfer clears the key')) state.clearedKeys.set(uuid, agent.key)
      const formerUntil = time + cooldownOf(Rank.Owner)
      emit({ type: 'AgentTransferred', uuid, formerOwner: from, newOwner: to, formerUntil })
      if (!holds('a transfer clears the key')) registry.agents.set(uuid, { ...agentOf(uuid), key: agent.key })
      if (agent.agentWallet !== null) emit({ type: 'AgentWalletChanged', uuid, agentWallet: null })
      if (holds('a transfer kills')) kill(agentTarget(uuid), from, Rank.Owner, Reason.Transferred, null)
    },
    kill({ target, reason }) {
      kill(target, from, requireKill(from, target, reason), reason, null)
    },
    killBySig({ order, digest, signature }) {
      const { authority, nonce } = order
      const landed = registry.landedNonces.get(`${authority}:${nonce}`)
      if (landed !== undefined && holds('an order lands once')) {
        require(registry.landedOrders.get(digest) === landed, 'NonceUsed')
        return
      }
      const burnt = holds('the digest is burnt, not the nonce') ? digest : `nonce:${authority}:${nonce}`
      const burntFrom = registry.burntOrders.get(burnt as Hex)
      require(burntFrom === undefined || time < burntFrom, 'NonceUsed')
      requireTimely(order)
      const rank = requireKill(authority, order, order.reason)
      require(signature === signatureOf(authority, digest), 'InvalidSignature')
      const target = { scope: order.scope, subject: order.subject }
      const sequence = kill(target, authority, rank, order.reason, digest)
      emit({ type: 'OrderLanded', authority, nonce, orderDigest: digest, sequence })
    },
    burnOrder({ order, digest }) {
      labelOf(order)
      const { authority, nonce } = order
      const required = higherRank(killRank(authority, order), Rank.Owner)
      const rank = resumeRankOf(registry, from, order)
      require(rank >= (holds('a burn needs the rank') ? required : Rank.Owner), 'RankTooLow')
      require(!isOwnersOrder(registry, authority, order, time) ||
        ownerOf(registry, order) === from ||
        !holds('an owner’s order is its owner’s to burn'), 'OwnersKill')
      require(!registry.landedNonces.has(`${authority}:${nonce}`) &&
        !registry.burntOrders.has(digest), 'NonceUsed')
      const effectiveAt = time + (holds('a burn takes one cool-down') ? cooldownOf(required) : 0)
      emit({ type: 'OrderBurned', authority, nonce, orderDigest: digest, effectiveAt })
      if (!holds('the digest is burnt, not the nonce'))
        registry.burntOrders.set(`nonce:${authority}:${nonce}` as Hex, effectiveAt)
    },
    requestResume({ target }) {
      labelOf(target)
      const { required, cooldown } = resumeTerms(target)
      requireResumeRank(target, required)
      requireOwnersHold(target)
      const request = registry.resumeRequests.get(targetKey(target))
      require(request === undefined || isVoid(target, request.sequence), 'ResumePending')
      const { sequence } = registry
      emit({
        type: 'ResumeRequested',
        ...target,
        authority: from,
        sequence,
        readyAt: time + cooldown,
      })
    },
    resume({ target }) {
      const label = labelOf(target)
      const { required, cooldown } = resumeTerms(target)
      requireResumeRank(target, required)
      const lowers = requireOwnersHold(target)
      const request = registry.resumeRequests.get(targetKey(target))
      if (request === undefined || isVoid(target, request.sequence)) throw new Reverted('NoResumeRequest')
      require(time >= request.requestTime + Math.max(request.cooldown, cooldown), 'CooldownRunning')
      if (lowers) {
        emit({ type: 'RankLowered', ...target, authority: from, requestTime: request.requestTime })
        return
      }
      require(target.scope !== Scope.Agent || agentOf(label).key !== null, 'KeyRequired')
      emit({
        type: 'Resumed',
        ...target,
        authority: from,
        sequence: nextSequence(),
        requestTime: request.requestTime,
      })
    },
    appointGuardian({ guardian }) {
      require(registry.guardians.get(`${from}:${guardian}`) !== Number.POSITIVE_INFINITY, 'GuardianUnchanged')
      emit({ type: 'GuardianAppointed', owner: from, guardian })
    },
    dismissGuardian({ guardian }) {
      require(registry.guardians.get(`${from}:${guardian}`) === Number.POSITIVE_INFINITY, 'GuardianUnchanged')
      const until = time + (holds('a dismissal takes one cool-down') ? cooldownOf(Rank.Owner) : 0)
      emit({ type: 'GuardianDismissed', owner: from, guardian, until })
    },
    setBreaker({ breaker, admitted }) {
      require(from === registry.governance, 'NotGovernance')
      emit({ type: 'BreakerChanged', breaker, admitted })
    },
    setCooldown({ rank, cooldown }) {
      require(from === registry.governance, 'NotGovernance')
      emit({ type: 'CooldownChanged', rank, cooldown })
    },
  }

  try {
    ;(calls[call.name] as (call: Call) => void)(call)
    return events
  } catch (error) {
    if (error instanceof Reverted) return error.message
    throw error
  }
}
