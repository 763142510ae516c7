import { type AgentIdentity, coveringTargets, type StateOf } from '../../protocol/liveness.ts'
import { agentTarget } from '../../protocol/scope.ts'

/** What brought an agent back to life. */
export type LastResume = {
  /** Unix seconds of the latest request among the resumes that it owes its life to. */
  readonly requestTime: number
  /** Sequence of the last of these resumes: an SVID of that generation or a later one came after all of them. */
  readonly sequence: number
}

/**
 * The last resume of the agent, its owner, its type or the fleet; null if none lifted a kill of it. Where the states do not
 * say whether a wider resume came before the agent (one that was resumed itself shows no registration any more), it counts:
 * the agent then waits from the later request, never from an earlier one.
 */
export function lastResume(agent: AgentIdentity, stateOf: StateOf): LastResume | null {
  const own = stateOf(agentTarget(agent.uuid))
  const resumes = coveringTargets(agent)
    .map(stateOf)
    .filter(
      ({ resumeRequestTime, aliveSince }) =>
        resumeRequestTime > 0 && (own.resumeRequestTime > 0 || aliveSince > own.aliveSince),
    )
  if (resumes.length === 0) return null
  return {
    requestTime: Math.max(...resumes.map(({ resumeRequestTime }) => resumeRequestTime)),
    sequence: Math.max(...resumes.map(({ aliveSince }) => aliveSince)),
  }
}
