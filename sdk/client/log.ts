/** Where the SDK says what happens; a pino logger fits. */
export type Log = {
  readonly info: (values: object, message: string) => void
  readonly warn: (values: object, message: string) => void
}

export const silentLog: Log = { info: () => {}, warn: () => {} }

/** An error with its causes in one line: `fetch failed` alone names no reason. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describeError(error.cause)}`
}
