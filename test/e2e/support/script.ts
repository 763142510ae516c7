import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'

export const root = path.resolve(import.meta.dirname, '../../..')

/** A script of this repository that runs as a child, with all that it has printed so far. */
export type Script = {
  readonly process: ChildProcess
  stdout(): string
  stderr(): string
  /** Waits for text on standard output. */
  sees(pattern: RegExp, timeout?: number): Promise<RegExpExecArray>
  /** Waits for its end. */
  ended(): Promise<number | null>
}

export function runScript(file: string, args: readonly string[], cwd = root): Script {
  const child = spawn(process.execPath, [path.join(root, file), ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const end = once(child, 'close')
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    async sees(pattern, timeout = 30_000) {
      for (let waited = 0; ; waited += 50) {
        const match = pattern.exec(stdout)
        if (match !== null) return match
        if (waited >= timeout || child.exitCode !== null)
          throw new Error(`${file} did not print ${pattern}; it printed:\n${stdout}\n${stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    ended: async () => (await end)[0] as number | null,
  }
}
