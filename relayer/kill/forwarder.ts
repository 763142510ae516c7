import { isOpen, type KillRecord } from './record.ts'

/** What came of handing an order to another relayer; `later` when it may still take it. */
export type Delivery =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'refused' | 'later'; readonly why: string }

export type Forwarder = {
  /** Hands an order to every other relayer, until each has taken or refused it. */
  forward(kill: KillRecord): void
  stop(): void
}

/** ms between two tries for one order at one relayer; doubled each time up to the last. */
const firstPause = 200
const longestPause = 5_000
/** Orders on their way to one relayer at once; a relayer that is down must not gather thousands of requests. */
const atOnce = 16

/**
 * Forwards orders with their signatures to the other relayers of the deployment; each verifies them itself, so nothing
 * is believed that the authority did not sign. An order that is known already is answered and not forwarded again,
 * which is why relayers that name each other do not loop.
 */
export function createForwarder(options: {
  readonly peers: readonly string[]
  readonly deliver: (peer: string, kill: KillRecord) => Promise<Delivery>
  readonly kill: (id: string) => KillRecord | undefined
  /** ms */
  readonly now: () => number
  readonly schedule: (ms: number, task: () => void) => () => void
  readonly onRefused: (peer: string, killId: string, why: string) => void
}): Forwarder {
  const { peers, deliver, now, schedule, onRefused } = options
  const queues = new Map(peers.map((peer) => [peer, { waiting: [] as string[], running: 0 }]))
  const pauses = new Set<() => void>()
  let stopped = false

  const isOwed = (kill: KillRecord | undefined): kill is KillRecord =>
    kill?.order != null && isOpen(kill) && Number(kill.order.message.deadline) * 1000 > now()

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = () => {
        pauses.delete(end)
        cancel()
        resolve()
      }
      const cancel = schedule(ms, end)
      pauses.add(end)
    })

  const handOver = async (peer: string, id: string): Promise<void> => {
    for (let wait = firstPause; !stopped; wait = Math.min(longestPause, wait * 2)) {
      // Read anew: it may be settled by now.
      const kill = options.kill(id)
      if (!isOwed(kill)) return
      const delivery = await deliver(peer, kill).catch(
        (error: unknown): Delivery => ({ outcome: 'later', why: String(error) }),
      )
      if (delivery.outcome === 'taken') return
      if (delivery.outcome === 'refused') return onRefused(peer, id, delivery.why)
      await pause(wait)
    }
  }

  const next = (peer: string): void => {
    const queue = queues.get(peer) as { waiting: string[]; running: number }
    while (!stopped && queue.running < atOnce) {
      const id = queue.waiting.shift()
      if (id === undefined) return
      queue.running += 1
      void handOver(peer, id).finally(() => {
        queue.running -= 1
        next(peer)
      })
    }
  }

  return {
    forward(kill) {
      if (!isOwed(kill)) return
      for (const peer of peers) {
        queues.get(peer)?.waiting.push(kill.id)
        next(peer)
      }
    },
    stop() {
      stopped = true
      for (const end of [...pauses]) end()
    },
  }
}
