import type { ServerResponse } from 'node:http'
import { type ChainView, feedTag, type Sign, signDocument, snapshotTag } from '../../protocol/feed/message.ts'
import { canonicalRow, createDigestedTable } from '../../protocol/feed/tableDigest.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { targetKey } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { Hold } from '../hold.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { FeedIdentity, LastMessage, SignedMessage } from './position.ts'

export type Broadcaster = {
  /** Sends signed messages to every subscriber, in order: what stops somebody at once, the rest within 250 ms. */
  publish(messages: readonly SignedMessage[]): void
  /** Sends a sign of life with the chain's view and the table's digest. */
  heartbeat(): void
  /** The signed snapshot of the table; the same bytes for all who ask within half a second. */
  snapshot(): Buffer
  /**
   * Turns a response into a stream. `lastEventId` is `<epoch>.<number>`; what follows it is sent first, or, where that
   * is impossible, the event `reset`.
   */
  subscribe(response: ServerResponse, lastEventId: string | null): void
  readonly subscribers: number
  close(): void
}

/** Most messages that a returning subscriber is sent; further behind, the snapshot is cheaper for both. */
const maxReplayed = 1_000

/** ms; a large table costs the kill road's own thread tens of ms to sign. */
const snapshotAge = 500

/** ms; subscribers who come together are given the same heartbeat, so that a storm of them costs one signature. */
const greetingAge = 100

/** Subscribers that are written to in one turn of the event loop, about 2 ms: the next kill waits for no more. */
const perTurn = 250

/**
 * ms that news which stop nobody wait for more to send: writing to thousands of subscribers takes tens of ms, in which
 * the next kill is served late.
 */
const gatherTime = 250

/** Whether a message stops somebody whom the table did not stop before: a kill may be told of first when it is final. */
const stopsAnew = ({ type, row }: SignedMessage, before: RevocationRow | undefined): boolean =>
  type === 'kill' ||
  (type !== 'dropped' && before?.provisional !== true && row.finalSequence > (before?.finalSequence ?? 0))

/** Most bytes that a subscriber may leave unread before it is cut off. */
const maxUnread = 1024 * 1024

/** The last message that was written to a subscriber, and the last heartbeat, counted. */
type Served = { readonly number: number; readonly beat: number }

const frame = (event: string, id: string, document: string): string =>
  `id: ${id}\nevent: ${event}\ndata: ${document.replace('\n', '\ndata: ')}\n\n`

/**
 * Fans signed messages out over server-sent events. One frame is built for all; a slow reader holds up nobody, and many
 * subscribers hold up no kill.
 */
