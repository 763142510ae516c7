import type { Hex } from './hex.ts'
import { type AgentIdentity, neverKilled, type SubjectState } from './liveness.ts'
import { higherRank, Rank } from './rank.ts'
import { agentTarget, Scope, subjectLabel, type Target, targetKey } from './scope.ts'

/** An agent as the chain has it. */
export type Agent = AgentIdentity & {
  /** Ed25519 public key; null while a transfer has cleared it. */
  readonly key: Hex | null
  /** Sequence at which the key was set. */
  readonly keySince: number
  readonly agentWallet: Hex | null
  /** The owner before the last transfer, whose guardians keep their kill until `formerUntil` (Unix seconds). */
  readonly formerOwner: Hex | null
  readonly formerUntil: number
}

/** All that the contract's events say; the events alone rebuild it. Addresses in lower case. */
export type Registry = {
  readonly sequence: number
  readonly agents: ReadonlyMap<string, Agent>
  readonly states: ReadonlyMap<string, SubjectState>
  /** Until when (Unix seconds) by `owner:guardian`; Infinity while appointed. */
  readonly guardians: ReadonlyMap<string, number>
  readonly breakers: ReadonlySet<Hex>
  readonly council: Hex | null
  readonly emergencyGovernor: Hex | null
  readonly cooldowns: ReadonlyMap<Rank, number>
  /** By `authority:nonce`: digest and from when (Unix seconds) it is burnt. */
  readonly burntOrders: ReadonlyMap<string, { readonly digest: Hex; readonly effectiveAt: number }>
}

/** An event of the contract, decoded: addresses lower case, ids as UUIDs, times in Unix seconds. */
export type RegistryEvent =
  | {
      readonly type: 'AgentRegistered'
      readonly uuid: string
      readonly owner: Hex
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
  | { readonly type: 'GuardianAppointed'; readonly owner: Hex; readonly guardian: Hex }
  | {
      readonly type: 'GuardianDismissed'
      readonly owner: Hex
      readonly guardian: Hex
      readonly until: number
    }
  | {
      readonly type: 'OrderBurned'
      readonly authority: Hex
      readonly nonce: bigint
      readonly orderDigest: Hex
      readonly effectiveAt: number
    }
  | { readonly type: 'CouncilChanged'; readonly council: Hex | null }
  | { readonly type: 'EmergencyGovernorChanged'; readonly emergencyGovernor: Hex | null }
  | { readonly type: 'BreakerChanged'; readonly breaker: Hex; readonly admitted: boolean }
  | { readonly type: 'CooldownChanged'; readonly rank: Rank; readonly cooldown: number }

/** A registry that can be advanced event by event. */
export type MutableRegistry = {
  -readonly [K in keyof Registry]: Registry[K] extends ReadonlyMap<infer A, infer B>
    ? Map<A, B>
    : Registry[K] extends ReadonlySet<infer A>
      ? Set<A>
      : Registry[K]
}

export const createRegistry = (): MutableRegistry => ({
  sequence: 0,
  agents: new Map(),
  states: new Map(),
  guardians: new Map(),
  breakers: new Set(),
  council: null,
  emergencyGovernor: null,
  cooldowns: new Map(),
  burntOrders: new Map(),
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
        keySince: sequence,
        agentWallet: null,
        formerOwner: null,
        formerUntil: 0,
      })
      changeState(agentTarget(uuid), { aliveSince: sequence })
      return
    }
    case 'AgentTransferred': {
      const { uuid, newOwner, formerOwner, formerUntil } = event
      changeAgent(uuid, { owner: newOwner, formerOwner, formerUntil, key: null, agentWallet: null })
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
      const standing = state.killedAt > state.aliveSince ? state.rank : Rank.None
      changeState(event, {
        killedAt: event.sequence,
        killTime: blockTime,
        rank: higherRank(standing, event.rank),
        reason: event.reason,
      })
      return
    }
    case 'Resumed':
      changeState(event, {
        aliveSince: event.sequence,
        rank: Rank.None,
        resumeRequestTime: event.requestTime,
      })
      return
    case 'ResumeRequested':
      return
    case 'GuardianAppointed':
      registry.guardians.set(`${event.owner}:${event.guardian}`, Number.POSITIVE_INFINITY)
      return
    case 'GuardianDismissed':
      registry.guardians.set(`${event.owner}:${event.guardian}`, event.until)
      return
    case 'OrderBurned':
      registry.burntOrders.set(`${event.authority}:${event.nonce}`, {
        digest: event.orderDigest,
        effectiveAt: event.effectiveAt,
      })
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

/**
 * The rank with which an account may kill a target: twin of `KillSwitch.killRankOf`.
 * @param now Unix seconds
 */
export function killRankOf(registry: Registry, account: Hex, target: Target, now: number): Rank {
  const guards = (owner: Hex | null) =>
    owner !== null && (registry.guardians.get(`${owner}:${account}`) ?? 0) > now
  if (account === registry.emergencyGovernor) return Rank.Governance
  if (account === registry.council) return Rank.Council
  if (target.scope === Scope.Owner) {
    const wallet = subjectLabel(target) as Hex
    return account === wallet || guards(wallet) ? Rank.Owner : Rank.None
  }
  if (target.scope !== Scope.Agent) return Rank.None
  const agent = registry.agents.get(subjectLabel(target))
  if (agent === undefined) return Rank.None
  if (account === agent.owner || account === agent.agentWallet || guards(agent.owner)) return Rank.Owner
  if (now < agent.formerUntil && guards(agent.formerOwner)) return Rank.Owner
  return registry.breakers.has(account) ? Rank.Breaker : Rank.None
}

/** Whether the wallet owns at least one agent. */
export function ownsAgent(registry: Registry, wallet: Hex): boolean {
  for (const agent of registry.agents.values()) if (agent.owner === wallet) return true
  return false
}
