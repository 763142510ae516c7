import type { Clock } from '../clock.ts'
import type { Hold } from '../hold.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'

/** How long what is not urgent waits for a kill that may be coming, in ms: a node's answer. */
const patience = 15
/** ms from one wait to the next: an RPC that promises kills without end holds up a third of the rest at most. */
const period = 45

/** On while a kill may come within moments, so that nothing is begun that it would wait for. */
export type Expectation = Hold & {
  /** A block is being read that may hold kills. */
  expect(): void
}

/** @param turn does something when the event loop has turned */
export function createExpectation(
  clock: Pick<Clock, 'monotonic'>,
  schedule: Schedule = systemSchedule,
  turn: (task: () => void) => void = setImmediate,
): Expectation {
  let since = Number.NEGATIVE_INFINITY
  let begun = 0
  const left = (): number => Math.max(0, since + patience - clock.monotonic())
  return {
    expect() {
      const now = clock.monotonic()
      if (now - since < period) return
      since = now
      begun += 1
    },
    isOn: () => left() > 0,
    total: () => begun * patience - left(),
    later: (task) =>
      turn(() => {
        // Asleep rather than looking on: the node that is asked may run on the same processor. Once only, or a loop that
        // is late would find the next wait begun each time.
        if (left() > 0) schedule(Math.ceil(left()), task)
        else task()
      }),
  }
}
