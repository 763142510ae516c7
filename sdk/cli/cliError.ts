import type { ExitCode } from './exitCode.ts'

/** A failure whose message is complete for the user, with the exit code that goes with it. */
export class CliError extends Error {
  override readonly name: string = 'CliError'
  readonly exitCode: ExitCode
  /** More for `--json`. */
  readonly details: Readonly<Record<string, unknown>>
  constructor(
    exitCode: ExitCode,
    message: string,
    options: { readonly cause?: unknown; readonly details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.exitCode = exitCode
    this.details = options.details ?? {}
  }
}
