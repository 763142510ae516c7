import process from 'node:process'
import { SetupError } from './setupError.ts'

/** What a script started and has to end. */
export type Cleanup = {
  /** Ends what was started; the last comes first. */
  add(end: () => Promise<void> | void): void
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP. */
  readonly stopped: AbortSignal
}

const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Runs a script to its end. Whatever ends it, an error, a signal or success, everything it started is ended first; a
 * second signal does not wait for that.
 * @param name stands before the one line that a failure is worth
 */
export async function runScript(name: string, script: (cleanup: Cleanup) => Promise<number>): Promise<void> {
  const ends: (() => Promise<void> | void)[] = []
  const stopping = new AbortController()
  let exitCode = 0
  const interrupted = new Promise<void>((resolve) => {
    for (const [signal, code] of Object.entries(exitCodes)) {
      process.on(signal, () => {
        if (stopping.signal.aborted) process.exit(code)
        exitCode = code
        stopping.abort()
        resolve()
      })
    }
  })
  const fail = (error: unknown): void => {
    exitCode = 1
    const text =
      error instanceof SetupError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : `${error}`
    process.stderr.write(`${name}: ${text}\n`)
  }
  const running = script({ add: (end) => ends.push(end), stopped: stopping.signal }).then((code) => {
    if (!stopping.signal.aborted) exitCode = code
  })
  await Promise.race([
    interrupted,
    running.catch((error: unknown) => {
      if (!stopping.signal.aborted) fail(error)
    }),
  ])
  for (const end of ends.reverse()) {
    try {
      await end()
    } catch (error) {
      fail(error)
    }
  }
  process.exit(exitCode)
}
