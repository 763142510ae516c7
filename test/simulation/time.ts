/** Runs something after a number of ms, unless the returned function is called before. */
export type After = (ms: number, run: () => void) => () => void

/** Virtual time, in ms since the history began: it passes only when told to, and timers run in order. */
export type Time = {
  now(): number
  readonly after: After
  /** Lets time pass; after each timer all that it set off comes to rest before the next one. */
  pass(ms: number): Promise<void>
  /** Lets everything that waits for nothing but the processor come to rest. */
  settle(): Promise<void>
}

type Timer = { readonly due: number; readonly order: number; run: (() => void) | null }

/** @param onRest is called whenever everything has come to rest */
export function createTime(onRest: () => void = () => {}): Time {
  let now = 0
  let orders = 0
  /** The latest first, so that the next one is taken from the end. */
  const timers: Timer[] = []

  const isLater = (a: Timer, b: Timer) => a.due > b.due || (a.due === b.due && a.order > b.order)
  const insert = (timer: Timer) => {
    let low = 0
    let high = timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isLater(timers[middle] as Timer, timer)) low = middle + 1
      else high = middle
    }
    timers.splice(low, 0, timer)
  }

  // Everything in a history is promises and virtual timers, so that an immediate comes when all promises have come to rest.
  const settle = () =>
    new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        try {
          onRest()
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })

  return {
    now: () => now,
    after(ms, run) {
      const timer: Timer = { due: now + Math.max(0, ms), order: orders++, run }
      insert(timer)
      return () => {
        timer.run = null
      }
    },
    settle,
    async pass(ms) {
      const end = now + ms
      await settle()
      for (let next = timers.at(-1); next !== undefined && next.due <= end; next = timers.at(-1)) {
        timers.pop()
        if (next.run === null) continue
        now = next.due
        next.run()
        await settle()
      }
      now = end
    },
  }
}
