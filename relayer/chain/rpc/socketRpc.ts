import type { Clock } from '../../clock.ts'
import type { Schedule } from '../../schedule.ts'
import { backoff } from '../backoff.ts'
import type { ChainLog } from '../chainLog.ts'
import type { Rpc } from './rpc.ts'
import { maxAnswer, rpcTimeout } from './rpc.ts'
import { resultOf } from './rpcAnswer.ts'
import { parseHeader, type RpcHeader } from './rpcBlock.ts'
import { RpcResponseError, RpcUnavailableError, rpcLabel } from './rpcErrors.ts'

/** Shortest silence of a subscription that is taken for a dead connection, in ms. */
const minSilence = 10_000
/** How many intervals between heads are remembered for the watchdog. */
const intervalsKept = 9

type Pending = {
  readonly method: string
  readonly settle: (response: unknown) => void
  readonly fail: (error: Error) => void
}

/**
 * JSON-RPC over a WebSocket that is kept up for ever.
 *
 * Invariants:
 * 1. At most one socket is current; events of an earlier one are ignored.
 * 2. A request is answered, or fails within its time limit or with its socket, whichever is first.
 * 3. A socket that is silent is dead: nothing at all received while a request waited its full time, or, with a
 *    subscription, no head for longer than max(10 s, three usual intervals). A dead one is left and another opened.
 */
export function createSocketRpc(
  url: string,
  options: {
    readonly clock: Clock
    readonly schedule: Schedule
    readonly random: () => number
    readonly log: ChainLog
    readonly longestAnswer?: number
  },
): Rpc {
  const { clock, schedule, random, log, longestAnswer = maxAnswer } = options
  const rpc = rpcLabel(url)
  const pending = new Map<number, Pending>()
  const waiting = new Set<() => void>()
  const headListeners: ((header: RpcHeader, seenMonotonic: number) => void)[] = []
  const connectedListeners: (() => void)[] = []
  let socket: WebSocket | null = null
  let open = false
  let closed = false
  let attempt = 0
  let nextId = 1
  let subscription: unknown = null
  let lastReceived = 0
  let lastHead: number | null = null
  let intervals: readonly number[] = []
  let cancelTimer = () => {}
  let cancelWatchdog = () => {}

  const abandon = (why: string) => {
    if (socket === null) return
    const dead = socket
    socket = null
    open = false
    subscription = null
    cancelTimer()
    cancelWatchdog()
    for (const { fail, method } of [...pending.values()]) fail(new RpcUnavailableError(url, method, why))
    for (const wake of [...waiting]) wake()
    try {
      dead.close()
    } catch {
      // Already closed.
    }
    if (closed) return
    const delay = backoff(attempt, 100, 5_000, random())
    attempt += 1
    log.warn({ rpc, why, delay, attempt }, 'WebSocket lost, connecting again')
    cancelTimer = schedule(delay, connect)
  }

  const watch = () => {
    cancelWatchdog()
    const usual = [...intervals].sort((a, b) => a - b)[intervals.length >> 1] ?? 0
    const silence = Math.max(minSilence, 3 * usual)
    cancelWatchdog = schedule(silence, () => abandon(`no head for ${Math.round(silence)} ms`))
  }

  const takeHead = (raw: unknown, now: number) => {
    let header: RpcHeader
    try {
      header = parseHeader(raw)
    } catch (error) {
      log.warn({ rpc, error }, 'announced head is malformed, ignored')
      return
    }
    if (lastHead !== null) intervals = [...intervals, now - lastHead].slice(-intervalsKept)
    lastHead = now
    attempt = 0
    watch()
    for (const listener of headListeners) listener(header, now)
  }

  const receive = (data: unknown) => {
    const now = clock.monotonic()
    lastReceived = now
    if (headListeners.length === 0) attempt = 0
    let message: { id?: unknown; method?: unknown; params?: { subscription?: unknown; result?: unknown } }
    const text = String(data)
    if (text.length > longestAnswer) {
      abandon(`it sent over ${longestAnswer} characters at once`)
      return
    }
    try {
      message = JSON.parse(text)
    } catch {
      abandon('it sent something that is not JSON')
      return
    }
    if (message.method === 'eth_subscription') {
      if (subscription !== null && message.params?.subscription === subscription)
        takeHead(message.params?.result, now)
      return
    }
    pending.get(Number(message.id))?.settle(message)
  }

  const subscribe = async (current: WebSocket) => {
    try {
      const id = await request('eth_subscribe', ['newHeads'])
      if (socket !== current) return
      subscription = id
      lastHead = null
      watch()
      for (const listener of connectedListeners) listener()
    } catch (error) {
      if (socket !== current) return
      if (error instanceof RpcResponseError) log.warn({ rpc, error }, 'no announced heads here, polling only')
      else abandon(`no subscription: ${(error as Error).message}`)
    }
  }

  const connect = () => {
    if (closed) return
    const current = new WebSocket(url)
    socket = current
    cancelTimer = schedule(rpcTimeout, () => {
      if (socket === current && !open) abandon(`not connected within ${rpcTimeout} ms`)
    })
    current.onopen = () => {
      if (socket !== current) return
      cancelTimer()
      open = true
      lastReceived = clock.monotonic()
      for (const wake of [...waiting]) wake()
      if (headListeners.length > 0) void subscribe(current)
    }
    current.onmessage = (event) => {
      if (socket === current) receive(event.data)
    }
    current.onclose = () => {
      if (socket === current) abandon('closed by the other side')
    }
    current.onerror = () => {
      if (socket === current) abandon('connection failed')
    }
  }

  /** Waits while the first connection is being made; not for a later one, where another RPC answers sooner. */
  const opened = (method: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const wake = () => {
        waiting.delete(wake)
        if (open) resolve()
        else reject(new RpcUnavailableError(url, method, 'not connected'))
      }
      if (socket === null && !closed && attempt === 0) connect()
      if (open || closed || socket === null) wake()
      else waiting.add(wake)
    })

  const request: Rpc['request'] = async (method, params, timeout = rpcTimeout) => {
    if (!open) await opened(method)
    return new Promise((resolve, reject) => {
      const id = nextId++
      const sentAt = clock.monotonic()
      const current = socket
      const end = () => {
        cancel()
        pending.delete(id)
      }
      const fail = (error: Error) => {
        end()
        reject(error)
      }
      const cancel = schedule(timeout, () => {
        fail(new RpcUnavailableError(url, method, `no answer within ${timeout} ms`))
        if (socket === current && lastReceived < sentAt) abandon(`silent for ${timeout} ms`)
      })
      pending.set(id, {
        method,
        fail,
        settle(response) {
          end()
          try {
            resolve(resultOf(url, method, response))
          } catch (error) {
            reject(error)
          }
        },
      })
      try {
        current?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      } catch (error) {
        fail(new RpcUnavailableError(url, method, 'the connection is closing', error))
      }
    })
  }

  return {
    url,
    request,
    onHeads(listener) {
      headListeners.push(listener)
      if (open && socket !== null && subscription === null) void subscribe(socket)
      else if (socket === null && attempt === 0) connect()
    },
    onConnected: (listener) => void connectedListeners.push(listener),
    close() {
      closed = true
      cancelTimer()
      abandon('closed')
    },
  }
}
