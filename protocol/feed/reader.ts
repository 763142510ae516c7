import type { RevocationRow, RevocationTable } from '../revocation.ts'
import { targetKey } from '../scope.ts'
import {
  type FeedMessage,
  FeedRefusedError,
  feedTag,
  messageHash,
  openDocument,
  type Snapshot,
  snapshotTag,
  type Verify,
} from './message.ts'
import { createDigestedTable } from './tableDigest.ts'

/** Both clocks, in ms: the wall clock judges a heartbeat's own time, the monotonic one its age since arrival. */
export type Clocks = { readonly wall: number; readonly monotonic: number }

export type Taken =
  | { readonly kind: 'row'; readonly type: string; readonly row: RevocationRow; readonly number: number }
  | { readonly kind: 'heartbeat'; readonly number: number }
  /** Had already, overtaken or replayed: it changes nothing and renews nothing. */
  | { readonly kind: 'known' }
  /** Messages are missing, the epoch changed or the table differs: fetch the snapshot. */
  | { readonly kind: 'gap' }

export type FeedReader = {
  /** Rows by `targetKey`, kept up to date in place: the relayer's at `position()`, its final sequences never lowered. */
  readonly table: RevocationTable
  /** Where the reader stands; null before the first snapshot. */
  position(): { readonly epoch: string; readonly number: number } | null
  /**
   * Does a little of the hashing that the next heartbeat needs, all of which `takeMessage` does at once otherwise.
   * @returns whether there was anything to hash
   */
  hashSome(): boolean
  /** Takes one signed message. @throws {FeedRefusedError} and changes nothing */
  takeMessage(text: string, clocks: Clocks): Taken
  /** Takes a signed snapshot: replaces provisional rows, max-merges final ones. @throws {FeedRefusedError} */
  takeSnapshot(text: string, clocks: Clocks): { readonly number: number }
  /**
   * Whether the view may be relied on; see docs/protocol.md, Feed. To be asked at least every second while it matters:
   * jumps of a clock are seen by asking.
   */
  freshness(clocks: Clocks): Freshness
}

export type Freshness = 'fresh' | 'no feed' | 'stale' | 'blind'

/** How far a relayer's clock may run ahead of ours before its heartbeat is refused, in ms. */
const maxAhead = 5_000

/** How many of the latest messages' hashes are kept to tell a repetition from a fork, and how many epochs that were left. */
const knownMessages = 1024

/** Most rows of one relayer's table: what a relayer can make its readers hold, about 500 bytes each. */
export const maxTableRows = 200_000

/**
 * Reads one relayer's feed: the rules of docs/protocol.md, Feed. No I/O; clocks and verification come from outside.
 *
 * Invariants:
 * 1. `told` is exactly the relayer's table at `at`, so that its digest can be compared.
 * 2. `table` is `told` with final sequences raised to `kept`: the largest that this reader was told of the subject since
 *    it was last dropped, in whatever epoch. So no final kill is forgotten by a relayer that was restored from a backup.
 * 3. Times are compared so that a value that is no number is refused or stale.
 * 4. Between two signs of life no clock takes age back: the wall clock counts from the furthest that it was seen ahead of
 *    the monotonic one. A suspend stops the monotonic clock and a step turns the wall clock back; together, or one after
 *    the other, they would otherwise make an old view fresh again.
 */
