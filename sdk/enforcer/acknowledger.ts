import { backoffDelay } from '../client/backoff.ts'
import { type Clock, pause } from '../client/clock.ts'
import { describeError, type Log } from '../client/log.ts'
import type { Problem } from '../client/problem.ts'
import { RelayerRefusedError } from '../client/relayerCall.ts'
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
  /** What the relayer said when it last refused this enforcement point itself; null when it takes acknowledgements. */
  refusal(): Problem | null
  close(): void
}

const backoff = { first: 50, longest: 5_000 }
/** Where the point itself is refused only an operator helps. */
const refusedBackoff = { first: 5_000, longest: 60_000 }

/** Whether it is the point that the relayer refuses, and not this one acknowledgement. */
const refusesPoint = ({ status, field }: Problem): boolean =>
  status === 401 || status === 403 || (status === 409 && field === 'spiffeId')

/** Sends cumulative acknowledgements: one at a time, the latest point only, again until the relayer has taken it. */
export function createAcknowledger(options: {
  readonly post: (body: Acknowledgement) => Promise<unknown>
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** What `acknowledged()` or `refusal()` say has changed. */
  readonly onChange?: () => void
}): Acknowledger {
  const closing = new AbortController()
  let due: FeedPoint | null = null
  let closed = 0
  let taken: FeedPoint | null = null
  let refusal: Problem | null = null
  let sending = false

  const noteRefusal = (error: unknown): boolean => {
    if (!(error instanceof RelayerRefusedError && refusesPoint(error.problem))) return false
    if (refusal === null) {
      options.log.warn(
        { problem: error.problem },
        'THE RELAYER REFUSES THIS ENFORCEMENT POINT: kills are enforced here as before, but nobody hears of it and no relayer waits for it. Enrol it again.',
      )
    }
    refusal = error.problem
    return true
  }

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
        refusal = null
        closed -= closedConnections
        if (due === at) due = null
        options.onChange?.()
      } catch (error) {
        failures += 1
        options.log.warn({ ...at, failures }, `acknowledgement: ${describeError(error)}`)
        const refused = noteRefusal(error)
        options.onChange?.()
        const delay = backoffDelay(refused ? refusedBackoff : backoff, failures, options.random())
        await pause(options.clock, delay, closing.signal)
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
    refusal: () => refusal,
    close: () => closing.abort(),
  }
}
