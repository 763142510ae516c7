import process from 'node:process'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Everything that a command knows of its process; tests give their own. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether somebody sits there who can answer a question. */
  readonly isTerminal: boolean
  /** Asks on the terminal; `hidden` does not echo what is typed. */
  readonly ask: (question: string, hidden?: boolean) => Promise<string>
  /** Wall clock, Unix ms. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
}

/** Questions go to stderr, so that stdout stays clean for `--json`. */
async function ask(question: string, hidden = false): Promise<string> {
  process.stderr.write(question)
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr
  const reader = createInterface({ input: process.stdin, output, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.question('').then(resolve, reject)
      // Ctrl-D gives no answer; Ctrl-C ends the program as everywhere else.
      reader.once('close', () => resolve(''))
      reader.once('SIGINT', () => {
        process.stderr.write('\n')
        process.exit(130)
      })
    })
  } finally {
    reader.close()
    if (hidden) process.stderr.write('\n')
  }
}

export const processSurroundings = (): Surroundings => ({
  env: process.env,
  cwd: process.cwd(),
  out: (text) => {
    process.stdout.write(text)
  },
  err: (text) => {
    process.stderr.write(text)
  },
  isTerminal: process.stdin.isTTY === true && process.stderr.isTTY === true,
  ask,
  now: Date.now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
})
