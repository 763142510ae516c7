import type { ServerResponse } from 'node:http'
import {
  type ChainView,
  canonicalRow,
  feedTag,
  type Sign,
  signDocument,
  snapshotTag,
  tableDigest,
} from '../../protocol/feed/message.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
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
  subscribe(response: ServerResponse, lastEventId: string | null): Promise<void>
  readonly subscribers: number
  close(): void
}

/** Most messages that a returning subscriber is sent; further behind, the snapshot is cheaper for both. */
const maxReplayed = 1_000

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
  readonly rows: () => readonly RevocationRow[]
  /** Documents after a number, in order; null when some are gone. */
  readonly replay: (
    after: number,
  ) => Promise<
    readonly { readonly number: number; readonly type: string; readonly document: string }[] | null
  >
  /** Told of each subscriber that was cut off for not reading. */
  readonly onSlow?: () => void
}): Broadcaster {
  const { feed, sign, clock, chainView, rows, replay } = options
  const subscribers = new Set<ServerResponse>()
  let last = options.lastMessage
  let lastTime = 0

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
        table: tableDigest(rows()),
      },
      sign,
    )
    return Buffer.from(frame('heartbeat', `${feed.epoch}.${last.number}`, document))
  }

  return {
    publish(messages) {
      for (const message of messages) {
        last = { number: message.number, hash: message.hash }
        const bytes = Buffer.from(frame(message.type, `${feed.epoch}.${message.number}`, message.document))
        for (const response of subscribers) send(response, bytes)
      }
    },

    heartbeat() {
      if (subscribers.size === 0) return
      const bytes = heartbeatFrame()
      for (const response of subscribers) send(response, bytes)
    },

    snapshot: () =>
      signDocument(
        { tag: snapshotTag, ...position(), time: nextTime(), ...chainView(), rows: rows().map(canonicalRow) },
        sign,
      ),

    async subscribe(response, lastEventId) {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      response.socket?.setNoDelay(true)
      const [epoch, number] = (lastEventId ?? '').split('.')
      const after =
        epoch === feed.epoch && number !== undefined && /^[0-9]{1,15}$/.test(number) ? Number(number) : null
      // Read until nothing was published meanwhile; then join without a gap, in one turn of the event loop.
      let sent = after !== null && last.number - after <= maxReplayed ? after : null
      while (sent !== null && sent < last.number) {
        const missed: Awaited<ReturnType<typeof replay>> = await replay(sent)
        if (missed === null || missed.length === 0 || missed[0]?.number !== sent + 1) {
          sent = null
          break
        }
        for (const { number: n, type, document } of missed) {
          if (response.destroyed) return
          response.write(frame(type, `${feed.epoch}.${n}`, document))
          sent = n
        }
      }
      if (sent !== last.number) response.write('event: reset\ndata: fetch the snapshot\n\n')
      if (response.destroyed) return
      subscribers.add(response)
      response.on('close', () => subscribers.delete(response))
      response.on('error', () => subscribers.delete(response))
      send(response, heartbeatFrame())
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
