// Preloaded into a relayer (`node --import`): it kills its own process at the n-th crossing of a kind, so that the
// product itself knows nothing of it. KILLSWITCH_CRASH_POINT is `<phase>:<kind>:<n>`.
//
// phase   start: counted from the first line of the process; road: from when the relayer has said that it is ready
// kind    await: each time an await goes on; store: before and after each statement; socket: before and after each
//         write to a connection; file: before and after each synchronous change of a file
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'
import process from 'node:process'
import { DatabaseSync, StatementSync } from 'node:sqlite'
import { promiseHooks } from 'node:v8'

const [phase, kind, at] = (process.env.KILLSWITCH_CRASH_POINT ?? '').split(':')
let armed = phase === 'start'
let crossings = 0

const cross = (): void => {
  if (!armed) return
  crossings += 1
  if (crossings === Number(at)) process.kill(process.pid, 'SIGKILL')
}

/** Crosses before and after each call of a method. */
function crossAround(target: object, methods: readonly string[]): void {
  const table = target as Record<string, (...args: unknown[]) => unknown>
  for (const method of methods) {
    const original = table[method]
    if (original === undefined) throw new Error(`${method} is gone; crash points there must be found anew`)
    table[method] = function (...args) {
      cross()
      const result = original.apply(this, args)
      cross()
      return result
    }
  }
}

if (kind === 'await') promiseHooks.createHook({ before: cross })
if (kind === 'store') {
  crossAround(StatementSync.prototype, ['run', 'all'])
  crossAround(DatabaseSync.prototype, ['exec'])
}
if (kind === 'socket') crossAround(Socket.prototype, ['write'])
if (kind === 'file') {
  crossAround(fs, ['mkdirSync', 'openSync', 'writeFileSync', 'fsyncSync', 'linkSync', 'rmSync', 'chmodSync'])
  syncBuiltinESMExports()
}

if (phase === 'road') {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = ((text: string, ...rest: []) => {
    const written = write(text, ...rest)
    if (text.includes('"ready":true')) armed = true
    return written
  }) as typeof process.stdout.write
}
