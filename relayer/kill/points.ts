import type { Clock } from '../clock.ts'
import { createSerial, type Serial } from '../serial.ts'
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

/** A point that has confirmed nothing. @param enrolledAt ms */
export const newPoint = (spiffeId: string, enrolledAt: number): EnforcementPoint => ({
  spiffeId,
  enrolledAt,
  epoch: null,
  acknowledged: 0,
  acknowledgedAt: null,
})

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
  /** Kills no longer wait for this point. */
  withdraw(spiffeId: string): void
  /**
   * Takes a cumulative acknowledgement: written first, then believed.
   * @param closedConnections how many the point closed since its last one
   * @returns the kills that it confirms for the first time
   * @throws {AcknowledgementRefusedError}, or what writing it throws: then nothing changed, and it can be sent again
   */
  acknowledge(
    spiffeId: string,
    epoch: string,
    number: number,
    closedConnections?: number,
  ): Promise<readonly Confirmation[]>
  /**
   * Each point that was enrolled when the kill was seen, with its state now.
   * @param stored its confirmations, for a kill that is not at hand
   */
  of(kill: KillRecord, stored?: readonly Confirmation[]): readonly PointView[]
  point(spiffeId: string): EnforcementPoint | undefined
  all(): readonly EnforcementPoint[]
  /** Forgets the confirmations of a kill that is no longer at hand. */
  forget(killId: string): void
}

/** How long a point may take before its silence shows as overdue, in ms. */
const overdueAfter = 1_000

/** A later point starts with the kill in its table: it has nothing to confirm, and must not date the kill's end anew. */
const isAsked = (point: EnforcementPoint, kill: KillRecord): boolean => point.enrolledAt <= kill.seen.at

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
  /** Writes durably where a point stands, with the kills that it newly confirms. */
  readonly write: (
    point: EnforcementPoint,
    confirmations: readonly Confirmation[],
    closedConnections: number,
  ) => Promise<void>
}): EnforcementPoints {
  const { epoch: ours, kills, published, closedAfter, clock, write } = options
  const points = new Map(options.points.map((point) => [point.spiffeId, point]))
  const confirmed = new Map<string, Map<string, Moment>>()
  const confirm = ({ killId, spiffeId, moment }: Confirmation) => {
    const of = confirmed.get(killId) ?? new Map<string, Moment>()
    of.set(spiffeId, moment)
    confirmed.set(killId, of)
  }
  for (const confirmation of options.confirmations) confirm(confirmation)
  /** One acknowledgement of a point at a time: the next is judged by what the last has changed. */
  const turns = new Map<string, Serial>()
  const inTurn = (spiffeId: string): Serial => {
    const turn = turns.get(spiffeId) ?? createSerial()
    turns.set(spiffeId, turn)
    return turn
  }

  /** What an acknowledgement changes; changes nothing itself. */
  const judge = (spiffeId: string, epoch: string, number: number, moment: Moment) => {
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
    const from = point.epoch === ours ? point.acknowledged : -1
    const confirmations: Confirmation[] = []
    for (const kill of kills()) {
      // Numbers go on across epochs, and a new epoch is entered by a snapshot that holds every open kill.
      if (kill.feed.number > number) continue
      // Newest first, and acknowledgements are cumulative: what is older is confirmed already.
      if (kill.feed.number <= from) break
      if (!isAsked(point, kill)) continue
      if (confirmed.get(kill.id)?.has(spiffeId)) continue
      confirmations.push({ killId: kill.id, spiffeId, moment })
    }
    const changed = {
      ...point,
      epoch,
      acknowledged: Math.max(from, number),
      acknowledgedAt: Math.round(moment.at),
    }
    return { point: changed, confirmations }
  }

  return {
    enrol: (point) => void points.set(point.spiffeId, point),

    withdraw(spiffeId) {
      points.delete(spiffeId)
      turns.delete(spiffeId)
    },

    async acknowledge(spiffeId, epoch, number, closedConnections = 0) {
      const moment = { at: clock.wall(), monotonic: clock.monotonic() }
      // Refused before it makes a turn, so that strangers leave nothing behind.
      judge(spiffeId, epoch, number, moment)
      return inTurn(spiffeId)(async () => {
        const { point, confirmations } = judge(spiffeId, epoch, number, moment)
        await write(point, confirmations, closedConnections)
        // Withdrawn meanwhile: it stays so.
        if (points.has(spiffeId)) points.set(spiffeId, point)
        for (const confirmation of confirmations) confirm(confirmation)
        return confirmations
      })
    },

    of(kill, stored) {
      const ofKill =
        stored === undefined
          ? confirmed.get(kill.id)
          : new Map(stored.map(({ spiffeId, moment }) => [spiffeId, moment]))
      const waited = clock.wall() - (kill.published ?? kill.seen).at
      // Any heartbeat after the kill would have shown the gap, so the last one it could live on came before it.
      const silent =
        waited > closedAfter ? 'closed by staleness' : waited > overdueAfter ? 'overdue' : 'pending'
      const asked = [...points.values()].filter((point) => isAsked(point, kill))
      const ids = new Set([...asked.map(({ spiffeId }) => spiffeId), ...(ofKill?.keys() ?? [])])
      return [...ids].map((spiffeId) => {
        const moment = ofKill?.get(spiffeId) ?? null
        return { spiffeId, state: moment === null ? silent : 'confirmed', confirmed: moment }
      })
    },

    point: (spiffeId) => points.get(spiffeId),
    all: () => [...points.values()],
    forget: (killId) => void confirmed.delete(killId),
  }
}
