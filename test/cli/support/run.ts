import { runCli } from '../../../sdk/cli/cli.ts'
import type { Surroundings } from '../../../sdk/cli/surroundings.ts'

export type Run = {
  readonly code: number
  readonly out: string
  readonly err: string
  /** The last object of `--json`: the outcome. */
  readonly json: Record<string, unknown>
  readonly questions: readonly string[]
}

/** Runs the program in this process. With `answers` somebody sits at a terminal. */
export async function run(
  args: readonly string[],
  given: {
    readonly env?: Record<string, string>
    readonly cwd: string
    readonly answers?: readonly string[]
  },
): Promise<Run> {
  let out = ''
  let err = ''
  const questions: string[] = []
  const surroundings: Surroundings = {
    env: given.env ?? {},
    cwd: given.cwd,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTerminal: given.answers !== undefined,
    ask: (question) => Promise.resolve(given.answers?.[questions.push(question) - 1] ?? ''),
    now: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
  const code = await runCli(args, surroundings, '0.0.0')
  const last = out.trimEnd().split('\n').at(-1) ?? ''
  const json = args.includes('--json') ? (JSON.parse(last) as Record<string, unknown>) : {}
  return { code, out, err, json, questions }
}
