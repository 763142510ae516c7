import type { Hex } from '../../protocol/hex.ts'
import { coveringKills } from '../../protocol/liveness.ts'
import { Rank } from '../../protocol/rank.ts'
import { Reason } from '../../protocol/reason.ts'
import { type Registry, resumeRankOf, stateIn } from '../../protocol/registry.ts'
import {
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  subjectLabel,
  type Target,
  targetKey,
} from '../../protocol/scope.ts'

/** What stands between a subject and its resume; times in Unix seconds, cool-downs in seconds. */
export type ResumeTerms =
  /** There is nothing that this subject's resume would lift. */
  | { readonly kind: 'nothing to lift' }
  /** The account's rank does not reach the kill's. */
  | { readonly kind: 'not yours'; readonly required: Rank; readonly rank: Rank }
  | { readonly kind: 'key needed' }
  | { readonly kind: 'request first'; readonly cooldown: number; readonly voided: boolean }
  | { readonly kind: 'cooling down'; readonly requestTime: number; readonly readyAt: number }
  | { readonly kind: 'ready' }

/**
 * The rules of `KillSwitch.requestResume` and `resume`, in the order in which they would refuse.
 * @param now Unix seconds of the chain's head
 */
export function resumeTerms(registry: Registry, account: Hex, target: Target, now: number): ResumeTerms {
  const stateOf = stateIn(registry)
  const agent = target.scope === Scope.Agent ? registry.agents.get(subjectLabel(target)) : undefined
  const lifted =
    agent === undefined
      ? [target].filter((one) => stateOf(one).killedAt > stateOf(one).aliveSince)
      : coveringKills(agent, stateOf).filter((one) => one.scope <= Scope.Owner)
  if (lifted.length === 0) return { kind: 'nothing to lift' }
  const terms = lifted.map((one) => {
    const { rank, reason } = stateOf(one)
    // A transfer's own kill has no cool-down, so that a buyer can start at once.
    const isTransfer = one.scope === Scope.Agent && reason === Reason.Transferred && rank === Rank.Owner
    return { rank, cooldown: isTransfer ? 0 : (registry.cooldowns.get(rank) ?? 0) }
  })
  const required = Math.max(...terms.map((one) => one.rank)) as Rank
  const cooldown = Math.max(...terms.map((one) => one.cooldown))
  const rank = resumeRankOf(registry, account, target)
  if (rank < required) return { kind: 'not yours', required, rank }
  if (agent !== undefined && agent.key === null) return { kind: 'key needed' }
  const request = registry.resumeRequests.get(targetKey(target))
  const covering: readonly Target[] =
    agent === undefined
      ? [target, fleetTarget]
      : [
          target,
          fleetTarget,
          ownerTarget(agent.owner),
          ...(agent.agentType === null ? [] : [agentTypeTarget(agent.agentType)]),
        ]
  const latestKill = Math.max(...covering.map((one) => stateOf(one).killedAt))
  if (request === undefined || request.sequence < latestKill)
    return { kind: 'request first', cooldown, voided: request !== undefined }
  const readyAt = request.requestTime + Math.max(request.cooldown, cooldown)
  return now < readyAt
    ? { kind: 'cooling down', requestTime: request.requestTime, readyAt }
    : { kind: 'ready' }
}
