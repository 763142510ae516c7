import type { Hex } from './hex.ts'
import { Rank } from './rank.ts'
import { Reason } from './reason.ts'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget, Scope, type Target } from './scope.ts'

/** Liveness of one subject, as the contract stores it. Times in Unix seconds; sequences are the contract's counter. */
export type SubjectState = {
  readonly killedAt: number
  readonly aliveSince: number
  readonly killTime: number
  readonly rank: Rank
  readonly reason: number
  /** Orders issued before it are void: the request of the last executed resume, or lowering of the rank. */
  readonly resumeRequestTime: number
  /** A kill by the owner, or in its name, stands; nobody else lifts it. */
  readonly ownersKill: boolean
}

export const neverKilled: SubjectState = {
  killedAt: 0,
  aliveSince: 0,
  killTime: 0,
  rank: Rank.None,
  reason: Reason.Unspecified,
  resumeRequestTime: 0,
  ownersKill: false,
}

/** What kills of an agent go by. The type is null until the agent is complete; it has no SPIFFE ID before. */
export type AgentIdentity = { readonly uuid: string; readonly owner: Hex; readonly agentType: string | null }

export type StateOf = (target: Target) => SubjectState

export type Status = {
  readonly killed: boolean
  readonly scope: Scope
  readonly rank: Rank
  readonly since: number
  readonly reason: number
}

/** Whether its latest kill stands. */
export const isActive = (state: SubjectState): boolean => state.killedAt > state.aliveSince

/** Made once for each: agents are replaced, never changed, and every step of an issuance asks for theirs. */
const covering = new WeakMap<AgentIdentity, readonly Target[]>()

/** The targets whose kills cover an agent, narrowest first: four, or three while it has no type. */
export function coveringTargets(agent: AgentIdentity): readonly Target[] {
  const known = covering.get(agent)
  if (known !== undefined) return known
  const targets = [
    agentTarget(agent.uuid),
    ownerTarget(agent.owner),
    ...(agent.agentType === null ? [] : [agentTypeTarget(agent.agentType)]),
    fleetTarget,
  ]
  covering.set(agent, targets)
  return targets
}

/** The targets whose active kills cover the agent (docs/protocol.md, Liveness), narrowest first. */
export function coveringKills(agent: AgentIdentity, stateOf: StateOf): readonly Target[] {
  const targets = coveringTargets(agent)
  const { aliveSince } = stateOf(targets[0] as Target)
  return targets.filter((target) => {
    const state = stateOf(target)
    return isActive(state) && (target.scope > Scope.Owner || state.killedAt > aliveSince)
  })
}

/** Whether a kill covers the agent: the TypeScript twin of `KillSwitch.isKilled`. */
export const isKilled = (agent: AgentIdentity, stateOf: StateOf): boolean =>
  coveringKills(agent, stateOf).length > 0

/** The kill of the highest rank that covers the agent; of equals, the narrowest scope. Twin of `KillSwitch.statusOf`. */
export function statusOf(agent: AgentIdentity, stateOf: StateOf): Status {
  let status: Status = { killed: false, scope: Scope.Agent, rank: Rank.None, since: 0, reason: 0 }
  for (const target of coveringKills(agent, stateOf)) {
    const state = stateOf(target)
    if (state.rank <= status.rank) continue
    status = {
      killed: true,
      scope: target.scope,
      rank: state.rank,
      since: state.killTime,
      reason: state.reason,
    }
  }
  return status
}
