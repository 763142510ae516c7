/** ms between two looks at the event loop. */
const period = 20
/** ms late from which on the loop counts as lagging. */
const late = 40
/** ms for which it counts as lagging after that, so that shedding does not flutter. */
const memory = 250

/** Tells whether the event loop lags: a timer of 20 ms comes 40 ms late or more. @param now monotonic ms */
export function watchLoopLag(now: () => number): {
  readonly lagging: () => boolean
  readonly stop: () => void
} {
  let expected = now() + period
  let laggedAt = Number.NEGATIVE_INFINITY
  const timer = setInterval(() => {
    const at = now()
    if (at - expected > late) laggedAt = at
    expected = at + period
  }, period)
  timer.unref()
  return {
    lagging: () => {
      const at = now()
      // Also while the timer is still overdue.
      return at - laggedAt < memory || at - expected > late
    },
    stop: () => clearInterval(timer),
  }
}