export function createBroadcaster(options: {
  readonly feed: FeedIdentity
  readonly lastMessage: LastMessage
  readonly sign: Sign
  readonly clock: Clock
  readonly chainView: () => ChainView
  /** The table at `lastMessage`. */
  readonly rows: () => readonly RevocationRow[]
  /** Told of each subscriber that was cut off for not reading. */
  readonly onSlow?: () => void
  /** Does something when the event loop has turned. */
  readonly later?: (task: () => void) => void
  /** While it is on nothing is sent but what stops somebody. */
  readonly hold?: Pick<Hold, 'later'>
  readonly schedule?: Schedule
}): Broadcaster {
  const { feed, sign, clock, chainView, rows } = options
  const later = options.later ?? setImmediate
  const hold = options.hold ?? { later }
  const schedule = options.schedule ?? systemSchedule
  /** The latest messages of this epoch, framed; the first has the number `firstKept`. Earlier epochs are never replayed. */
  let kept: Buffer[] = []
  let firstKept = options.lastMessage.number + 1
  /** Who has had nothing for longest comes first. */
  const subscribers = new Map<ServerResponse, Served>()
  /** What is under way is the last turn that was begun; earlier ones that still wait do nothing. */
  let turn = 0
  let fanningOut = false
  /** Somebody has not been told of a kill yet. */
  let urgent = false
  let cancelGathering: (() => void) | null = null
  /** The number that every subscriber is to have had; later ones wait for more to send. */
  let due = options.lastMessage.number
  /** What subscribers lack who lack the same, in one piece: a write each. */
  const pieces = new Map<string, Buffer>()
  // The table as published: at the number that heartbeats name, also while later changes are on their way to the disk.
  const published = createDigestedTable(rows())
  let last = options.lastMessage
  let lastTime = 0
  let snapshot: { readonly bytes: Buffer; readonly number: number; readonly at: number } | null = null
  let greeting: { readonly bytes: Buffer; readonly number: number; readonly at: number } | null = null
  let beats = 0
  /** The frame of the latest heartbeat, and the last message that it names. */
  let beat: { readonly bytes: Buffer; readonly of: number; readonly number: number } | null = null

  // Heartbeats and snapshots must never go back in time, whatever the wall clock does.
  const nextTime = (): number => {
    lastTime = Math.max(Math.round(clock.wall()), lastTime + 1)
    return lastTime
  }

  /** Writes to one; if it had too much unread before, it is cut off instead, however much comes now. */
  const send = (response: ServerResponse, bytes: Buffer): void => {
    if (response.writableLength > maxUnread) {
      // Its close event comes later; until then it must not be counted and cut again.
      subscribers.delete(response)
      options.onSlow?.()
      response.destroy()
      return
    }
    response.write(bytes)
  }

  /** All that came since, not only what is due. */
  const since = (had: Served): Buffer => {
    const key = `${had.number}:${had.beat === beats}`
    const known = pieces.get(key)
    if (known !== undefined) return known
    const missed = kept.slice(had.number + 1 - firstKept)
    const piece = Buffer.concat(had.beat === beats ? missed : [...missed, currentBeat()])
    pieces.set(key, piece)
    return piece
  }

  /** Writes what they lack to the next subscribers who lack something. @returns whether that was all */
  const fanOut = (count: number): boolean => {
    let written = 0
    const all: Served = { number: last.number, beat: beats }
    for (const [response, had] of subscribers) {
      if (had.number >= due && had.beat === beats) continue
      if (written === count) return false
      written += 1
      // To the end: who waits longest is next, also when more is published meanwhile.
      subscribers.delete(response)
      subscribers.set(response, all)
      send(response, since(had))
    }
    return true
  }

  /** A turn for each part of the subscribers; the first part at once. */
  const fanOutInTurns = (): void => {
    fanningOut = !fanOut(perTurn)
    if (!fanningOut) {
      urgent = false
      return
    }
    turn += 1
    const mine = turn
    const next = () => {
      if (mine === turn) fanOutInTurns()
    }
    if (urgent) later(next)
    else hold.later(next)
  }

  /** Everything published is due. */
  const sendAll = (isUrgent: boolean): void => {
    due = last.number
    const waits = fanningOut && (urgent || !isUrgent)
    urgent ||= isUrgent
    // A turn that waits for the hold's end is overtaken.
    if (!waits) fanOutInTurns()
  }

  const sendGathered = (): void => {
    cancelGathering = null
    if (due < last.number) sendAll(false)
  }

  const position = () => ({ ...feed, number: last.number, previous: last.hash })

  const heartbeatFrame = (): Buffer => {
    const document = signDocument(
      {
        tag: feedTag,
        type: 'heartbeat',
        ...position(),
        time: nextTime(),
        ...chainView(),
        table: published.digest(),
      },
      sign,
    )
    return Buffer.from(frame('heartbeat', `${feed.epoch}.${last.number}`, document))
  }

  /** Names the last message, which whoever gets it has by then: signed again if one was published since. */
  const currentBeat = (): Buffer => {
    if (beat === null || beat.of !== beats || beat.number !== last.number)
      beat = { bytes: heartbeatFrame(), of: beats, number: last.number }
    return beat.bytes
  }

  const currentGreeting = (): Buffer => {
    const now = clock.monotonic()
    if (greeting === null || greeting.number !== last.number || now - greeting.at > greetingAge)
      greeting = { bytes: heartbeatFrame(), number: last.number, at: now }
    return greeting.bytes
  }

  /** What follows a number, framed; null when some of it is no longer kept, or when it is more than a snapshot's worth. */
  const keptAfter = (number: number): readonly Buffer[] | null => {
    if (number < firstKept - 1 || number > last.number) return null
    const missed = kept.slice(number + 1 - firstKept)
    const bytes = missed.reduce((sum, one) => sum + one.length, 0)
    // Less than a subscriber may leave unread: it must not be cut for what it is sent first.
    return missed.length > maxReplayed || bytes > maxUnread / 2 ? null : missed
  }

  return {
    publish(messages) {
      let isUrgent = false
      for (const message of messages) {
        last = { number: message.number, hash: message.hash }
        const key = targetKey(message.row)
        isUrgent ||= stopsAnew(message, published.get(key))
        if (message.type === 'dropped') published.delete(key)
        else published.set(message.row)
        kept.push(Buffer.from(frame(message.type, `${feed.epoch}.${message.number}`, message.document)))
      }
      pieces.clear()
      if (isUrgent) sendAll(true)
      else cancelGathering ??= schedule(gatherTime, sendGathered)
      // In steps, so that dropping the oldest costs nothing per message.
      if (kept.length < 2 * maxReplayed) return
      due = last.number
      fanOut(Number.POSITIVE_INFINITY)
      firstKept += kept.length - maxReplayed
      kept = kept.slice(-maxReplayed)
    },

    heartbeat() {
      beats += 1
      pieces.clear()
      if (!fanningOut) fanOutInTurns()
    },

    snapshot() {
      const now = clock.monotonic()
      if (snapshot === null || snapshot.number !== last.number || now - snapshot.at > snapshotAge) {
        const document = signDocument(
          {
            tag: snapshotTag,
            ...position(),
            time: nextTime(),
            ...chainView(),
            rows: Array.from(published.rows(), canonicalRow),
          },
          sign,
        )
        snapshot = { bytes: Buffer.from(document), number: last.number, at: now }
      }
      return snapshot.bytes
    },

    subscribe(response, lastEventId) {
      // Ended by its connection rather than chunked: a quarter less work for each frame and subscriber.
      response.removeHeader('transfer-encoding')
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      response.socket?.setNoDelay(true)
      const [epoch, number] = (lastEventId ?? '').split('.')
      const missed =
        epoch === feed.epoch && number !== undefined && /^[0-9]{1,15}$/.test(number)
          ? keptAfter(Number(number))
          : null
      if (missed === null) response.write('event: reset\ndata: fetch the snapshot\n\n')
      // The frames themselves, not a copy: a storm of subscribers who missed the same shares them.
      else for (const bytes of missed) response.write(bytes)
      subscribers.set(response, { number: last.number, beat: beats })
      response.on('close', () => subscribers.delete(response))
      response.on('error', () => subscribers.delete(response))
      response.write(currentGreeting())
    },

    get subscribers() {
      return subscribers.size
    },

    close() {
      cancelGathering?.()
      turn += 1
      due = last.number
      fanOut(Number.POSITIVE_INFINITY)
      for (const response of subscribers.keys()) response.end()
      subscribers.clear()
    },
  }
}
