import type { Clock } from '../clock.ts'

/** How long what is not urgent waits for a kill that may be coming, in ms: a node's answer. */
const patience = 15
/** ms from one wait to the next: an RPC that promises kills without end holds up a third of the rest at most. */
const period = 45

export type Expectation = {
  /** A block is being read that may hold kills. */
  expect(): void
  isExpected(): boolean
  /** Does something when the event loop has turned and no kill is expected. */
  later(task: () => void): void
}

/**
 * Knows whether a kill may come within moments, so that nothing is begun that it would wait for.
 * @param turn does something when the event loop has turned
 */
export function createExpectation(
  clock: Pick<Clock, 'monotonic'>,
  turn: (task: () => void) => void = setImmediate,
): Expectation {
  let since = Number.NEGATIVE_INFINITY
  const isExpected = (): boolean => clock.monotonic() - since < patience
  const later = (task: () => void): void => {
    turn(() => {
      if (isExpected()) later(task)
      else task()
    })
  }
  return {
    later,
    isExpected,
    expect() {
      const now = clock.monotonic()
      if (now - since >= period) since = now
    },
  }
}
