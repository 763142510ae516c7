import type { Hex } from './hex.ts'
import { type AgentIdentity, isActive, neverKilled, type SubjectState } from './liveness.ts'
import { higherRank, Rank } from './rank.ts'
import {
  agentTarget,
  InvalidSubjectError,
  ownerTarget,
  Scope,
  subjectLabel,
  type Target,
  targetKey,
} from './scope.ts'

/** An agent as the chain has it. */
export type Agent = AgentIdentity & {
  /** Ed25519 public key; null while a transfer has cleared it, and until the agent is complete. */
  readonly key: Hex | null
  /** Sequence at which the key was set; 0 while there is none. */
  readonly keySince: number
  readonly agentWallet: Hex | null
  /** The owner before the last transfer, whose guardians keep their kill until `formerUntil` (Unix seconds). */
  readonly formerOwner: Hex | null
  readonly formerUntil: number
}

/** A resume that was asked for, void or not. */
export type ResumeRequest = {
  /** The counter when it was requested; any later kill that covers the subject voids it. */
  readonly sequence: number
  /** Unix seconds. */
  readonly requestTime: number
  /** Seconds that had to pass according to the state at the request. */
  readonly cooldown: number
}

/** All that the contract's events say; the events alone rebuild it. Addresses in lower case. */
export type Registry = {
  readonly sequence: number
  readonly agents: ReadonlyMap<string, Agent>
  /** UUIDs of the agents that a wallet owns; no entry for a wallet without any. */
  readonly agentsByOwner: ReadonlyMap<Hex, ReadonlySet<string>>
  readonly states: ReadonlyMap<string, SubjectState>
  /** Pending resumes by `targetKey`. */
  readonly resumeRequests: ReadonlyMap<string, ResumeRequest>
  /** Until when (Unix seconds) by `owner:guardian`; Infinity while appointed. */
  readonly guardians: ReadonlyMap<string, number>
  readonly breakers: ReadonlySet<Hex>
  readonly governance: Hex | null
  readonly pendingGovernance: Hex | null
  readonly council: Hex | null
  readonly emergencyGovernor: Hex | null
  readonly cooldowns: ReadonlyMap<Rank, number>
  /** Sequence of the kill by the digest of the order that landed as it. */
  readonly landedOrders: ReadonlyMap<Hex, number>
  /** Sequence of the kill by `authority:nonce` of the order that landed as it. */
  readonly landedNonces: ReadonlyMap<string, number>
  /**
   * From when (Unix seconds) an order cannot land, by its digest. Never by its nonce: anyone may burn an order that he
   * made up in another's name over his own agent, and must not hide the burning of the real one.
   */
  readonly burntOrders: ReadonlyMap<Hex, number>
}

/** An event of the contract, decoded: addresses lower case, ids as UUIDs, times in Unix seconds. */
export type RegistryEvent =
  | {
      readonly type: 'AgentRegistered'
      readonly uuid: string
      readonly owner: Hex
      /** Type and key are null where the agent is yet to be completed. */
      readonly agentType: string | null
      readonly key: Hex | null
      readonly sequence: number
    }
  | {
      readonly type: 'AgentCompleted'
      readonly uuid: string
      readonly agentType: string
      readonly key: Hex
      readonly sequence: number
    }
  | {
      readonly type: 'AgentTransferred'
      readonly uuid: string
      readonly formerOwner: Hex
      readonly newOwner: Hex
      readonly formerUntil: number
    }
  | { readonly type: 'KeyChanged'; readonly uuid: string; readonly key: Hex; readonly sequence: number }
  | { readonly type: 'AgentWalletChanged'; readonly uuid: string; readonly agentWallet: Hex | null }
  | (Target & {
      readonly type: 'Killed'
      readonly authority: Hex
      readonly rank: Rank
      readonly reason: number
      readonly sequence: number
      readonly orderDigest: Hex | null
      readonly text: string
    })
  | (Target & {
      readonly type: 'ResumeRequested'
      readonly authority: Hex
      readonly sequence: number
      readonly readyAt: number
    })
  | (Target & {
      readonly type: 'Resumed'
      readonly authority: Hex
      readonly sequence: number
      readonly requestTime: number
    })
  | (Target & { readonly type: 'RankLowered'; readonly authority: Hex; readonly requestTime: number })
  | { readonly type: 'GuardianAppointed'; readonly owner: Hex; readonly guardian: Hex }
  | {
      readonly type: 'GuardianDismissed'
      readonly owner: Hex
      readonly guardian: Hex
      readonly until: number
    }
  | {
      readonly type: 'OrderLanded'
      readonly authority: Hex
      readonly nonce: bigint
      readonly orderDigest: Hex
      readonly sequence: number
    }
  | {
      readonly type: 'OrderBurned'
      readonly authority: Hex
      readonly nonce: bigint
      readonly orderDigest: Hex
      readonly effectiveAt: number
    }
  | { readonly type: 'GovernanceOffered'; readonly pending: Hex | null }
  | { readonly type: 'GovernanceAccepted'; readonly governance: Hex }
  | { readonly type: 'CouncilChanged'; readonly council: Hex | null }
  | { readonly type: 'EmergencyGovernorChanged'; readonly emergencyGovernor: Hex | null }
  | { readonly type: 'BreakerChanged'; readonly breaker: Hex; readonly admitted: boolean }
  | { readonly type: 'CooldownChanged'; readonly rank: Rank; readonly cooldown: number }

