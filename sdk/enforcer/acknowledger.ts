import { backoffDelay } from '../client/backoff.ts'
import { type Clock, pause } from '../client/clock.ts'
import { describeError, type Log } from '../client/log.ts'
import type { FeedPoint } from './feedClient.ts'

/** Body of `POST /acknowledgements`: all up to `number` is enforced here. */
export type Acknowledgement = FeedPoint & {
  /** Connections that kills closed since the last acknowledgement that the relayer took. */
  readonly closedConnections: number
}

export type Acknowledger = {
  /** Says that everything up to this point is enforced: to be called once its sockets are gone. */
  enforced(at: FeedPoint, closedConnections: number): void
  /** The last point that the relayer took. */
  acknowledged(): FeedPoint | null
  close(): void
}

const backoff = { first: 50, longest: 5_000 }

/** Sends cumulative acknowledgements: one at a time, the latest point only, again until the relayer has taken it. */
export function createAcknowledger(options: {
  readonly post: (body: Acknowledgement) => Promise<unknown>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
}): Acknowledger {
  const closing = new AbortController()
  let due: FeedPoint | null = null
  let closed = 0
  let taken: FeedPoint | null = null
  let sending = false

  const send = async (): Promise<void> => {
    sending = true
    let failures = 0
    while (due !== null && !closing.signal.aborted) {
      const at: FeedPoint = due
      const closedConnections = closed
      try {
        await options.post({ ...at, closedConnections })
        failures = 0
        taken = at
        closed -= closedConnections
        if (due === at) due = null
      } catch (error) {
        failures += 1
        options.log.warn({ ...at, failures }, `acknowledgement: ${describeError(error)}`)
        await pause(options.clock, backoffDelay(backoff, failures, options.random()), closing.signal)
      }
    }
    sending = false
  }

  return {
    enforced(at, closedConnections) {
      due = { epoch: at.epoch, number: at.number }
      closed += closedConnections
      if (!sending) void send()
    },
    acknowledged: () => taken,
    close: () => closing.abort(),
  }
}
