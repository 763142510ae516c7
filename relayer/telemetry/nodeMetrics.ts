import type { FollowerStatus } from '../chain/follow/follower.ts'
import type { Broadcaster } from '../feed/broadcaster.ts'
import type { KillExecutor } from '../kill/executor.ts'
import { killState } from '../kill/record.ts'
import type { Backlog } from '../store/journal.ts'
import { type Metric, renderMetrics } from './metrics.ts'

/** What `GET /metrics` says of a node. */
export function nodeMetrics(parts: {
  readonly executor: KillExecutor
  readonly broadcaster: Broadcaster
  readonly follower: FollowerStatus
  /** Number of the last feed message. */
  readonly published: number
  /** Accesses that enforcement points saw but could not report. */
  readonly unreportedAccesses: number
  readonly shedRequests: number
  readonly backlog: Backlog | null
}): string {
  const { executor, broadcaster, follower } = parts
  const { head, grantPoint, blind } = executor.chainView()
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `killswitch_${name}`,
    help,
    type: 'gauge',
    value,
  })
  const counter = (name: string, help: string, value: number): Metric => ({
    ...gauge(name, help, value),
    type: 'counter',
  })
  const owed = executor.kills().filter((kill) => killState(kill) === 'enforced').length
  return renderMetrics([
    gauge('head_block', 'Number of the last block taken', head?.number ?? 0),
    gauge('grant_point_block', 'Number of the block up to which grants are taken', grantPoint?.number ?? 0),
    gauge('blind', '1 while no new head is seen', blind ? 1 : 0),
    gauge(
      'failing_rpcs',
      'RPCs that do not answer or tell what does not fit',
      follower.rpcs.filter(({ failure }) => failure !== null).length,
    ),
    gauge(
      'chain_forked',
      '1 while the chain no longer holds what was granted: nothing is granted, see the log',
      follower.forkedBelowGrantPoint ? 1 : 0,
    ),
    counter('feed_messages_total', 'Numbered feed messages', parts.published),
    gauge('feed_subscribers', 'Open feed streams', broadcaster.subscribers),
    gauge('revocation_rows', 'Rows of the revocation table', executor.rows().length),
    gauge('agents', 'Registered agents at the grant point', executor.registry.agents.size),
    gauge('kills_not_on_chain', 'Enforced orders that are not on chain', owed),
    gauge('store_failing', '1 while the store takes no writes', parts.backlog === null ? 0 : 1),
    gauge(
      'unwritten_decisions',
      'Published decisions that the store has not taken',
      parts.backlog?.decisions ?? 0,
    ),
    counter(
      'unreported_accesses_total',
      'Accesses that enforcement points saw but could not report',
      parts.unreportedAccesses,
    ),
    counter(
      'shed_requests_total',
      'Requests that were refused to keep the kill road free',
      parts.shedRequests,
    ),
  ])
}
