import type { Hex } from '../../protocol/hex.ts'
import { coveringKills, isActive } from '../../protocol/liveness.ts'
import { Rank } from '../../protocol/rank.ts'
import { Reason } from '../../protocol/reason.ts'
import { ownersHold, type Registry, resumeRankOf, stateIn } from '../../protocol/registry.ts'
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
  /** Its owner alone lifts it; `of` is what the owner stopped, the wallet of an agent where that is it. */
  | { readonly kind: 'owner alone'; readonly of: Target }
  | { readonly kind: 'key needed' }
  | (Step & { readonly kind: 'request first'; readonly cooldown: number; readonly voided: boolean })
  | (Step & { readonly kind: 'cooling down'; readonly requestTime: number; readonly readyAt: number })
  | (Step & { readonly kind: 'ready' })

type Step = {
  /** It lifts only what stands above the owner's kill: the subject stays killed at rank Owner. */
  readonly lowers: boolean
}

/**
 * The rules of `KillSwitch.requestResume` and `resume`, in the order in which they would refuse.
 * @param now Unix seconds of the chain's head
 */
export function resumeTerms(registry: Registry, account: Hex, target: Target, now: number): ResumeTerms {
  const stateOf = stateIn(registry)
  const agent = target.scope === Scope.Agent ? registry.agents.get(subjectLabel(target)) : undefined
  const lifted =
    agent === undefined
      ? [target].filter((one) => isActive(stateOf(one)))
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
  const hold = ownersHold(registry, account, target)
  if (hold.kind === 'refuses') return { kind: 'owner alone', of: hold.of }
  const lowers = hold.kind === 'lowers'
  if (!lowers && agent !== undefined && agent.key === null) return { kind: 'key needed' }
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
    return { kind: 'request first', lowers, cooldown, voided: request !== undefined }
  const readyAt = request.requestTime + Math.max(request.cooldown, cooldown)
  return now < readyAt
    ? { kind: 'cooling down', lowers, requestTime: request.requestTime, readyAt }
    : { kind: 'ready', lowers }
}
