import type { Clock } from '../clock.ts'
import type { KillRecord, Moment } from './record.ts'

/** An enrolled enforcement point and how far it has confirmed the feed. */
export type EnforcementPoint = {
  readonly spiffeId: string
  /** ms */
  readonly enrolledAt: number
  readonly epoch: string | null
  readonly acknowledged: number
  readonly acknowledgedAt: number | null
}

export type PointState = 'pending' | 'confirmed' | 'overdue' | 'closed by staleness'

export type PointView = {
  readonly spiffeId: string
  readonly state: PointState
  readonly confirmed: Moment | null
}

export type Confirmation = { readonly killId: string; readonly spiffeId: string; readonly moment: Moment }

/** An acknowledgement that cannot be true. */
export class AcknowledgementRefusedError extends Error {
  override readonly name = 'AcknowledgementRefusedError'
  readonly field: 'epoch' | 'number' | 'spiffeId'
  readonly value: string
  constructor(field: 'epoch' | 'number' | 'spiffeId', value: unknown, detail: string) {
    super(detail)
    this.field = field
    this.value = String(value)
  }
}

export type EnforcementPoints = {
  enrol(point: EnforcementPoint): void
  /**
   * Takes a cumulative acknowledgement.
   * @returns the kills that it confirms for the first time
   * @throws {AcknowledgementRefusedError}
   */
  acknowledge(
    spiffeId: string,
    epoch: string,
    number: number,
  ): { readonly point: EnforcementPoint; readonly confirmations: readonly Confirmation[] }
  /** Each point that was enrolled when the kill was seen, with its state now. */
  of(kill: KillRecord): readonly PointView[]
  all(): readonly EnforcementPoint[]
}

/** How long a point may take before its silence shows as overdue, in ms. */
const overdueAfter = 1_000

export function createEnforcementPoints(options: {
  readonly epoch: string
  readonly points: readonly EnforcementPoint[]
  readonly confirmations: readonly Confirmation[]
  readonly kills: () => readonly KillRecord[]
  /** Number of the last feed message. */
  readonly published: () => number
  /** After that long without a heartbeat a point refuses everything, in ms: maxStaleness and drift. */
  readonly closedAfter: number
  readonly clock: Clock
}): EnforcementPoints {
  const { epoch: ours, kills, published, closedAfter, clock } = options
  const points = new Map(options.points.map((point) => [point.spiffeId, point]))
  const confirmed = new Map<string, Map<string, Moment>>()
  const confirm = ({ killId, spiffeId, moment }: Confirmation) => {
    const of = confirmed.get(killId) ?? new Map<string, Moment>()
    of.set(spiffeId, moment)
    confirmed.set(killId, of)
  }
  for (const confirmation of options.confirmations) confirm(confirmation)

  return {
    enrol: (point) => void points.set(point.spiffeId, point),

    acknowledge(spiffeId, epoch, number) {
      const point = points.get(spiffeId)
      if (point === undefined)
        throw new AcknowledgementRefusedError(
          'spiffeId',
          spiffeId,
          `${spiffeId} is not enrolled as an enforcement point`,
        )
      if (epoch !== ours)
        throw new AcknowledgementRefusedError(
          'epoch',
          epoch,
          `this feed's epoch is ${ours}; fetch the snapshot`,
        )
      if (number > published())
        throw new AcknowledgementRefusedError('number', number, `only ${published()} messages were published`)
      const moment = { at: clock.wall(), monotonic: clock.monotonic() }
      const from = point.epoch === ours ? point.acknowledged : -1
      const confirmations: Confirmation[] = []
      for (const kill of kills()) {
        // Numbers go on across epochs, and a new epoch is entered by a snapshot that holds every open kill.
        if (kill.feed.number > number) continue
        // Newest first, and acknowledgements are cumulative: what is older is confirmed already.
        if (kill.feed.number <= from) break
        if (confirmed.get(kill.id)?.has(spiffeId)) continue
        const confirmation = { killId: kill.id, spiffeId, moment }
        confirm(confirmation)
        confirmations.push(confirmation)
      }
      const changed = {
        ...point,
        epoch,
        acknowledged: Math.max(from, number),
        acknowledgedAt: Math.round(moment.at),
      }
      points.set(spiffeId, changed)
      return { point: changed, confirmations }
    },

    of(kill) {
      const waited = clock.wall() - (kill.published ?? kill.seen).at
      return [...points.values()]
        .filter((point) => point.enrolledAt <= kill.seen.at || confirmed.get(kill.id)?.has(point.spiffeId))
        .map(({ spiffeId }) => {
          const moment = confirmed.get(kill.id)?.get(spiffeId) ?? null
          // Any heartbeat after the kill would have shown the gap, so the last one it could live on came before it.
          const silent =
            waited > closedAfter ? 'closed by staleness' : waited > overdueAfter ? 'overdue' : 'pending'
          return { spiffeId, state: moment === null ? silent : 'confirmed', confirmed: moment }
        })
    },

    all: () => [...points.values()],
  }
}
