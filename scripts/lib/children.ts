import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { SetupError } from './setupError.ts'

/** A child process; all end with this one. */
export type Child = {
  readonly name: string
  readonly process: ChildProcess
  /** What it wrote to stderr. */
  readonly logFile: string
  /** Rejects when the child ends before it is stopped; never resolves. */
  readonly ended: Promise<never>
  send(message: object): void
}

export type Children = {
  /** Starts a TypeScript file of this repository under this Node, with an IPC channel. */
  start(options: {
    readonly name: string
    readonly script: string
    readonly args?: readonly string[]
    /** Stays readable as `process.stdout` of the child instead of going to its log. */
    readonly stdout?: boolean
  }): Child
  /** Called when a child ends that nobody stopped. */
  onLoss(listener: (error: SetupError) => void): void
  /** Ends all, in the reverse order of their start. */
  stop(): Promise<void>
}

const root = path.resolve(import.meta.dirname, '../..')
const guard = path.join(root, 'scripts/processes/endWithParent.ts')

/** How long a child may take to end before it is killed, in ms. */
const stopGrace = 5_000

/** The end of a log: the last line, or the message of a JSON one. */
export function lastWords(logFile: string): string {
  const line = readFileSync(logFile, 'utf8').trim().split('\n').pop() ?? ''
  try {
    const entry = JSON.parse(line) as { msg?: string; err?: { message?: string } }
    return (
      [entry.msg, entry.err?.message].filter((text) => text !== undefined && text !== '').join(': ') || line
    )
  } catch {
    return line
  }
}

/** Settings of the user's own relayer or CLI must not reach those of a local run. */
export const childEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KILLSWITCH_')))

export function createChildren(logFolder: string): Children {
  const running: Child[] = []
  const listeners: ((error: SetupError) => void)[] = []
  let stopping = false

  const end = (child: Child): Promise<void> =>
    new Promise((resolve) => {
      const { process: one } = child
      if (one.exitCode !== null || one.signalCode !== null || one.pid === undefined) return resolve()
      const timer = setTimeout(() => one.kill('SIGKILL'), stopGrace)
      one.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      one.kill('SIGTERM')
    })

  return {
    start({ name, script, args = [], stdout = false }) {
      const logFile = path.join(logFolder, `${name}.log`)
      const log = openSync(logFile, 'a', 0o600)
      const one = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', '--import', guard, path.join(root, script), ...args],
        {
          // Ctrl-C reaches the whole group of the terminal; children are stopped by us, in order.
          detached: true,
          env: childEnvironment(),
          stdio: ['ignore', stdout ? 'pipe' : log, log, 'ipc'],
        },
      )
      closeSync(log)
      const ended = new Promise<never>((_, reject) => {
        const lose = (how: string): void => {
          if (stopping) return
          const error = new SetupError(`${name} ${how}: ${lastWords(logFile) || 'it said nothing'}`)
          reject(error)
          for (const listener of listeners) listener(error)
        }
        one.once('error', (error) => lose(`could not be started (${error.message})`))
        one.once('exit', (code, signal) => lose(`ended (${signal ?? `exit code ${code}`})`))
      })
      // Whoever waits for the child sees it; the others hear of it by onLoss.
      ended.catch(() => {})
      const child: Child = {
        name,
        process: one,
        logFile,
        ended,
        send: (message) => {
          if (one.connected) one.send(message)
        },
      }
      running.push(child)
      return child
    },
    onLoss: (listener) => {
      listeners.push(listener)
    },
    async stop() {
      stopping = true
      // Agents first, then services, then the relayer: none of them meets a closed door.
      for (const child of [...running].reverse()) await end(child)
    },
  }
}
