import { type EventLoopUtilization, performance } from 'node:perf_hooks'

/** ms of each look back. */
const period = 250
/** Share of the time in which the event loop was busy, from which on it cannot keep up. */
const busy = 0.95
/** Share of the time below which it has room again: what is then let in must not be turned away at once. */
const roomy = 0.7
/** Looks in a row: a burst of work is no overload, and a pause no end of it. */
const looks = 4

/** Tells overload from a series of utilizations, one per 250 ms: from a second of busy ones to a second with room. */
export function createOverloadJudge(): {
  readonly note: (utilization: number) => void
  readonly overloaded: () => boolean
} {
  let overloaded = false
  let inRow = 0
  return {
    note(utilization) {
      const speaksForChange = overloaded ? utilization < roomy : utilization >= busy
      inRow = speaksForChange ? inRow + 1 : 0
      if (inRow < looks) return
      overloaded = !overloaded
      inRow = 0
    },
    overloaded: () => overloaded,
  }
}

/**
 * Watches whether this process's event loop is busy without a pause. Lateness alone would not do: on a machine that
 * others keep busy, an idle relayer is late as well.
 */
export function watchOverload(): { readonly overloaded: () => boolean; readonly stop: () => void } {
  const judge = createOverloadJudge()
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    judge.note(performance.eventLoopUtilization(now, last).utilization)
    last = now
  }, period)
  timer.unref()
  return { overloaded: judge.overloaded, stop: () => clearInterval(timer) }
}
