import { FeedRefusedError, type Verify } from '../../protocol/feed/message.ts'
import { createFeedReader, type Freshness, type Taken } from '../../protocol/feed/reader.ts'
import type { RevocationRow, RevocationTable } from '../../protocol/revocation.ts'
import { backoffDelay } from '../client/backoff.ts'
import { readBounded } from '../client/boundedBody.ts'
import { type Clock, pause } from '../client/clock.ts'
import { createEventStreamReader, type StreamEvent } from '../client/eventStream.ts'
import { describeError, type Log } from '../client/log.ts'
import { readProblem } from '../client/problem.ts'
import { type Fetch, RelayerRefusedError } from '../client/relayerCall.ts'
import { urlUnder } from '../client/secureUrl.ts'

/** A relayer whose feed is followed. */
export type FollowedRelayer = {
  /** Public listener. */
  readonly url: string
  /** Its Ed25519 feed key, base64url: pinned here, never taken from the network. */
  readonly relayer: string
  /** Mutual TLS listener, for acknowledgements and reports; without it there are none. */
  readonly mtlsUrl?: string
}

export type FeedPoint = { readonly epoch: string; readonly number: number }

/** What a feed tells its owner, in order, synchronously. */
export type FeedEvents = {
  /** A row is in the table. */
  readonly onRow: (type: string, row: RevocationRow, at: FeedPoint) => void
  /** The table was replaced as a whole. */
  readonly onSnapshot: (at: FeedPoint) => void
  /** What `status()` says has changed otherwise: connection, freshness, a refusal. */
  readonly onChange: () => void
}

/** `forked`: the relayer signed two histories of one epoch; nothing it says is fresh before it begins a new one. */
export type FeedFreshness = Freshness | 'forked'

export type FeedStatus = {
  readonly url: string
  readonly relayer: string
  readonly freshness: FeedFreshness
  readonly position: FeedPoint | null
  readonly rows: number
  readonly connected: boolean
  /** Documents that were refused since the start. */
  readonly refused: number
  readonly lastError: string | null
}

export type FeedClient = {
  readonly relayer: string
  readonly table: RevocationTable
  freshness(): FeedFreshness
  status(): FeedStatus
  close(): Promise<void>
}

/** The stream said nothing that counts for too long: a half-open connection, or a relayer that hangs. */
export class SilentStreamError extends Error {
  override readonly name = 'SilentStreamError'
  readonly silence: number
  constructor(silence: number) {
    super(`no valid message for ${silence} ms`)
    this.silence = silence
  }
}

/** The relayer sends, but nothing that counts: what it sends is read no further. */
export class NoisyStreamError extends Error {
  override readonly name = 'NoisyStreamError'
  readonly limit: number
  constructor(limit: number) {
    super(`no valid message within ${limit} bytes`)
    this.limit = limit
  }
}

/** The answer is compressed although that was not asked for; a few bytes could become very many. */
export class EncodedAnswerError extends Error {
  override readonly name = 'EncodedAnswerError'
  readonly encoding: string
  constructor(url: string, encoding: string) {
    super(
      `${url} answers with content-encoding ${encoding}, which was not asked for; is there a proxy that compresses?`,
    )
    this.encoding = encoding
  }
}

/** The stream cannot be followed on from here; the next connection begins with a snapshot. */
export class LostPlaceError extends Error {
  override readonly name = 'LostPlaceError'
  constructor(why: string) {
    super(`${why}; starting again with a snapshot`)
  }
}

/** In characters. A message is below 2 kB; a snapshot has about 300 per row. */
const maxEvent = 65_536
const maxSnapshot = 67_108_864
/** Most bytes of a stream between two messages that count. */
const maxNoise = 1_048_576
const backoff = { first: 500, longest: 5_000 }
/** ms that a stream must have lasted for the delays to begin anew. */
const steadyAfter = 5_000
/** A relayer that makes us fetch snapshots faster than this (ms) is reconnected to with growing delays instead. */
const snapshotPause = 1_000
/** Taking snapshots may cost one part of so many of the time, so that a relayer with large ones holds up no other. */
const snapshotShare = 10

