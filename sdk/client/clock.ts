/** Time as the SDK sees it, in ms. Injected, so that tests move it by hand. */
export type Clock = {
  /** Dates things; may jump. */
  readonly wall: () => number
  /** Measures them; never goes back. */
  readonly monotonic: () => number
  /** Runs something once after a delay; the result cancels it. */
  readonly after: (delay: number, run: () => void) => () => void
}

/** The system's clocks. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delay, run) => {
    const timer = setTimeout(run, delay)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Resolves after a delay, or at once when the signal aborts. */
export function pause(clock: Clock, delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(delay, end)
    signal.addEventListener('abort', end)
  })
}
