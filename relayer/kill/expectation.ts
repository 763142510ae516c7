import type { Clock } from '../clock.ts'

/** How long what is not urgent waits for a kill that may be coming, in ms: a node's answer. */
const patience = 15
/** ms from one wait to the next: an RPC that promises kills without end holds up a third of the rest at most. */
const period = 45

export type Expectation = {
  /** A block is being read that may hold kills. */
  expect(): void
  isExpected(): boolean
}

/** Knows whether a kill may come within moments, so that nothing is begun that it would wait for. */
export function createExpectation(clock: Pick<Clock, 'monotonic'>): Expectation {
  let since = Number.NEGATIVE_INFINITY
  return {
    expect() {
      const now = clock.monotonic()
      if (now - since >= period) since = now
    },
    isExpected: () => clock.monotonic() - since < patience,
  }
}
