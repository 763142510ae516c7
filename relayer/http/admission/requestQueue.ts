import { type Hold, noHold } from '../../hold.ts'
import type { RequestClass } from './requestGuard.ts'

export type RequestQueue = {
  /** Does something for an address, at once or later. */
  serve(kind: RequestClass, address: string, task: () => void): void
  /** What was done for the address was refused: it asked for what it may not. */
  refused(kind: RequestClass, address: string): void
}

/** How long an address that was served comes after those that were not, in ms. */
const servedMemory = 1_000
/** How long an address that was refused comes after all others, in ms. */
const refusedMemory = 10_000

type Lane = {
  add(address: string, task: () => void): void
  /** Does one thing. @returns whether there was one */
  serve(): boolean
  refused(address: string): void
}

/** Addresses of the last while, forgotten by themselves. */
function createRecent(now: () => number, memory: number) {
  /** In the order of the moments. */
  const moments = new Map<string, number>()
  return {
    has: (address: string): boolean => now() - (moments.get(address) ?? Number.NEGATIVE_INFINITY) < memory,
    note(address: string): void {
      const at = now()
      for (const [oldest, since] of moments) {
        if (at - since < memory) break
        moments.delete(oldest)
      }
      moments.delete(address)
      moments.set(address, at)
    },
  }
}

/**
 * Things of one kind: first for addresses that were not served lately, then for those that were, last for those that were
 * refused; among equals, addresses in turn.
 */
function createLane(now: () => number): Lane {
  const tiers = [0, 1, 2].map(() => new Map<string, (() => void)[]>())
  const served = createRecent(now, servedMemory)
  const refused = createRecent(now, refusedMemory)

  return {
    add(address, task) {
      const tier = refused.has(address) ? 2 : served.has(address) ? 1 : 0
      // Where some of its things wait the others follow, so that they keep their order.
      const waiting = tiers.find((one) => one.has(address)) ?? (tiers[tier] as (typeof tiers)[number])
      waiting.set(address, [...(waiting.get(address) ?? []), task])
    },
    serve() {
      const waiting = tiers.find((one) => one.size > 0)
      const [next] = waiting ?? []
      if (waiting === undefined || next === undefined) return false
      const [address, [task, ...rest]] = next
      waiting.delete(address)
      served.note(address)
      if (rest.length > 0) tiers[refused.has(address) ? 2 : 1]?.set(address, rest)
      task?.()
      return true
    },
    refused: refused.note,
  }
}

/** Serves one of each lane in a turn until none waits. @returns begins with it, unless it is under way */
function inTurns(lanes: readonly Lane[], hold: Pick<Hold, 'isOn' | 'later'>): () => void {
  let turning = false
  const turn = (): void => {
    turning = false
    for (const lane of lanes) if (lane.serve()) turning = true
    if (turning) hold.later(turn)
  }
  return () => {
    if (turning) return
    turning = true
    if (hold.isOn()) hold.later(turn)
    else turn()
  }
}

/**
 * Serves requests a few at a time: one about killing, one of the feed, a renewal or the dApp and one other in each turn of
 * the event loop, so that a flood of any kind holds up an order for some of its own requests and not for all of them.
 * With nothing waiting a request is served at once, unless it is held.
 * @param options.now monotonic ms
 * @param options.hold while it is on only requests about killing are served
 * @param options.later does something about killing when the event loop has turned
 */
export function createRequestQueue(options: {
  readonly now: () => number
  readonly hold?: Pick<Hold, 'isOn' | 'later'>
  readonly later?: (task: () => void) => void
}): RequestQueue {
  const { now, hold = noHold, later = setImmediate } = options
  const kills = createLane(now)
  const upkeep = createLane(now)
  const others = createLane(now)
  const laneOf: Readonly<Record<RequestClass, Lane>> = {
    kill: kills,
    feed: upkeep,
    renewal: upkeep,
    dApp: upkeep,
    other: others,
  }
  const serveKills = inTurns([kills], { isOn: () => false, later })
  const serveRest = inTurns([upkeep, others], hold)

  return {
    serve(kind, address, task) {
      laneOf[kind].add(address, task)
      if (kind === 'kill') serveKills()
      else serveRest()
    },
    refused: (kind, address) => laneOf[kind].refused(address),
  }
}
