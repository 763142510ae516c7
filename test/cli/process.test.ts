// What goes wrong at the command line, each as a process of its own: one line that says what and what to do, and an exit
// code that scripts can tell apart.
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startChain, type TestChain } from './support/chain.ts'
import { run } from './support/run.ts'
import { type StandIn, startStandIn } from './support/standInRelayer.ts'

const root = path.resolve(import.meta.dirname, '..', '..')
const cwd = mkdtempSync(path.join(tmpdir(), 'killswitch-process-'))
let chain: TestChain
let relayer: StandIn
let babble: Server
let agent: string
let killedAgent: string
let dead: string
let babbleUrl: string

type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

function killswitch(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'sdk', 'cli', 'main.ts'), ...args], {
      cwd,
      env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: path.join(cwd, 'compiled'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

const file = (name: string, content: string, mode = 0o600): string => {
  const full = path.join(cwd, name)
  writeFileSync(full, content)
  chmodSync(full, mode)
  return full
}

/** Where the chain is, and the key of the agents' owner. */
const owner = (): string[] => ['--rpc', chain.rpc, '--contract', contract(), '--key-file', 'owner.key']
const contract = () => chain.deployed.deployment.contract
const otherContract = `0x${'12'.repeat(20)}` as const

/** What is wrong: the command line, its exit code and a part of its one line. */
const cases: Record<string, () => readonly [args: readonly string[], code: number, line: string]> = {
  'the relayer is down': () => [
    ['kill', agent, '--relayer', dead, ...owner()],
    4,
    `the relayer ${dead} cannot be reached (ECONNREFUSED); --relayer names another`,
  ],
  'the relayer is no relayer': () => [
    ['kill', agent, '--relayer', babbleUrl, ...owner()],
    4,
    'answers with something other than JSON; --relayer names another',
  ],
  'the RPC is down': () => [
    ['kill', agent, '--rpc', dead, '--contract', contract(), '--key-file', 'owner.key'],
    4,
    `the RPC ${dead} cannot be reached (ECONNREFUSED); --rpc names another`,
  ],
  'the RPC is no RPC': () => [
    ['status', agent, '--rpc', babbleUrl, '--contract', contract()],
    4,
    `the RPC ${babbleUrl} `,
  ],
  'the RPC is of another chain': () => [
    ['kill', agent, '--chain-id', '1', ...owner()],
    2,
    '--chain-id says 1, but the RPC',
  ],
  'the contract is another one': () => [
    ['status', agent, '--rpc', chain.rpc, '--contract', otherContract],
    2,
    'is --contract the right address?',
  ],
  'the key file is missing': () => [
    ['kill', agent, '--key-file', 'none.key', '--rpc', chain.rpc, '--contract', contract()],
    2,
    'which cannot be read: ENOENT',
  ],
  'the key file holds no key': () => [
    ['kill', agent, '--key-file', 'bad.key', '--rpc', chain.rpc, '--contract', contract()],
    2,
    'which is no private key (64 hex digits)',
  ],
  'the key is not the owner’s': () => [
    ['kill', agent, '--key-file', 'stranger.key', '--rpc', chain.rpc, '--contract', contract()],
    3,
    'has no kill over Agent',
  ],
  'the relayer refuses the order': () => [
    [
      'kill',
      agent,
      '--relayer',
      relayer.url,
      '--rpc',
      chain.rpc,
      '--contract',
      contract(),
      '--key-file',
      'stranger.key',
    ],
    3,
    'the relayer refuses: not-authorized',
  ],
  'the wallet has no money': () => [
    ['kill', '--all', '--key-file', 'poor.key', '--rpc', chain.rpc, '--contract', contract()],
    3,
    'the wallet cannot pay for the gas',
  ],
  'the agent is not killed': () => [['resume', agent, '--request', ...owner()], 3, 'is not killed'],
  'the agent is unknown': () => [
    ['kill', agent.replace(/.{12}$/, '000000000000'), ...owner()],
    3,
    'is not registered in this contract',
  ],
  'the order file is none': () => [['burn', 'bad.key', ...owner()], 2, 'bad.key'],
  'the configuration is no JSON': () => [['status', '--config', 'bad.key'], 2, 'is no JSON'],
}
const ended = new Map<string, Ended>()

beforeAll(async () => {
  chain = await startChain()
  relayer = await startStandIn(chain.rpc, chain.deployed.deployment)
  babble = createServer((_, response) => response.end('<html>It works!</html>'))
  await new Promise<void>((resolve) => babble.listen(0, '127.0.0.1', resolve))
  babbleUrl = `http://127.0.0.1:${(babble.address() as AddressInfo).port}`
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  dead = `http://127.0.0.1:${(gone.address() as AddressInfo).port}`
  await new Promise((resolve) => gone.close(resolve))
  // It stops at once and returns nothing.
  await chain.setCode(otherContract, '0x00')
  const [{ key }, stranger] = [await chain.newAccount(), await chain.newAccount()]
  file('owner.key', key)
  file('stranger.key', stranger.key)
  file('poor.key', generatePrivateKey())
  file('bad.key', 'not a key')
  const { json } = await run(['register', '--type', 'trader', '--count', '2', '--json', ...owner()], { cwd })
  const agents = json.agents as { spiffeId: string }[]
  agent = agents[0]?.spiffeId ?? ''
  killedAgent = agents[1]?.spiffeId ?? ''
  await run(['kill', killedAgent, ...owner()], { cwd })
  const waiting = Object.entries(cases)
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      ended.set(next[0], await killswitch(next[1]()[0]))
  }
  // As many as there are cores, while this process serves chain and relayer.
  await Promise.all([work(), work()])
})
afterAll(async () => {
  babble?.close()
  await relayer?.close()
  await chain?.close()
  rmSync(cwd, { recursive: true, force: true })
})

test.each(Object.keys(cases))('%s: one line and its exit code', (name) => {
  const { code, err } = ended.get(name) as Ended
  const [, expected, line] = (cases[name] as (typeof cases)[string])()
  expect(err).toContain(line)
  expect(err.startsWith('killswitch: ')).toBe(true)
  expect(err.trimEnd().split('\n')).toHaveLength(1)
  expect(err).not.toContain('this is a bug')
  expect(code).toBe(expected)
})

test('what is killed already can be killed again, and is said to be', async () => {
  const { code, out } = await killswitch(['kill', killedAgent, ...owner()])
  expect([code, out]).toEqual([0, expect.stringContaining('1 agent killed already; the kill counts anew')])
})
