import { rankName } from '../../protocol/rank.ts'
import { reasonName } from '../../protocol/reason.ts'
import { scopeName, subjectLabel } from '../../protocol/scope.ts'
import type { PointView } from './points.ts'
import { type KillRecord, killState, type Moment } from './record.ts'

const at = (moment: Moment | null): number | null => (moment === null ? null : Math.round(moment.at))
const since = (moment: Moment | null, start: Moment): number | null =>
  moment === null ? null : Math.round((moment.monotonic - start.monotonic) * 1000) / 1000

/** A kill as `GET /kills/{id}` shows it: dates by the wall clock, durations since first sight by the monotonic one. */
export const killView = (kill: KillRecord, points: readonly PointView[]) => ({
  id: kill.id,
  scope: scopeName(kill.scope),
  subject: kill.subject,
  label: subjectLabel(kill),
  authority: kill.authority,
  rank: rankName(kill.rank),
  reason: kill.reason,
  reasonName: reasonName(kill.reason),
  text: kill.text,
  origin: kill.order === null ? ('block' as const) : ('order' as const),
  digest: kill.digest,
  state: killState(kill),
  timeline: {
    seenAt: Math.round(kill.seen.at),
    durableAt: at(kill.durable),
    publishedAt: at(kill.published),
    onChainAt: at(kill.onChain),
    finalAt: at(kill.final),
    withdrawnAt: at(kill.withdrawn),
    withdrawnBecause: kill.withdrawnBecause ?? null,
    txHash: kill.landing?.txHash ?? kill.sentTx,
    sendError: kill.landing === null ? kill.sendError : null,
    /** The block that a reorg took it from; null while it stands in one, or never did. */
    orphanedFrom: kill.orphaned?.height ?? null,
    rebroadcast: kill.rebroadcast ?? null,
  },
  /** Milliseconds since first sight. */
  elapsed: {
    durable: since(kill.durable, kill.seen),
    published: since(kill.published, kill.seen),
    onChain: since(kill.onChain, kill.seen),
    final: since(kill.final, kill.seen),
    allConfirmed:
      points.length > 0 && points.every((point) => point.confirmed !== null)
        ? Math.max(...points.map((point) => since(point.confirmed, kill.seen) as number))
        : null,
  },
  /** Machine-wide monotonic clock at first sight, in ms: comparable between processes on one machine only. */
  seenMonotonic: kill.seen.monotonic,
  points: points.map((point) => ({
    spiffeId: point.spiffeId,
    state: point.state,
    confirmedAt: at(point.confirmed),
    confirmedAfter: since(point.confirmed, kill.seen),
  })),
})

export type KillView = ReturnType<typeof killView>
