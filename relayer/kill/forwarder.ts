import { isOpen, type KillRecord } from './record.ts'

/**
 * What came of handing an order to another relayer: `later` when it may still take this one, `busy` when it takes none
 * for now.
 */
export type Delivery =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'refused' | 'later' | 'busy'; readonly why: string }

export type Forwarder = {
  /** Hands an order to every other relayer, until each has taken or refused it. */
  forward(kill: KillRecord): void
  stop(): void
}

/** ms between two tries for one order, or at one relayer that takes none; doubled each time up to the last. */
const firstPause = 200
const longestPause = { order: 60_000, relayer: 5_000 } as const
/** Orders on their way to one relayer at once; a relayer that is down must not gather thousands of requests. */
const atOnce = 16

/** What one relayer is owed. An order is in one place at most, so that there are never more than open orders. */
type Line = {
  /** Next first; what failed goes to the end, so that each has its turn. */
  readonly waiting: string[]
  running: number
  /** Since it takes none. */
  paused: boolean
  pause: number
  /** The next pause of an order that it does not take yet. */
  readonly pauses: Map<string, number>
}

/**
 * Forwards orders with their signatures to the other relayers of the deployment; each verifies them itself, so nothing
 * is believed that the authority did not sign. An order that is known already is answered and not forwarded again,
 * which is why relayers that name each other do not loop. An order that waits for its next try holds up no other.
 */
export function createForwarder(options: {
  readonly peers: readonly string[]
  /** A rejection means that the relayer does not answer. */
  readonly deliver: (peer: string, kill: KillRecord) => Promise<Delivery>
  readonly kill: (id: string) => KillRecord | undefined
  /** ms */
  readonly now: () => number
  readonly schedule: (ms: number, task: () => void) => () => void
  readonly onRefused: (peer: string, killId: string, why: string) => void
}): Forwarder {
  const { deliver, now, onRefused } = options
  const lines = new Map(
    options.peers.map((peer): readonly [string, Line] => [
      peer,
      { waiting: [], running: 0, paused: false, pause: firstPause, pauses: new Map() },
    ]),
  )
  const timers = new Set<() => void>()
  let stopped = false

  const isOwed = (kill: KillRecord | undefined): kill is KillRecord =>
    kill?.order != null && isOpen(kill) && Number(kill.order.message.deadline) * 1000 > now()

  const after = (ms: number, task: () => void): void => {
    const cancel = options.schedule(ms, () => {
      timers.delete(cancel)
      task()
    })
    timers.add(cancel)
  }

  const handOver = async (peer: string, line: Line, id: string): Promise<void> => {
    // Read anew: it may be settled by now.
    const kill = options.kill(id)
    if (!isOwed(kill)) return void line.pauses.delete(id)
    const delivery = await deliver(peer, kill).catch(
      (error: unknown): Delivery => ({ outcome: 'busy', why: String(error) }),
    )
    if (stopped) return
    if (delivery.outcome === 'busy') {
      line.waiting.push(id)
      if (line.paused) return
      line.paused = true
      after(line.pause, () => {
        line.paused = false
        next(peer, line)
      })
      line.pause = Math.min(longestPause.relayer, line.pause * 2)
      return
    }
    line.pause = firstPause
    if (delivery.outcome === 'later') {
      const pause = line.pauses.get(id) ?? firstPause
      line.pauses.set(id, Math.min(longestPause.order, pause * 2))
      return after(pause, () => {
        line.waiting.push(id)
        next(peer, line)
      })
    }
    line.pauses.delete(id)
    if (delivery.outcome === 'refused') onRefused(peer, id, delivery.why)
  }

  const next = (peer: string, line: Line): void => {
    while (!stopped && !line.paused && line.running < atOnce) {
      const id = line.waiting.shift()
      if (id === undefined) return
      line.running += 1
      void handOver(peer, line, id).finally(() => {
        line.running -= 1
        next(peer, line)
      })
    }
  }

  return {
    forward(kill) {
      if (!isOwed(kill)) return
      for (const [peer, line] of lines) {
        line.waiting.push(kill.id)
        next(peer, line)
      }
    },
    stop() {
      stopped = true
      for (const cancel of timers) cancel()
      timers.clear()
    },
  }
}