type Mutable<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V extends ReadonlySet<infer A> ? Set<A> : V>
    : T extends ReadonlySet<infer A>
      ? Set<A>
      : T

/** A registry that can be advanced event by event. */
export type MutableRegistry = { -readonly [K in keyof Registry]: Mutable<Registry[K]> }

export const createRegistry = (): MutableRegistry => ({
  sequence: 0,
  agents: new Map(),
  agentsByOwner: new Map(),
  states: new Map(),
  resumeRequests: new Map(),
  guardians: new Map(),
  breakers: new Set(),
  governance: null,
  pendingGovernance: null,
  council: null,
  emergencyGovernor: null,
  cooldowns: new Map(),
  landedOrders: new Map(),
  landedNonces: new Map(),
  burntOrders: new Map(),
})

/** A copy that can be advanced while the original stays: agents and states are replaced, never changed. */
export const copyRegistry = (registry: Registry): MutableRegistry => ({
  ...registry,
  agents: new Map(registry.agents),
  agentsByOwner: new Map([...registry.agentsByOwner].map(([owner, uuids]) => [owner, new Set(uuids)])),
  states: new Map(registry.states),
  resumeRequests: new Map(registry.resumeRequests),
  guardians: new Map(registry.guardians),
  breakers: new Set(registry.breakers),
  cooldowns: new Map(registry.cooldowns),
  landedOrders: new Map(registry.landedOrders),
  landedNonces: new Map(registry.landedNonces),
  burntOrders: new Map(registry.burntOrders),
})

export const stateIn =
  (registry: Registry) =>
  (target: Target): SubjectState =>
    registry.states.get(targetKey(target)) ?? neverKilled

/** An event that cannot follow the ones before it: some are missing. */
export class RegistryGapError extends Error {
  override readonly name = 'RegistryGapError'
  readonly event: RegistryEvent
  constructor(event: RegistryEvent) {
    super(
      `${event.type} of an agent that is not registered; events are missing, read them again from the contract's deployment`,
    )
    this.event = event
  }
}

/**
 * Advances the registry by one event, in the order of the chain.
 * @param blockTime Unix seconds
 * @throws {RegistryGapError}
 */
