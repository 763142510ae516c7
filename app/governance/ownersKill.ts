import { Rank } from '../../protocol/rank.ts'
import { type Registry, stateIn } from '../../protocol/registry.ts'
import { ownerTarget, Scope, subjectLabel, type Target } from '../../protocol/scope.ts'

/**
 * Whether only its owner stopped a target, so that the timelock refuses to release it: twin of
 * `PolicyTimelock._requireNotOwnersKill`.
 */
export function isOwnersKill(registry: Registry, target: Target): boolean {
  const stateOf = stateIn(registry)
  const state = stateOf(target)
  if (state.killedAt > state.aliveSince && state.rank === Rank.Owner) return true
  const agent = target.scope === Scope.Agent ? registry.agents.get(subjectLabel(target)) : undefined
  if (agent === undefined) return false
  const wallet = stateOf(ownerTarget(agent.owner))
  return (
    wallet.killedAt > wallet.aliveSince && wallet.killedAt > state.aliveSince && wallet.rank === Rank.Owner
  )
}
