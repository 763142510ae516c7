import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'

const root = path.resolve(import.meta.dirname, '../..')

/** What the figures were measured on. */
export type Machine = {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
  /** Versions of what takes part, by package. */
  readonly packages: Readonly<Record<string, string>>
  /** Of the repository; `+` after it when files differ from it. */
  readonly commit: string
  /** How busy the machine was before the first run, over one minute: runnable processes. */
  readonly load: number
  /** How many files one process may have open. */
  readonly openFiles: number
  readonly at: string
}

function versionOf(folder: string, name: string): string {
  try {
    const file = path.join(root, folder, 'node_modules', name, 'package.json')
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    return 'not installed'
  }
}

function git(...args: readonly string[]): string | null {
  try {
    return execFileSync('git', ['-C', root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return null
  }
}

function openFiles(): number {
  try {
    const text = readFileSync('/proc/self/limits', 'utf8')
    return Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.NaN)
  } catch {
    return Number.NaN
  }
}

export function describeMachine(): Machine {
  const [cpu] = os.cpus()
  const commit = git('rev-parse', '--short', 'HEAD')
  const changed = git('status', '--porcelain', '--untracked-files=no')
  return {
    cpu: (cpu?.model ?? 'unknown CPU').replace(/\s+/g, ' '),
    cores: os.availableParallelism(),
    memoryGiB: Math.round((os.totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    packages: {
      ...Object.fromEntries(
        ['viem', 'hono', 'kysely', '@foundry-rs/anvil'].map((name) => [name, versionOf('', name)]),
      ),
      ponder: versionOf('bench/ponder', 'ponder'),
    },
    commit: commit === null ? 'no repository' : `${commit}${changed === '' ? '' : '+'}`,
    load: Math.round((os.loadavg()[0] ?? 0) * 100) / 100,
    openFiles: openFiles(),
    at: new Date().toISOString(),
  }
}

export const machineLine = (machine: Machine): string =>
  [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}`,
    `node ${machine.node}`,
    Object.entries(machine.packages)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `commit ${machine.commit}`,
    `load ${machine.load}`,
    `${machine.openFiles} open files`,
    machine.at,
  ].join('; ')