export function applyRegistryEvent(registry: MutableRegistry, event: RegistryEvent, blockTime: number): void {
  const changeAgent = (uuid: string, change: Partial<Agent>) => {
    const agent = registry.agents.get(uuid)
    if (agent === undefined) throw new RegistryGapError(event)
    registry.agents.set(uuid, { ...agent, ...change })
  }
  const changeOwner = (uuid: string, from: Hex | null, to: Hex) => {
    const left = from === null ? undefined : registry.agentsByOwner.get(from)
    left?.delete(uuid)
    if (from !== null && left?.size === 0) registry.agentsByOwner.delete(from)
    const joined = registry.agentsByOwner.get(to)
    if (joined === undefined) registry.agentsByOwner.set(to, new Set([uuid]))
    else joined.add(uuid)
  }
  const changeState = (target: Target, change: Partial<SubjectState>) => {
    registry.states.set(targetKey(target), { ...stateIn(registry)(target), ...change })
  }
  if ('sequence' in event && event.type !== 'ResumeRequested') registry.sequence = event.sequence
  switch (event.type) {
    case 'AgentRegistered': {
      const { uuid, owner, agentType, key, sequence } = event
      registry.agents.set(uuid, {
        uuid,
        owner,
        agentType,
        key,
        keySince: key === null ? 0 : sequence,
        agentWallet: null,
        formerOwner: null,
        formerUntil: 0,
      })
      changeOwner(uuid, null, owner)
      changeState(agentTarget(uuid), { aliveSince: sequence })
      return
    }
    case 'AgentCompleted': {
      const { uuid, agentType, key, sequence } = event
      changeAgent(uuid, { agentType, key, keySince: sequence })
      return
    }
    case 'AgentTransferred': {
      const { uuid, newOwner, formerOwner, formerUntil } = event
      changeAgent(uuid, {
        owner: newOwner,
        formerOwner,
        formerUntil,
        key: null,
        keySince: 0,
        agentWallet: null,
      })
      changeOwner(uuid, formerOwner, newOwner)
      return
    }
    case 'KeyChanged':
      changeAgent(event.uuid, { key: event.key, keySince: event.sequence })
      return
    case 'AgentWalletChanged':
      changeAgent(event.uuid, { agentWallet: event.agentWallet })
      return
    case 'Killed': {
      const state = stateIn(registry)(event)
      changeState(event, {
        killedAt: event.sequence,
        killTime: blockTime,
        rank: higherRank(state.rank, event.rank),
        reason: event.reason,
        // Of an owner whom a vote made council or emergency governor too: else two votes could lift what it stops.
        ownersKill:
          state.ownersKill || event.rank === Rank.Owner || ownerOf(registry, event) === event.authority,
      })
      if (event.orderDigest !== null) registry.landedOrders.set(event.orderDigest, event.sequence)
      return
    }
    case 'Resumed':
      registry.resumeRequests.delete(targetKey(event))
      changeState(event, {
        aliveSince: event.sequence,
        rank: Rank.None,
        resumeRequestTime: event.requestTime,
        ownersKill: false,
      })
      return
    case 'RankLowered':
      registry.resumeRequests.delete(targetKey(event))
      changeState(event, { rank: Rank.Owner, resumeRequestTime: event.requestTime })
      return
    case 'ResumeRequested':
      registry.resumeRequests.set(targetKey(event), {
        sequence: event.sequence,
        requestTime: blockTime,
        cooldown: event.readyAt - blockTime,
      })
      return
    case 'GuardianAppointed':
      registry.guardians.set(`${event.owner}:${event.guardian}`, Number.POSITIVE_INFINITY)
      return
    case 'GuardianDismissed':
      registry.guardians.set(`${event.owner}:${event.guardian}`, event.until)
      return
    case 'OrderLanded':
      registry.landedNonces.set(`${event.authority}:${event.nonce}`, event.sequence)
      return
    case 'OrderBurned':
      registry.burntOrders.set(event.orderDigest, event.effectiveAt)
      return
    case 'GovernanceOffered':
      registry.pendingGovernance = event.pending
      return
    case 'GovernanceAccepted':
      registry.governance = event.governance
      registry.pendingGovernance = null
      return
    case 'CouncilChanged':
      registry.council = event.council
      return
    case 'EmergencyGovernorChanged':
      registry.emergencyGovernor = event.emergencyGovernor
      return
    case 'BreakerChanged':
      if (event.admitted) registry.breakers.add(event.breaker)
      else registry.breakers.delete(event.breaker)
      return
    case 'CooldownChanged':
      registry.cooldowns.set(event.rank, event.cooldown)
      return
  }
}

/** The wallet that owns a target: an agent's, or the wallet itself; null for types, the fleet and unknown agents. */
export function ownerOf(registry: Registry, { scope, subject }: Target): Hex | null {
  if (scope === Scope.Owner) return subjectLabel({ scope, subject }) as Hex
  if (scope !== Scope.Agent) return null
  return registry.agents.get(subjectLabel({ scope, subject }))?.owner ?? null
}

const zeroAddress: Hex = `0x${'0'.repeat(40)}`

