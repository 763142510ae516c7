import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promptly } from './schedule.ts'
import { SetupError } from './setupError.ts'

/** A child process; all end with this one. */
export type Child = {
  readonly name: string
  readonly process: ChildProcess
  /** Rejects when the child ends before it is stopped; never resolves. */
  readonly ended: Promise<never>
  send(message: object): void
  /** Ends it before the others. */
  stop(): Promise<void>
}

/** A TypeScript file of this repository, run under this Node. */
export type Launch = {
  readonly name: string
  readonly script: string
  readonly args?: readonly string[]
  /** Stays readable as `process.stdout` of the child instead of going to its log. */
  readonly stdout?: boolean
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Served at once when it has something to do, before those that keep the processor busy. */
  readonly prompt?: boolean
}

export type Children = {
  /** Starts what runs until it is stopped, with an IPC channel. */
  start(launch: Launch): Child
  /** Runs what ends by itself. @returns its standard output @throws {SetupError} with its last words */
  run(launch: Launch): Promise<string>
  /** Called when a child ends that nobody stopped. */
  onLoss(listener: (error: SetupError) => void): void
  /** Ends all, in the reverse order of their start. Nothing can be started any more. */
  stop(): Promise<void>
}

const root = path.resolve(import.meta.dirname, '../..')
const guard = path.join(root, 'scripts/processes/endWithParent.ts')

/** How long a child may take to end before it is killed, in ms. */
const stopGrace = 5_000

/** The end of a log: the last line, or the message of a JSON one. */
function lastWords(logFile: string): string {
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
const childEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KILLSWITCH_')))

export function createChildren(logFolder: string): Children {
  const running: ChildProcess[] = []
  const listeners: ((error: SetupError) => void)[] = []
  let stopping = false

  const launch = ({ name, script, args = [], stdout = false, env = {}, prompt = false }: Launch) => {
    if (stopping) throw new SetupError(`${name} is not started: everything is being stopped`)
    const logFile = path.join(logFolder, `${name}.log`)
    const log = openSync(logFile, 'a', 0o600)
    const node = [
      '--disable-warning=ExperimentalWarning',
      '--import',
      guard,
      path.join(root, script),
      ...args,
    ]
    const [command, all] = prompt ? promptly(process.execPath, node) : [process.execPath, node]
    const child = spawn(command, all, {
      // Ctrl-C reaches the whole group of the terminal; children are stopped by us, in order.
      detached: true,
      env: { ...childEnvironment(), ...env },
      stdio: ['ignore', stdout ? 'pipe' : log, log, 'ipc'],
    })
    closeSync(log)
    running.push(child)
    return { child, logFile }
  }

  const end = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve()
      const timer = setTimeout(() => child.kill('SIGKILL'), stopGrace)
      child.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill('SIGTERM')
    })

  return {
    start(options) {
      const { name } = options
      const { child, logFile } = launch(options)
      let stopped = false
      const ended = new Promise<never>((_, reject) => {
        const lose = (how: string): void => {
          if (stopping || stopped) return
          const error = new SetupError(`${name} ${how}: ${lastWords(logFile) || 'it said nothing'}`)
          reject(error)
          for (const listener of listeners) listener(error)
        }
        child.once('error', (error) => lose(`could not be started (${error.message})`))
        child.once('exit', (code, signal) => lose(`ended (${signal ?? `exit code ${code}`})`))
      })
      // Whoever waits for the child sees it; the others hear of it by onLoss.
      ended.catch(() => {})
      return {
        name,
        process: child,
        ended,
        send: (message) => {
          if (child.connected) child.send(message)
        },
        stop() {
          stopped = true
          return end(child)
        },
      }
    },
    run: (options) =>
      new Promise((resolve, reject) => {
        const { child, logFile } = launch({ ...options, stdout: true })
        let output = ''
        child.stdout?.setEncoding('utf8').on('data', (text: string) => {
          output += text
        })
        child.once('error', (error) => reject(new SetupError(`${options.name}: ${error.message}`, error)))
        child.once('close', (code) => {
          if (code === 0) resolve(output)
          else reject(new SetupError(`${options.name} failed: ${lastWords(logFile) || 'it said nothing'}`))
        })
      }),
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
