import { type AgentIdentity, coveringTargets, statusOf } from '../../protocol/liveness.ts'
import { type Registry, stateIn } from '../../protocol/registry.ts'
import type { RevocationRow, RevocationTable } from '../../protocol/revocation.ts'
import { type Scope, scopeName, targetKey } from '../../protocol/scope.ts'
import type { Kill } from '../api/relayerApi.ts'

/** `killing` until every enforcement point that is known has confirmed: contained means confirmed. */
export type AgentState = 'alive' | 'killing' | 'killed'

/** The kill that covers an agent, with where it is known from. */
export type CoveringKill = {
  readonly scope: Scope
  readonly reason: number
  /** Unix seconds by the chain; null while it is not on chain. */
  readonly since: number | null
  readonly source: 'chain' | 'feed'
}

/** Whether any enforcement point still owes its confirmation. */
const isUnconfirmed = (kill: Kill): boolean =>
  kill.points.some(({ state }) => state === 'pending' || state === 'overdue')

/**
 * A kill that the feed knows and the registry does not: provisional, or final but later than all that was read from the
 * chain, as when its node is down.
 */
const rowAhead = (
  agent: AgentIdentity,
  registry: Registry,
  table: RevocationTable,
): RevocationRow | undefined =>
  coveringTargets(agent)
    .map((target) => table.get(targetKey(target)))
    .find((row) => row !== undefined && (row.provisional || row.finalSequence > registry.sequence))

/** The agent's state by the chain and the verified feed; the relayer's timelines only tell killing from killed. */
export function agentStateOf(
  agent: AgentIdentity,
  registry: Registry,
  table: RevocationTable,
  kills: readonly Kill[],
): { readonly state: AgentState; readonly kill: CoveringKill | null } {
  const status = statusOf(agent, stateIn(registry))
  const row = rowAhead(agent, registry, table)
  if (!status.killed && row === undefined) return { state: 'alive', kill: null }
  const targets = coveringTargets(agent)
  const latest = kills.find(
    (one) =>
      one.state !== 'withdrawn' &&
      targets.some(({ subject, scope }) => one.subject === subject && one.scope === scopeName(scope)),
  )
  return {
    state: latest !== undefined && isUnconfirmed(latest) ? 'killing' : 'killed',
    kill: status.killed
      ? { scope: status.scope, reason: status.reason, since: status.since, source: 'chain' }
      : {
          scope: (row as RevocationRow).scope,
          reason: (row as RevocationRow).reason,
          since: null,
          source: 'feed',
        },
  }
}