export function createFeedReader(options: {
  readonly relayer: string
  readonly deployment: string
  readonly verify: Verify
  /** Longest age of a heartbeat, in ms. */
  readonly maxStaleness: number
  /** `maxTableRows` unless told otherwise. */
  readonly maxRows?: number
}): FeedReader {
  const { relayer, deployment, verify, maxStaleness, maxRows = maxTableRows } = options
  const feed = { relayer, deployment }
  const table = new Map<string, RevocationRow>()
  const told = createDigestedTable()
  const kept = new Map<string, RevocationRow>()
  let at: { epoch: string; number: number; hash: string } | null = null
  /** `lead`: how far the wall clock was seen ahead of the monotonic one since. `doubted`: see `doubt`. */
  let sign: { time: number; arrived: number; blind: boolean; lead: number; doubted: boolean } | null = null
  const known = new Map<number, string>()
  const leftEpochs = new Set<string>()

  const remember = (number: number, hash: string) => {
    known.set(number, hash)
    known.delete(number - knownMessages)
  }

  const tell = (row: RevocationRow) => {
    const key = targetKey(row)
    told.set(row)
    const before = kept.get(key)
    if (row.finalSequence > 0 && !(before !== undefined && before.finalSequence > row.finalSequence))
      kept.set(key, row)
    const finalSequence = kept.get(key)?.finalSequence ?? 0
    table.set(key, finalSequence === row.finalSequence ? row : { ...row, finalSequence })
  }

  const drop = (key: string) => {
    told.delete(key)
    kept.delete(key)
    table.delete(key)
  }

  /** @returns whether it is later than the last one */
  const noteSignOfLife = (time: number, blind: boolean, { wall, monotonic }: Clocks): boolean => {
    if (sign !== null && time <= sign.time) {
      // Nothing is renewed, but of two of the same time the one that says less is believed.
      if (time === sign.time && blind) sign = { ...sign, blind }
      return false
    }
    sign = { time, arrived: monotonic, blind, lead: wall - monotonic, doubted: false }
    return true
  }

  /** Not fresh before the next sign of life. */
  const doubt = (): void => {
    if (sign !== null) sign.doubted = true
  }

  const requireHash = (number: number, hash: string) => {
    const had = known.get(number)
    if (had !== undefined && had !== hash)
      throw new FeedRefusedError('fork', `message ${number} has another hash`)
  }

  return {
    table,
    hashSome: told.hashSome,
    position: () => (at === null ? null : { epoch: at.epoch, number: at.number }),

    takeMessage(text, clocks) {
      const { document, json } = openDocument<FeedMessage>(text, feedTag, feed, verify)
      // One that was left is no news: its messages are replays.
      if (leftEpochs.has(document.epoch)) return { kind: 'known' }
      if (at === null || document.epoch !== at.epoch) return { kind: 'gap' }
      if (document.type === 'heartbeat') {
        if (document.number > at.number) return { kind: 'gap' }
        requireHash(document.number, document.previous)
        // Overtaken by a snapshot on another connection, or replayed: it says nothing any more.
        if (document.number < at.number) return { kind: 'known' }
        if (!(document.time <= clocks.wall + maxAhead)) {
          // One of the clocks is wrong. If ours was stopped, the last sign of life is older than it seems.
          if (sign !== null && document.time > sign.time) doubt()
          throw new FeedRefusedError(
            'stale heartbeat',
            `its time lies ${document.time - clocks.wall} ms ahead; check the clocks`,
          )
        }
        if (document.table !== told.digest()) return { kind: 'gap' }
        return noteSignOfLife(document.time, document.blind, clocks)
          ? { kind: 'heartbeat', number: document.number }
          : { kind: 'known' }
      }
      const hash = messageHash(json)
      if (document.number <= at.number) {
        requireHash(document.number, hash)
        return { kind: 'known' }
      }
      if (document.number !== at.number + 1) return { kind: 'gap' }
      if (document.previous !== at.hash)
        throw new FeedRefusedError('fork', `message ${document.number} does not follow ours`)
      const { row } = document
      if (document.type === 'dropped') drop(targetKey(row))
      else {
        if (table.size >= maxRows && !table.has(targetKey(row))) {
          doubt()
          throw new FeedRefusedError('too large', `its table has more than ${maxRows} rows`)
        }
        tell(row)
      }
      at = { epoch: document.epoch, number: document.number, hash }
      remember(document.number, hash)
      return { kind: 'row', type: document.type, row, number: document.number }
    },

    takeSnapshot(text, clocks) {
      const { document } = openDocument<Snapshot>(text, snapshotTag, feed, verify)
      const sameEpoch = at !== null && at.epoch === document.epoch
      if (leftEpochs.has(document.epoch))
        throw new FeedRefusedError('rollback', `epoch ${document.epoch} was left for ${at?.epoch}`)
      if (at !== null && sameEpoch) {
        if (document.number < at.number)
          throw new FeedRefusedError('rollback', `it is of ${document.number}, we are at ${at.number}`)
        requireHash(document.number, document.previous)
      }
      if (sign !== null && (sameEpoch ? document.time < sign.time : document.time <= sign.time)) {
        throw new FeedRefusedError(
          'rollback',
          `its time ${document.time} is not later than that of the last sign of life`,
        )
      }
      const age = clocks.wall - document.time
      if (!(age >= -maxAhead && age <= maxStaleness)) {
        if (age < -maxAhead && sign !== null && document.time > sign.time) doubt()
        throw new FeedRefusedError('rollback', `its time is ${age} ms behind ours; check the clocks`)
      }
      const rows = new Map(document.rows.map((row) => [targetKey(row), row]))
      let size = rows.size
      for (const key of kept.keys())
        if (!rows.has(key) && !(sameEpoch && told.get(key) !== undefined)) size += 1
      if (size > maxRows) throw new FeedRefusedError('too large', `its table has more than ${maxRows} rows`)
      noteSignOfLife(document.time, document.blind, clocks)
      for (const row of [...told.rows()]) {
        const key = targetKey(row)
        if (rows.has(key)) continue
        // Within the epoch the relayer dropped it as dead. Another epoch knows nothing of it: what is final stands.
        if (sameEpoch) drop(key)
        else {
          told.delete(key)
          const final = kept.get(key)
          if (final === undefined) table.delete(key)
          else table.set(key, { ...row, provisional: false, finalSequence: final.finalSequence })
        }
      }
      for (const row of rows.values()) tell(row)
      if (at !== null && !sameEpoch) {
        leftEpochs.add(at.epoch)
        // Those forgotten are of earlier times than the last sign of life, which is refused too.
        if (leftEpochs.size > knownMessages) leftEpochs.delete(leftEpochs.values().next().value as string)
        known.clear()
      }
      at = { epoch: document.epoch, number: document.number, hash: document.previous }
      for (const number of known.keys()) if (number <= at.number - knownMessages) known.delete(number)
      remember(document.number, document.previous)
      return { number: document.number }
    },

    freshness({ wall, monotonic }) {
      if (sign === null) return 'no feed'
      if (sign.blind) return 'blind'
      if (wall - monotonic > sign.lead) sign.lead = wall - monotonic
      const age = monotonic + sign.lead - sign.time
      const sinceArrival = monotonic - sign.arrived
      const fresh =
        !sign.doubted &&
        wall - sign.time >= -maxAhead &&
        age <= maxStaleness &&
        sinceArrival >= 0 &&
        sinceArrival <= maxStaleness
      return fresh ? 'fresh' : 'stale'
    },
  }
}
