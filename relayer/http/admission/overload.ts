import { type EventLoopUtilization, performance } from 'node:perf_hooks'

/** ms of each look back. */
const period = 250
/** Share of the time in which the event loop was busy, from which on it cannot keep up. */
const busy = 0.95
/** Looks in a row: a burst of work is no overload. */
const looks = 4

/** Tells overload from a series of utilizations, one per 250 ms: all of the last second busy. */
export function createOverloadJudge(): {
  readonly note: (utilization: number) => void
  readonly overloaded: () => boolean
} {
  let inRow = 0
  return {
    note(utilization) {
      inRow = utilization >= busy ? inRow + 1 : 0
    },
    overloaded: () => inRow >= looks,
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
