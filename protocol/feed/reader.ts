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
  tableDigest,
  type Verify,
} from './message.ts'

/** Both clocks, in ms: the wall clock judges a heartbeat's own time, the monotonic one its age since arrival. */
export type Clocks = { readonly wall: number; readonly monotonic: number }

export type Taken =
  | { readonly kind: 'row'; readonly type: string; readonly row: RevocationRow; readonly number: number }
  | { readonly kind: 'heartbeat'; readonly number: number }
  /** Had already; nothing changed. */
  | { readonly kind: 'known' }
  /** Messages are missing, the epoch changed or the table differs: fetch the snapshot. */
  | { readonly kind: 'gap' }

export type FeedReader = {
  /** Rows by `targetKey`, kept up to date in place. */
  readonly table: RevocationTable
  /** Where the reader stands; null before the first snapshot. */
  position(): { readonly epoch: string; readonly number: number } | null
  /** Takes one signed message. @throws {FeedRefusedError} and changes nothing */
  takeMessage(text: string, clocks: Clocks): Taken
  /** Takes a signed snapshot: replaces provisional rows, max-merges final ones. @throws {FeedRefusedError} */
  takeSnapshot(text: string, clocks: Clocks): { readonly number: number }
  /** Whether the view may be relied on; see docs/protocol.md, Feed. */
  freshness(clocks: Clocks): Freshness
}

export type Freshness = 'fresh' | 'no feed' | 'stale' | 'blind'

/** How far a relayer's clock may run ahead of ours before its heartbeat is refused, in ms. */
const maxAhead = 5_000

/** Reads one relayer's feed: the rules of docs/protocol.md, Feed. No I/O; clocks and verification come from outside. */
export function createFeedReader(options: {
  readonly relayer: string
  readonly deployment: string
  readonly verify: Verify
  /** Longest age of a heartbeat, in ms. */
  readonly maxStaleness: number
}): FeedReader {
  const { relayer, deployment, verify, maxStaleness } = options
  const feed = { relayer, deployment }
  const table = new Map<string, RevocationRow>()
  let at: { epoch: string; number: number; hash: string } | null = null
  let heartbeat: { time: number; arrived: number; blind: boolean } | null = null
  // Hashes of the latest messages, to tell a repetition from a fork.
  const known = new Map<number, string>()

  const remember = (number: number, hash: string) => {
    known.set(number, hash)
    known.delete(number - 1024)
  }

  const noteSignOfLife = (time: number, blind: boolean, { wall, monotonic }: Clocks) => {
    if (time > wall + maxAhead)
      throw new FeedRefusedError('stale heartbeat', `its time lies ${time - wall} ms ahead`)
    if (heartbeat !== null && time <= heartbeat.time) return false
    heartbeat = { time, arrived: monotonic, blind }
    return true
  }

  const mergeFinal = (row: RevocationRow): RevocationRow => {
    const mine = table.get(targetKey(row))
    return mine !== undefined && mine.finalSequence > row.finalSequence
      ? { ...row, finalSequence: mine.finalSequence }
      : row
  }

  return {
    table,
    position: () => (at === null ? null : { epoch: at.epoch, number: at.number }),

    takeMessage(text, clocks) {
      const { document, json } = openDocument<FeedMessage>(text, feedTag, feed, verify)
      if (at === null || document.epoch !== at.epoch) return { kind: 'gap' }
      if (document.type === 'heartbeat') {
        if (document.number > at.number) return { kind: 'gap' }
        const expected = document.number === at.number ? at.hash : known.get(document.number)
        if (expected !== undefined && expected !== document.previous) {
          throw new FeedRefusedError('fork', `message ${document.number} has another hash`)
        }
        if (document.number < at.number)
          throw new FeedRefusedError('stale heartbeat', `it is of ${document.number}, we are at ${at.number}`)
        if (document.table !== tableDigest(table.values())) return { kind: 'gap' }
        if (!noteSignOfLife(document.time, document.blind, clocks)) {
          throw new FeedRefusedError(
            'stale heartbeat',
            `its time ${document.time} is not later than the last`,
          )
        }
        return { kind: 'heartbeat', number: document.number }
      }
      const hash = messageHash(json)
      if (document.number <= at.number) {
        const had = known.get(document.number)
        if (had !== undefined && had !== hash)
          throw new FeedRefusedError('fork', `message ${document.number} has another hash`)
        return { kind: 'known' }
      }
      if (document.number !== at.number + 1) return { kind: 'gap' }
      if (document.previous !== at.hash)
        throw new FeedRefusedError('fork', `message ${document.number} does not follow ours`)
      const { row } = document
      if (document.type === 'dropped') table.delete(targetKey(row))
      else table.set(targetKey(row), mergeFinal(row))
      at = { epoch: document.epoch, number: document.number, hash }
      remember(document.number, hash)
      return { kind: 'row', type: document.type, row, number: document.number }
    },

    takeSnapshot(text, clocks) {
      const { document } = openDocument<Snapshot>(text, snapshotTag, feed, verify)
      const sameEpoch = at !== null && at.epoch === document.epoch
      if (at !== null && sameEpoch) {
        if (document.number < at.number)
          throw new FeedRefusedError('rollback', `it is of ${document.number}, we are at ${at.number}`)
        if (document.number === at.number && document.previous !== at.hash) {
          throw new FeedRefusedError('fork', `message ${document.number} has another hash`)
        }
      }
      if (heartbeat !== null && document.time < heartbeat.time) {
        throw new FeedRefusedError(
          'rollback',
          `its time ${document.time} is earlier than that of the last heartbeat`,
        )
      }
      if (document.time > clocks.wall + maxAhead || document.time < clocks.wall - maxStaleness) {
        throw new FeedRefusedError(
          'rollback',
          `its time ${document.time} is ${clocks.wall - document.time} ms from ours; check the clocks`,
        )
      }
      noteSignOfLife(document.time, document.blind, clocks)
      const rows = document.rows.map(mergeFinal)
      // Rows that the snapshot lacks were dropped as dead within the same epoch; across epochs final ones stay.
      for (const [key, row] of [...table]) {
        if (sameEpoch || row.finalSequence === 0) table.delete(key)
        else table.set(key, { ...row, provisional: false })
      }
      for (const row of rows) table.set(targetKey(row), row)
      at = { epoch: document.epoch, number: document.number, hash: document.previous }
      known.clear()
      remember(document.number, document.previous)
      return { number: document.number }
    },

    freshness({ wall, monotonic }) {
      if (heartbeat === null) return 'no feed'
      if (heartbeat.blind) return 'blind'
      const old = wall - heartbeat.time > maxStaleness || monotonic - heartbeat.arrived > maxStaleness
      return old || heartbeat.time > wall + maxAhead ? 'stale' : 'fresh'
    },
  }
}
