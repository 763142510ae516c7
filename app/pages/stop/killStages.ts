import { parseSpiffeId } from '../../../protocol/spiffeId.ts'
import type { Kill } from '../../api/relayerApi.ts'
import type { Stage } from '../../design/components/Stages.tsx'

const nameOf = (spiffeId: string): string => {
  try {
    return parseSpiffeId(spiffeId).name
  } catch {
    return spiffeId
  }
}

/** A kill's steps, from first sight to finality. */
export function killStages(kill: Kill): readonly Stage[] {
  const { elapsed, timeline, points, state } = kill
  const step = (name: string, from: number | null, after: number | null, note?: string): Stage => ({
    name,
    from,
    state: after === null ? 'waiting' : 'done',
    after,
    ...(note === undefined ? {} : { note }),
  })
  return [
    step('Durable', 0, elapsed.durable),
    step('Published', elapsed.durable, elapsed.published),
    ...points.map(
      ({ spiffeId, state: pointState, confirmedAfter }): Stage => ({
        name: `Confirmed by ${spiffeId}`,
        short: nameOf(spiffeId),
        state: pointState === 'pending' ? 'running' : pointState === 'overdue' ? 'late' : 'done',
        from: elapsed.published,
        after: confirmedAfter,
        ...(pointState === 'closed by staleness' ? { note: 'closed itself' } : {}),
      }),
    ),
    ...(state === 'withdrawn'
      ? [
          step(
            'Withdrawn',
            elapsed.published,
            timeline.withdrawnAt === null ? null : timeline.withdrawnAt - timeline.seenAt,
          ),
        ]
      : [
          step(
            'On chain',
            kill.origin === 'block' ? 0 : elapsed.durable,
            elapsed.onChain,
            timeline.orphanedFrom === null ? undefined : 'after a reorg',
          ),
          step('Final', elapsed.onChain, elapsed.final),
        ]),
  ]
}
