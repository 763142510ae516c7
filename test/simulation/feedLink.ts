import type { ServerResponse } from 'node:http'
import type { Fetch } from '../../sdk/client/relayerCall.ts'
import type { Random } from './random.ts'
import type { SimulatedRelayer } from './relayer.ts'
import type { Time } from './time.ts'

/** The way between one enforcement point and one relayer, with what goes wrong on it. */
export type FeedLink = {
  readonly fetch: Fetch
  readonly faults: {
    /** Nothing arrives, and nobody is told. */
    mute: boolean
    /** Connections break off and none is made. */
    down: boolean
    /** The next answers are old ones, as a cache or an attacker on the way would give them. */
    replays: number
    /** The next messages arrive altered. */
    alters: number
  }
  /** Breaks every connection off. */
  cut(): void
}

/** ms */
const latency = { least: 2, most: 80 }
const kept = 40
const noHeaders = new Headers()

const encoder = new TextEncoder()

/** Bytes that somebody else pushes; ends with an error when it is cut off or aborted. */
function createBody(signal: AbortSignal): {
  readonly push: (bytes: Uint8Array) => void
  readonly fail: (error: Error) => void
  readonly bytes: AsyncIterable<Uint8Array>
} {
  const waiting: Uint8Array[] = []
  let failure: unknown = null
  let wake = () => {}
  const fail = (error: unknown) => {
    failure ??= error
    wake()
  }
  signal.addEventListener('abort', () => fail(signal.reason))
  return {
    push(bytes) {
      waiting.push(bytes)
      wake()
    },
    fail,
    bytes: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const next = waiting.shift()
          if (next !== undefined) yield next
          else if (failure !== null) throw failure
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      },
    },
  }
}

/** Changes one character of the first `data:` line. */
const altered = (frame: string): string =>
  frame.replace(/"finalSequence":\d+|"number":\d+/, (field) => `${field}1`)

export function createFeedLink(options: {
  readonly relayer: SimulatedRelayer
  readonly time: Time
  readonly random: Random
}): FeedLink {
  const { relayer, time, random } = options
  const faults = { mute: false, down: false, replays: 0, alters: 0 }
  const broken = new Set<(error: Error) => void>()
  const oldFrames: string[] = []
  const oldSnapshots: string[] = []
  const travel = () => random.between(latency.least, latency.most)
  const keep = (list: string[], text: string) => {
    list.push(text)
    if (list.length > kept) list.shift()
  }
  const answer = (body: AsyncIterable<Uint8Array>) =>
    ({ status: 200, headers: noHeaders, body }) as unknown as Response

  const snapshot = (signal: AbortSignal): Promise<Response> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      time.after(travel(), () => {
        if (faults.mute) return
        if (faults.down || relayer.life === null) return reject(new TypeError('fetch failed'))
        let text = relayer.life.broadcaster.snapshot().toString()
        if (faults.replays > 0 && oldSnapshots.length > 0) {
          faults.replays -= 1
          text = random.pick(oldSnapshots)
        } else keep(oldSnapshots, text)
        time.after(travel(), () => {
          if (faults.mute) return
          resolve(
            answer({
              async *[Symbol.asyncIterator]() {
                yield encoder.encode(text)
              },
            }),
          )
        })
      })
    })

  const stream = (signal: AbortSignal, lastEventId: string | null): Promise<Response> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      time.after(travel(), () => {
        if (faults.mute) return
        const { life } = relayer
        if (faults.down || life === null) return reject(new TypeError('fetch failed'))
        const body = createBody(signal)
        const closed: (() => void)[] = []
        let open = true
        let lastArrival = 0
        const close = () => {
          if (!open) return
          open = false
          broken.delete(fail)
          for (const told of closed) told()
        }
        const fail = (error: Error) => {
          close()
          body.fail(error)
        }
        const toPoint = (frame: string) => {
          lastArrival = Math.max(time.now() + travel(), lastArrival)
          time.after(lastArrival - time.now(), () => {
            if (open && !faults.mute) body.push(encoder.encode(frame))
          })
        }
        signal.addEventListener('abort', close)
        broken.add(fail)
        const response = {
          destroyed: false,
          writableLength: 0,
          socket: null,
          removeHeader() {},
          writeHead() {},
          write(bytes: Uint8Array | string) {
            const frame = typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
            if (faults.replays > 0 && oldFrames.length > 0) {
              faults.replays -= 1
              toPoint(random.pick(oldFrames))
            }
            keep(oldFrames, frame)
            if (faults.alters > 0) {
              faults.alters -= 1
              toPoint(altered(frame))
            } else toPoint(frame)
            return true
          },
          on(event: string, told: () => void) {
            if (event === 'close') closed.push(told)
          },
          destroy: () => fail(new TypeError('terminated')),
          end: () => fail(new TypeError('terminated')),
        }
        void life.broadcaster.subscribe(response as unknown as ServerResponse, lastEventId)
        time.after(travel(), () => resolve(answer(body.bytes)))
      })
    })

  return {
    faults,
    fetch: (url, init) => {
      const signal = init.signal as AbortSignal
      const lastEventId = (init.headers as Record<string, string>)['last-event-id'] ?? null
      return url.endsWith('/stream') ? stream(signal, lastEventId) : snapshot(signal)
    },
    cut() {
      for (const fail of [...broken]) fail(new TypeError('terminated'))
    },
  }
}
