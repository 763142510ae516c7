import type { Clock } from '../../clock.ts'
import type { ChainLog } from '../chainLog.ts'

/** Between two lines, in ms. */
const interval = 5_000

/** Tells how a back-fill gets on: a line every five seconds and one at the end. */
export function createProgress(options: {
  /** First and last block, inclusive. */
  readonly from: number
  readonly to: number
  readonly clock: Clock
  readonly log: ChainLog
}): {
  /** Everything up to `block` is taken, the last range with that many events. */
  note(block: number, events: number): void
} {
  const { from, to, clock, log } = options
  const start = clock.monotonic()
  let lastLine = start
  let events = 0
  return {
    note(block, more) {
      events += more
      const now = clock.monotonic()
      if (block < to && now - lastLine < interval) return
      lastLine = now
      const blocks = block - from + 1
      const seconds = Math.max(now - start, 1) / 1000
      const rate = blocks / seconds
      const fields = {
        block,
        to,
        percent: Math.floor((100 * blocks) / (to - from + 1)),
        blocksPerSecond: Math.round(rate),
        eventsPerSecond: Math.round(events / seconds),
      }
      if (block < to) log.info({ ...fields, secondsLeft: Math.ceil((to - block) / rate) }, 'back-filling')
      else log.info({ ...fields, seconds: Math.round(seconds * 10) / 10 }, 'back-filled')
    },
  }
}