/** The account in lower case and what the subject stands for; null where the contract sees no subject or no account. */
function readAuthority(
  registry: Registry,
  account: Hex,
  target: Target,
): { account: Hex; label: string } | null {
  const lower = account.toLowerCase() as Hex
  // The zero address holds no power, also where a role or an agent wallet is vacant.
  if (lower === zeroAddress) return null
  try {
    const label = subjectLabel(target)
    if (target.scope === Scope.Agent && !registry.agents.has(label)) return null
    return { account: lower, label }
  } catch (error) {
    if (error instanceof InvalidSubjectError) return null
    throw error
  }
}

/**
 * The rank with which an account may kill a target; None for an invalid subject. Twin of `KillSwitch.killRankOf`.
 * @param now Unix seconds
 */
export function killRankOf(registry: Registry, account: Hex, target: Target, now: number): Rank {
  const authority = readAuthority(registry, account, target)
  if (authority === null) return Rank.None
  const { account: who, label } = authority
  const guards = (owner: Hex | null) =>
    owner !== null && (registry.guardians.get(`${owner}:${who}`) ?? 0) > now
  if (who === registry.emergencyGovernor) return Rank.Governance
  if (who === registry.council) return Rank.Council
  if (target.scope === Scope.Owner) return who === label || guards(label as Hex) ? Rank.Owner : Rank.None
  const agent = target.scope === Scope.Agent ? registry.agents.get(label) : undefined
  if (agent === undefined) return Rank.None
  if (who === agent.owner || who === agent.agentWallet || guards(agent.owner)) return Rank.Owner
  if (now < agent.formerUntil && guards(agent.formerOwner)) return Rank.Owner
  return registry.breakers.has(who) ? Rank.Breaker : Rank.None
}

/** The highest rank of kill that an account could resume of a target; None for an invalid subject. Twin of `KillSwitch.resumeRankOf`. */
export function resumeRankOf(registry: Registry, account: Hex, target: Target): Rank {
  const authority = readAuthority(registry, account, target)
  if (authority === null) return Rank.None
  const { account: who } = authority
  if (who === registry.governance) return Rank.Governance
  if (who === registry.council) return Rank.Council
  return who === ownerOf(registry, target) ? Rank.Owner : Rank.None
}

/** What an owner's kill means for a resume by an account. */
export type OwnersHold =
  /** None stands in its way: there is none, or the account owns the target. */
  | { readonly kind: 'none' }
  /** The resume lifts what stands above the owner's kill, and the target stays killed at rank Owner. */
  | { readonly kind: 'lowers' }
  /** It is refused: `of` is the target of the owner's kill, the agent's wallet where that is under one. */
  | { readonly kind: 'refuses'; readonly of: Target }

/**
 * Whether a resume of a target by an account leaves an owner's kill in place or is refused for it (`OwnersKill`). It
 * says nothing of the account's rank. Twin of `KillSwitch._resumeTerms`.
 */
export function ownersHold(registry: Registry, account: Hex, target: Target): OwnersHold {
  if (account.toLowerCase() === ownerOf(registry, target)) return { kind: 'none' }
  const stateOf = stateIn(registry)
  const state = stateOf(target)
  if (state.ownersKill && state.rank === Rank.Owner) return { kind: 'refuses', of: target }
  const agent = target.scope === Scope.Agent ? registry.agents.get(subjectLabel(target)) : undefined
  if (agent !== undefined) {
    const of = ownerTarget(agent.owner)
    const wallet = stateOf(of)
    if (wallet.ownersKill && isActive(wallet) && wallet.killedAt > state.aliveSince)
      return { kind: 'refuses', of }
  }
  return { kind: state.ownersKill ? 'lowers' : 'none' }
}

/**
 * Whether an order of an authority is burnt by the owner of its target alone: of one whose kill has rank Owner, of one
 * that has none any more, and of the owner. Twin of `KillSwitch.burnOrder`.
 * @param now Unix seconds
 */
export function isOwnersOrder(registry: Registry, authority: Hex, target: Target, now: number): boolean {
  const owner = ownerOf(registry, target)
  if (owner === null) return false
  const rank = killRankOf(registry, authority, target, now)
  return rank === Rank.Owner || rank === Rank.None || authority.toLowerCase() === owner
}

/** Whether the wallet owns at least one agent. */
export const ownsAgent = (registry: Registry, wallet: Hex): boolean =>
  registry.agentsByOwner.has(wallet.toLowerCase() as Hex)
