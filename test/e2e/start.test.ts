import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runScript, type Script } from './support/script.ts'

const freePorts = ['--port-chain', '0', '--port-relayer', '0', '--port-mtls', '0', '--port-service', '0']

let base: string
let started: Script | undefined
beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'killswitch-start-'))
})
afterEach(() => {
  started?.process.kill('SIGKILL')
  started = undefined
  rmSync(base, { recursive: true, force: true })
})

const start = (...args: string[]): Script => {
  started = runScript('scripts/start.ts', ['--data', path.join(base, 'data'), ...args], base)
  return started
}

/** Command lines of processes that have this text in theirs. */
function processesWith(text: string): string[] {
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(text) && !line.includes('ps -eo'))
}

/** All processes that this one has started, and theirs. */
function descendantsOf(pid: number): number[] {
  const pairs = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  const below = (parent: number): number[] =>
    pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

describe('npm start', () => {
  it('runs everything, shows a kill by the CLI, and leaves nothing behind', {
    timeout: 120_000,
  }, async () => {
    const run = start(...freePorts, '--agents', '4')
    const [, agent] = await run.sees(/killswitch kill (spiffe:\S+)/, 60_000)
    const config = path.join(base, 'data', 'local.json')
    expect(statSync(config).mode & 0o077).toBe(0)
    await run.sees(new RegExp(`running +alice +${agent}`))

    const cli = runScript('sdk/cli/main.ts', ['kill', agent ?? '', '--yes', '--config', config], base)
    expect(await cli.ended(), cli.stderr()).toBe(0)
    await run.sees(new RegExp(`killed +alice +${agent} +403 killed`))
    await run.sees(/confirmed [\d.]+ ms after the relayer saw it/)
    expect(run.stdout()).not.toMatch(/killed +bob/)

    const pid = run.process.pid ?? 0
    const children = descendantsOf(pid)
    expect(children).toHaveLength(3)
    const ports = [...run.stdout().matchAll(/https?:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port))
    expect(new Set(ports).size).toBe(4)
    run.process.kill('SIGINT')
    expect(await run.ended()).toBe(130)
    expect(children.filter(isAlive)).toEqual([])
    for (const port of ports) expect(await isOpen(port)).toBe(false)
    expect(existsSync(path.join(base, 'data'))).toBe(false)
  })

  it('stops what it has started so far when it is stopped early', { timeout: 60_000 }, async () => {
    const run = start(...freePorts)
    await run.sees(/starting the service/)
    const children = descendantsOf(run.process.pid ?? 0)
    expect(children.length).toBeGreaterThan(0)
    run.process.kill('SIGTERM')
    expect(await run.ended()).toBe(143)
    expect(children.filter(isAlive)).toEqual([])
    expect(processesWith(base)).toEqual([])
    expect(existsSync(path.join(base, 'data'))).toBe(false)
  })

  it('leaves no orphans even when it is killed outright', { timeout: 60_000 }, async () => {
    const run = start(...freePorts, '--agents', '2')
    await run.sees(/running +bob/, 60_000)
    const children = descendantsOf(run.process.pid ?? 0)
    expect(children).toHaveLength(3)
    run.process.kill('SIGKILL')
    await run.ended()
    await expect.poll(() => children.filter(isAlive), { timeout: 10_000 }).toEqual([])
  })

  it('says which port is in use and which option changes it', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      const run = start(...freePorts.with(7, String(port)))
      expect(await run.ended()).toBe(1)
      expect(run.stderr()).toBe(
        `start: port ${port} for the demo service is in use; --port-service <number> takes another (0: any)\n`,
      )
      expect(existsSync(path.join(base, 'data'))).toBe(false)
    } finally {
      server.close()
    }
  })
})
