import type { Clock } from '../../../sdk/client/clock.ts'

/** A clock that moves only when told to; due timers run in their order. */
export function createManualClock(start = Date.now()): Clock & {
  /** ms; both clocks */
  advance(delay: number): void
  /** The wall clock alone. */
  jump(delay: number): void
  readonly waiting: number
} {
  let now = 0
  let offset = start
  const timers = new Map<object, { readonly due: number; readonly run: () => void }>()
  return {
    wall: () => offset + now,
    monotonic: () => now,
    after: (delay, run) => {
      const id = {}
      timers.set(id, { due: now + delay, run })
      return () => timers.delete(id)
    },
    advance(delay) {
      const end = now + delay
      for (;;) {
        const next = [...timers].filter(([, { due }]) => due <= end).sort(([, a], [, b]) => a.due - b.due)[0]
        if (next === undefined) break
        now = Math.max(now, next[1].due)
        timers.delete(next[0])
        next[1].run()
      }
      now = end
    },
    jump: (delay) => {
      offset += delay
    },
    get waiting() {
      return timers.size
    },
  }
}
