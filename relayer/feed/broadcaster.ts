import type { ServerResponse } from 'node:http'
import { type ChainView, feedTag, type Sign, signDocument, snapshotTag } from '../../protocol/feed/message.ts'
import { canonicalRow, createDigestedTable } from '../../protocol/feed/tableDigest.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { targetKey } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { FeedIdentity, LastMessage, SignedMessage } from './position.ts'

export type Broadcaster = {
  /** Sends signed messages to every subscriber, in order. */
  publish(messages: readonly SignedMessage[]): void
  /** Sends a sign of life with the chain's view and the table's digest. */
  heartbeat(): void
  /** The signed snapshot of the table. */
  snapshot(): string
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

/** ms; subscribers who come together are given the same heartbeat, so that a storm of them costs one signature. */
const greetingAge = 100

/** Most bytes that a subscriber may leave unread before it is cut off. */
const maxUnread = 1024 * 1024

const frame = (event: string, id: string, document: string): string =>
  `id: ${id}\nevent: ${event}\ndata: ${document.replace('\n', '\ndata: ')}\n\n`

/** Fans signed messages out over server-sent events. One frame is built for all; a slow reader holds up nobody. */
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
}): Broadcaster {
  const { feed, sign, clock, chainView, rows } = options
  /** The latest messages of this epoch, framed; the first has the number `firstKept`. Earlier epochs are never replayed. */
  let kept: Buffer[] = []
  let firstKept = options.lastMessage.number + 1
  const subscribers = new Set<ServerResponse>()
  // The table as published: at the number that heartbeats name, also while later changes are on their way to the disk.
  const published = createDigestedTable(rows())
  let last = options.lastMessage
  let lastTime = 0
  let greeting: { readonly bytes: Buffer; readonly number: number; readonly at: number } | null = null

  // Heartbeats and snapshots must never go back in time, whatever the wall clock does.
  const nextTime = (): number => {
    lastTime = Math.max(Math.round(clock.wall()), lastTime + 1)
    return lastTime
  }

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

  const currentGreeting = (): Buffer => {
    const now = clock.monotonic()
    if (greeting === null || greeting.number !== last.number || now - greeting.at > greetingAge)
      greeting = { bytes: heartbeatFrame(), number: last.number, at: now }
    return greeting.bytes
  }

  /** What follows a number, framed; null when some of it is no longer kept. */
  const after = (number: number): readonly Buffer[] | null =>
    number < firstKept - 1 || number > last.number ? null : kept.slice(number + 1 - firstKept)

  return {
    publish(messages) {
      for (const message of messages) {
        last = { number: message.number, hash: message.hash }
        if (message.type === 'dropped') published.delete(targetKey(message.row))
        else published.set(message.row)
        const bytes = Buffer.from(frame(message.type, `${feed.epoch}.${message.number}`, message.document))
        kept.push(bytes)
        for (const response of subscribers) send(response, bytes)
      }
      // In steps, so that dropping the oldest costs nothing per message.
      if (kept.length < 2 * maxReplayed) return
      firstKept += kept.length - maxReplayed
      kept = kept.slice(-maxReplayed)
    },

    heartbeat() {
      if (subscribers.size === 0) return
      const bytes = heartbeatFrame()
      for (const response of subscribers) send(response, bytes)
    },

    snapshot: () =>
      signDocument(
        {
          tag: snapshotTag,
          ...position(),
          time: nextTime(),
          ...chainView(),
          rows: Array.from(published.rows(), canonicalRow),
        },
        sign,
      ),

    subscribe(response, lastEventId) {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      response.socket?.setNoDelay(true)
      const [epoch, number] = (lastEventId ?? '').split('.')
      const missed =
        epoch === feed.epoch && number !== undefined && /^[0-9]{1,15}$/.test(number)
          ? after(Number(number))
          : null
      if (missed === null || missed.length > maxReplayed)
        response.write('event: reset\ndata: fetch the snapshot\n\n')
      // The frames themselves, not a copy: a storm of subscribers who missed the same shares them.
      else for (const bytes of missed) response.write(bytes)
      subscribers.add(response)
      response.on('close', () => subscribers.delete(response))
      response.on('error', () => subscribers.delete(response))
      send(response, currentGreeting())
    },

    get subscribers() {
      return subscribers.size
    },

    close() {
      for (const response of subscribers) response.end()
      subscribers.clear()
    },
  }
}
