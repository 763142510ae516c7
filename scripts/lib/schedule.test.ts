import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { promptly, setSlice } from './schedule.ts'

/** ns; null where the kernel does not say. */
const sliceIn = (sched: string): number | null => {
  const found = /^se\.slice\s*:\s*(\d+)/m.exec(sched)?.[1]
  return found === undefined ? null : Number(found)
}
const sched = '/proc/self/sched'
const hasPerl = existsSync('/usr/bin/perl')
const isKnown = hasPerl && existsSync(sched) && sliceIn(readFileSync(sched, 'utf8')) !== null

/** In a session of its own: this one's share of the processor stays as it is. */
async function runPromptly(program: string, args: readonly string[]) {
  const [command, all] = promptly(program, args)
  const child = spawn(command, all, { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { said, code }
}

test.skipIf(!isKnown)('what is prompt has short slices, and so have its threads and children', async () => {
  const { said } = await runPromptly('/bin/sh', ['-c', `cat ${sched}`])
  expect(sliceIn(said)).toBe(100_000)
})

test.skipIf(!isKnown)('a process that runs gets other slices in all its threads', () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'])
  try {
    setSlice(child.pid as number, 5)
    expect(sliceIn(readFileSync(`/proc/${child.pid}/sched`, 'utf8'))).toBe(5_000_000)
  } finally {
    child.kill()
  }
})

test('the command runs with its arguments and exit code, whether it may go ahead of others or not', async () => {
  const { code } = await runPromptly(process.execPath, ['-e', 'process.exit(Number(process.argv[1]))', '7'])
  expect(code).toBe(7)
})

test
  .skipIf(!hasPerl)
  .each([
    [[]],
    [['--slice', '1']],
    [['--pid', '1']],
    [['--slice', '1', '--pid', '1', 'true']],
    [['--slice', 'x', 'true']],
  ])('how it is used is told: %j', (args) => {
  const script = path.resolve(import.meta.dirname, '../schedule.pl')
  const { status, stderr } = spawnSync('perl', [script, ...args], { encoding: 'utf8' })
  expect(status).not.toBe(0)
  expect(stderr).toContain('usage: perl schedule.pl')
})
