import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { problemOf } from '../problem.ts'
import { addressKey } from './addressKey.ts'
import { clientAddress } from './clientAddress.ts'
import { createConnectionGuard } from './connectionGuard.ts'
import { createRequestGuard, requestClass } from './requestGuard.ts'
import type { RequestQueue } from './requestQueue.ts'
import { createTurns, type Turns } from './turns.ts'

export type AdmissionLimits = {
  /** Requests of one address per second, orders and the feed apart. */
  readonly requestsPerSecond: number
  /** Connections of one address, streams of the feed apart. */
  readonly connectionsPerAddress: number
  /** Of all addresses, for each listener. */
  readonly connections: number
  /** Addresses of the operator's own proxies. */
  readonly proxies: readonly string[]
}

export type Admission = {
  /** Of each listener, for its `connection` events. */
  readonly connection: (socket: Socket) => void
  /** Has a request served in its turn, or answers one that is not admitted. */
  readonly request: (request: IncomingMessage, response: ServerResponse, serve: () => void) => void
  readonly stream: (socket: Socket) => void
  readonly turns: Turns
  readonly addressOf: (request: IncomingMessage) => string
  /** Requests that were not admitted. */
  readonly shed: () => number
}

/** Orders of one address that are verified at once, and that may wait: a signature check costs about 0.3 ms. */
const ordersAtOnce = 4
const ordersWaiting = 64

/** Keeps floods of anything else from the kill road. One for each listener. */
export function createAdmission(
  options: AdmissionLimits & {
    /** Monotonic ms. */
    readonly now: () => number
    readonly overloaded: () => boolean
    /** Of all listeners of this process. */
    readonly queue: RequestQueue
  },
): Admission {
  const proxies = new Set(options.proxies.map(addressKey))
  const connections = createConnectionGuard({
    perAddress: options.connectionsPerAddress,
    total: options.connections,
    isLimited: (key) => !proxies.has(key),
  })
  const judge = createRequestGuard({
    perSecond: options.requestsPerSecond,
    now: options.now,
    overloaded: options.overloaded,
  })
  const addressOf = (request: IncomingMessage) => clientAddress(request, proxies)
  let shed = 0

  return {
    connection: connections.admit,
    stream: connections.becomesStream,
    turns: createTurns({ atOnce: ordersAtOnce, waiting: ordersWaiting }),
    addressOf,
    shed: () => shed,
    request(request, response, serve) {
      const path = (request.url ?? '').split('?')[0] as string
      const kind = requestClass(request.method ?? '', path)
      const address = addressOf(request)
      const verdict = judge(address, kind)
      if (verdict === 'admitted') {
        options.queue.serve(kind, address, () => {
          if (response.destroyed) return
          response.once('finish', () => {
            const { statusCode } = response
            if (statusCode >= 400 && statusCode < 500) options.queue.refused(kind, address)
          })
          serve()
        })
        return
      }
      shed += 1
      const problem =
        verdict === 'overloaded'
          ? problemOf(
              503,
              'overloaded',
              'Overloaded',
              'the relayer serves kills only for now; try again in a second',
            )
          : problemOf(
              429,
              'too-many-requests',
              'Too many requests',
              'slow down; orders and the feed are not limited',
            )
      response.writeHead(problem.status, {
        'content-type': 'application/problem+json',
        'retry-after': '1',
        // Its body, if it has one, is not worth reading.
        connection: 'close',
      })
      response.end(JSON.stringify(problem))
    },
  }
}