/**
 * Follows one relayer's feed until closed: snapshot, then stream, resuming where it stood. Nothing it reads is
 * believed before the reader of protocol/feed has checked signature, place and time.
 */
export function followFeed(options: {
  readonly relayer: FollowedRelayer
  readonly deployment: string
  /** ms */
  readonly maxStaleness: number
  readonly verify: Verify
  readonly events: FeedEvents
  readonly fetch: Fetch
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}): FeedClient {
  const { relayer, events, clock, random, log, maxStaleness } = options
  const reader = createFeedReader({
    relayer: relayer.relayer,
    deployment: options.deployment,
    verify: options.verify,
    maxStaleness,
  })
  // Heartbeats come every 5 s or faster; reconnecting must still succeed within maxStaleness.
  const silence = (maxStaleness * 2) / 3
  const answerWithin = silence / 2
  const closing = new AbortController()
  let needsSnapshot = true
  let nextSnapshot = Number.NEGATIVE_INFINITY
  let failures = 0
  let connected = false
  let refused = 0
  let forkedEpoch: string | null = null
  let lastError: string | null = null

  const clocks = () => ({ wall: clock.wall(), monotonic: clock.monotonic() })

  const freshness = (): FeedFreshness => {
    const seen = reader.freshness(clocks())
    return seen === 'fresh' && forkedEpoch !== null ? 'forked' : seen
  }

  const noteRefusal = (error: FeedRefusedError): void => {
    refused += 1
    if (error.kind === 'fork') forkedEpoch = reader.position()?.epoch ?? null
    events.onChange()
  }

  const get = async (
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> => {
    const url = urlUnder(relayer.url, path)
    const response = await options.fetch(url, {
      headers: { ...headers, 'accept-encoding': 'identity' },
      signal,
      redirect: 'error',
    })
    const encoding = response.headers.get('content-encoding') ?? 'identity'
    if (encoding !== 'identity') throw new EncodedAnswerError(url, encoding)
    if (response.status !== 200) {
      throw new RelayerRefusedError(
        url,
        readProblem(response.status, await readBounded(response.body, maxEvent)),
      )
    }
    return response
  }

  const takeSnapshot = async (signal: AbortSignal): Promise<void> => {
    const response = await get('/revocations', { accept: 'application/json, text/plain' }, signal)
    const text = await readBounded(response.body, maxSnapshot)
    const begun = clock.monotonic()
    try {
      reader.takeSnapshot(text, clocks())
    } finally {
      const ended = clock.monotonic()
      nextSnapshot = ended + Math.max(snapshotPause, (ended - begun) * snapshotShare)
    }
    if (reader.position()?.epoch !== forkedEpoch) forkedEpoch = null
    needsSnapshot = false
    const at = reader.position()
    if (at !== null) events.onSnapshot(at)
  }

  const catchUp = async (why: string, signal: AbortSignal): Promise<void> => {
    needsSnapshot = true
    log.info({ relayer: relayer.url, why }, 'feed: fetching the snapshot')
    if (clock.monotonic() < nextSnapshot) throw new LostPlaceError(why)
    await takeSnapshot(signal)
  }

  const takeMessage = (text: string): Taken => {
    const taken = reader.takeMessage(text, clocks())
    if (taken.kind === 'row') {
      const at = reader.position()
      if (at !== null) events.onRow(taken.type, taken.row, at)
    } else if (taken.kind === 'heartbeat') events.onChange()
    return taken
  }

  let clocksDiffer = false
  const noteClocks = (error: FeedRefusedError): void => {
    lastError = error.message
    if (!clocksDiffer) log.warn({ relayer: relayer.url }, error.message)
    clocksDiffer = true
    events.onChange()
  }

  /** @returns whether the relayer showed a sign of life that counts */
  const takeEvent = async ({ event, data }: StreamEvent, signal: AbortSignal): Promise<boolean> => {
    if (event === 'reset') {
      await catchUp('the stream was reset', signal)
      return true
    }
    if (data === '') return false
    try {
      let taken = takeMessage(data)
      if (taken.kind === 'gap') {
        await catchUp('messages are missing', signal)
        taken = takeMessage(data)
        // Only its table still differs, or the relayer hands out old snapshots: a fresh start decides.
        if (taken.kind === 'gap') throw new LostPlaceError('messages are still missing after the snapshot')
      }
      return taken.kind !== 'known'
    } catch (error) {
      if (!(error instanceof FeedRefusedError)) throw error
      // The snapshot may be younger than a heartbeat that was already on its way.
      if (error.kind === 'stale heartbeat') {
        noteClocks(error)
        return false
      }
      noteRefusal(error)
      lastError = error.message
      log.warn({ relayer: relayer.url, kind: error.kind }, error.message)
      await catchUp(`a message was refused: ${error.kind}`, signal)
      return true
    }
  }

  /** Aborts a connection that is not fed for the time (ms) of its last meal. */
  const watch = (connection: AbortController): { feed(time: number): void; stop(): void } => {
    let cancel = () => {}
    return {
      feed(time) {
        cancel()
        cancel = clock.after(time, () => connection.abort(new SilentStreamError(time)))
      },
      stop: () => cancel(),
    }
  }

  const follow = async (): Promise<void> => {
    const connection = new AbortController()
    const signal = AbortSignal.any([connection.signal, closing.signal])
    const watchdog = watch(connection)
    let begun: number | null = null
    try {
      if (needsSnapshot) {
        watchdog.feed(silence)
        await takeSnapshot(signal)
      }
      watchdog.feed(answerWithin)
      const at = reader.position()
      const response = await get(
        '/revocations/stream',
        {
          accept: 'text/event-stream',
          ...(at === null ? {} : { 'last-event-id': `${at.epoch}.${at.number}` }),
        },
        signal,
      )
      watchdog.feed(silence)
      connected = true
      begun = clock.monotonic()
      events.onChange()
      const decoder = new TextDecoder()
      const stream = createEventStreamReader(maxEvent)
      let noise = 0
      for await (const chunk of response.body ?? []) {
        noise += chunk.length
        for (const event of stream.push(decoder.decode(chunk, { stream: true }))) {
          if (!(await takeEvent(event, signal))) continue
          watchdog.feed(silence)
          clocksDiffer = false
          noise = 0
        }
        if (noise > maxNoise) throw new NoisyStreamError(maxNoise)
      }
    } catch (error) {
      throw connection.signal.aborted ? connection.signal.reason : error
    } finally {
      // One that ends soon after its beginning counts as a failure, however well it began.
      if (begun !== null && clock.monotonic() - begun >= steadyAfter && !needsSnapshot) failures = 0
      connected = false
      watchdog.stop()
      connection.abort()
    }
  }

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await follow()
        lastError = 'the relayer ended the stream'
      } catch (error) {
        if (closing.signal.aborted) return
        if (error instanceof FeedRefusedError) {
          noteRefusal(error)
          needsSnapshot = true
        }
        lastError = describeError(error)
        log.warn({ relayer: relayer.url, failures }, `feed: ${lastError}`)
      }
      failures += 1
      events.onChange()
      await pause(clock, backoffDelay(backoff, failures, random()), closing.signal)
    }
  }

  const running = run()
  return {
    relayer: relayer.relayer,
    table: reader.table,
    freshness,
    status: () => ({
      url: relayer.url,
      relayer: relayer.relayer,
      freshness: freshness(),
      position: reader.position(),
      rows: reader.table.size,
      connected,
      refused,
      lastError,
    }),
    close: async () => {
      closing.abort()
      await running
    },
  }
}
