import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import type { Hold } from '../../hold.ts'

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

/** Share of the time in which an event loop was busy, where what it slept while work was held up counts as busy. @param held ms */
export const utilizationOf = (
  { active, idle }: Pick<EventLoopUtilization, 'active' | 'idle'>,
  held: number,
): number => 1 - Math.max(0, idle - held) / (active + idle)

/**
 * Watches whether this process's event loop is busy without a pause. Lateness alone would not do: on a machine that
 * others keep busy, an idle relayer is late as well.
 * @param hold keeps work from being begun, so that the loop sleeps although there is some
 */
export function watchOverload(hold: Pick<Hold, 'total'>): {
  readonly overloaded: () => boolean
  readonly stop: () => void
} {
  const judge = createOverloadJudge()
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  let lastHeld = hold.total()
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    const held = hold.total()
    judge.note(utilizationOf(performance.eventLoopUtilization(now, last), held - lastHeld))
    last = now
    lastHeld = held
  }, period)
  timer.unref()
  return { overloaded: judge.overloaded, stop: () => clearInterval(timer) }
}
