import type { RequestClass } from './requestGuard.ts'

/** Does something for an address, at once or later. */
export type RequestQueue = (kind: RequestClass, address: string, task: () => void) => void

/** How long an address that was served comes after those that were not, in ms. */
const memory = 1_000

type Lane = {
  add(address: string, task: () => void): void
  /** Does one thing. @returns whether there was one */
  serve(): boolean
}

/** Things of one kind: those of addresses that were served lately come after all others; within each, addresses in turn. */
function createLane(now: () => number): Lane {
  type Waiting = Map<string, (() => void)[]>
  const first: Waiting = new Map()
  const again: Waiting = new Map()
  /** In the order of the moments at which they were served. */
  const served = new Map<string, number>()

  const put = (waiting: Waiting, address: string, tasks: (() => void)[]) => {
    waiting.set(address, [...(waiting.get(address) ?? []), ...tasks])
  }

  return {
    add(address, task) {
      const since = served.get(address) ?? Number.NEGATIVE_INFINITY
      put(again.has(address) || now() - since < memory ? again : first, address, [task])
    },
    serve() {
      const waiting = first.size > 0 ? first : again
      const [next] = waiting
      if (next === undefined) return false
      const [address, [task, ...rest]] = next as [string, [() => void, ...(() => void)[]]]
      waiting.delete(address)
      if (rest.length > 0) put(again, address, rest)
      const at = now()
      for (const [oldest, since] of served) {
        if (at - since < memory) break
        served.delete(oldest)
      }
      served.delete(address)
      served.set(address, at)
      task()
      return true
    },
  }
}

/**
 * Serves requests a few at a time: one about killing, one of the feed, a renewal or the dApp and one other in each turn of the
 * event loop, so that a flood of any kind holds up an order for some of its own requests and not for all of them. With
 * nothing waiting a request is served at once.
 * @param options.now monotonic ms
 * @param options.later does something when the event loop has turned
 */
export function createRequestQueue(options: {
  readonly now: () => number
  readonly later?: (task: () => void) => void
}): RequestQueue {
  const later = options.later ?? setImmediate
  const kills = createLane(options.now)
  const upkeep = createLane(options.now)
  const others = createLane(options.now)
  const laneOf: Readonly<Record<RequestClass, Lane>> = {
    kill: kills,
    feed: upkeep,
    renewal: upkeep,
    dApp: upkeep,
    other: others,
  }
  let turning = false

  const turn = (): void => {
    turning = false
    for (const lane of [kills, upkeep, others]) if (lane.serve()) turning = true
    if (turning) later(turn)
  }

  return (kind, address, task) => {
    laneOf[kind].add(address, task)
    if (turning) return
    turn()
  }
}
