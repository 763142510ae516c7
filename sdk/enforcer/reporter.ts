import type { Clock } from '../client/clock.ts'
import { describeError, type Log } from '../client/log.ts'
import { RelayerRefusedError } from '../client/relayerCall.ts'

/** What became of an access: let through to its end, refused before the handler, or cut while it ran. */
export type Outcome = 'accepted' | 'denied' | 'cut'

/** One access, as `POST /reports` takes it; `at` in ms, `path` without its query. */
export type Access = {
  readonly spiffeId: string
  readonly at: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: Outcome
}

export type ReportedAccess = Access & { readonly count: number }

export type Reporter = {
  note(access: Access): void
  status(): { readonly waiting: number; readonly sent: number; readonly dropped: number }
  /** Sends what is left, once. */
  close(): Promise<void>
}

/**
 * How long accesses are gathered before they are sent, in ms, and most entries in one report. A busy relayer spends more on
 * reports than on anything else, so what is alike is counted together for as long as a live view allows.
 */
const batchDelay = 2_000
const batchSize = 500
/** The same where one report did not hold what was gathered: many agents are one point's, and few look at each. */
const crowdedDelay = 6_000
/** Most entries that wait for a relayer which does not answer. */
const capacity = 10_000
/** Entries that are sent without waiting any longer. */
const plenty = capacity / 2
/** Longest path that is reported, in characters. */
const maxPath = 256

/**
 * Gathers accesses into batches. Equal ones of a batch are counted in one entry (dated by the last). Reports are
 * telemetry: they never hold up a request, and what does not fit is dropped and counted.
 */
export function createReporter(options: {
  readonly post: (body: {
    readonly accesses: readonly ReportedAccess[]
    /** Accesses that could not be reported, since the last report that was taken; left out when there are none. */
    readonly dropped?: number
  }) => Promise<unknown>
  readonly clock: Clock
  readonly log: Log
}): Reporter {
  const { clock, log } = options
  let waiting = new Map<string, ReportedAccess>()
  let sending: Promise<void> | null = null
  let cancelTimer: (() => void) | null = null
  let sent = 0
  let dropped = 0
  let droppedTold = 0
  let closed = false
  let failing = false
  let crowded = false

  const sendOne = async (): Promise<boolean> => {
    const entries = [...waiting].slice(0, batchSize)
    if (entries.length === 0) return true
    waiting = new Map([...waiting].slice(batchSize))
    const accesses = entries.map(([, access]) => access)
    try {
      const droppedNow = dropped
      await options.post({
        accesses,
        ...(droppedNow === droppedTold ? {} : { dropped: droppedNow - droppedTold }),
      })
      droppedTold = droppedNow
      sent += accesses.reduce((sum, access) => sum + access.count, 0)
      failing = false
      return true
    } catch (error) {
      log.warn({ accesses: accesses.length }, `report: ${describeError(error)}`)
      failing = true
      // Refused as it is: sending it again would only hold up the others.
      if (error instanceof RelayerRefusedError && error.problem.status < 500) {
        dropped += accesses.reduce((sum, access) => sum + access.count, 0)
        return false
      }
      // Back to the front, so that the order of accesses holds; what came meanwhile is merged behind.
      const newer = waiting
      waiting = new Map()
      for (const access of accesses) add(access)
      for (const access of newer.values()) add(access)
      return false
    }
  }

  const flush = (): Promise<void> => {
    cancelTimer?.()
    cancelTimer = null
    sending ??= (async () => {
      // What comes meanwhile is gathered anew.
      let reports = Math.ceil(waiting.size / batchSize)
      crowded = reports > 1
      while (reports > 0 && (await sendOne())) reports -= 1
      sending = null
      if (waiting.size > 0 && !closed) arm()
    })()
    return sending
  }

  const arm = (): void => {
    cancelTimer ??= clock.after(crowded ? crowdedDelay : batchDelay, () => void flush())
  }

  const add = (access: ReportedAccess): void => {
    const { spiffeId, method, path, status, outcome } = access
    const key = JSON.stringify([spiffeId, method, path, status, outcome])
    const had = waiting.get(key)
    if (had !== undefined) waiting.set(key, { ...access, count: had.count + access.count })
    else if (waiting.size < capacity) waiting.set(key, access)
    else dropped += access.count
  }

  return {
    note(access) {
      if (closed) return
      const path = (access.path.split('?', 1)[0] as string).slice(0, maxPath)
      add({ ...access, path, count: 1 })
      if (sending !== null) return
      if (waiting.size >= plenty && !failing) void flush()
      else arm()
    },
    status: () => ({ waiting: waiting.size, sent, dropped }),
    async close() {
      closed = true
      await sending
      await flush()
    },
  }
}
