import type { ExitCode } from './exitCode.ts'
import type { Settings } from './settings.ts'
import type { Surroundings } from './surroundings.ts'

/** What a command works with. */
export type Context = {
  readonly settings: Settings
  readonly surroundings: Surroundings
  /** A line for people: on standard output, or on standard error beside `--json`. */
  readonly say: (line: string) => void
}

/** How a command ended: `json` is what `--json` prints, with `ok` added. */
export type Outcome = { readonly exitCode: ExitCode; readonly json: Readonly<Record<string, unknown>> }

export type Command = {
  /** Its words, e.g. `guardians add`. */
  readonly name: string
  readonly usage: string
  readonly summary: string
  /** More for its own help. */
  readonly details?: string
  readonly options: readonly string[]
  readonly run: (context: Context, args: readonly string[]) => Promise<Outcome>
}
