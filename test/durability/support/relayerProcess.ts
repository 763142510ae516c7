import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'

const root = path.resolve(import.meta.dirname, '../../..')

export type RelayerAddress = { readonly url: string; readonly mtlsUrl: string; readonly relayer: string }

export type RelayerProcess = {
  /** Null when it ended before it was ready. */
  readonly ready: Promise<RelayerAddress | null>
  /** Signal or exit code, once it has ended, and what it said on stderr. */
  readonly ended: Promise<{ readonly how: NodeJS.Signals | number; readonly said: string }>
  readonly kill: (signal: NodeJS.Signals) => void
}

/** Starts the relayer's own command over a data folder, on free ports. */
export function spawnRelayer(options: {
  readonly args: Readonly<Record<string, string | number>>
  readonly data: string
  /** `<phase>:<kind>:<n>`, see crashPoint.ts. */
  readonly crashPoint?: string
  /** Modules loaded before it. */
  readonly preload?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}): RelayerProcess {
  const { args, data, crashPoint, environment } = options
  const preload = [
    ...(options.preload ?? []),
    ...(crashPoint === undefined ? [] : [path.join(import.meta.dirname, 'crashPoint.ts')]),
  ]
  const child = spawn(
    process.execPath,
    [
      ...preload.flatMap((file) => ['--import', file]),
      path.join(root, 'relayer/cli.ts'),
      ...Object.entries({ data, listen: '127.0.0.1:0', 'mtls-listen': '127.0.0.1:0', ...args }).flatMap(
        ([name, value]) => [`--${name}`, String(value)],
      ),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...environment,
        ...(crashPoint === undefined ? {} : { KILLSWITCH_CRASH_POINT: crashPoint }),
      },
    },
  )
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ how: signal ?? code, said }))
  const ready = Promise.race([
    ended.then(() => null),
    new Promise<RelayerAddress>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{"ready":true')) resolve(JSON.parse(line) as RelayerAddress)
      })
    }),
  ])
  return { ready, ended, kill: (signal) => void child.kill(signal) }
}
