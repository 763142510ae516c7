/** What this folder needs of a logger; pino's fits. */
export type ChainLog = {
  readonly [level in 'debug' | 'info' | 'warn' | 'error']: (
    fields: Readonly<Record<string, unknown>>,
    message: string,
  ) => void
}
