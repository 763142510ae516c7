// The command line against the real relayer: the same words on both ends of the wire.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RelayerNode, startNode } from '../../relayer/node.ts'
import { startChain, type TestChain, trustDomain } from './support/chain.ts'
import { run } from './support/run.ts'

let chain: TestChain
let relayer: RelayerNode
const cwd = mkdtempSync(path.join(tmpdir(), 'killswitch-cli-relayer-'))

beforeAll(async () => {
  chain = await startChain()
  const gas = await chain.newAccount()
  const owner = await chain.newAccount()
  writeFileSync(path.join(cwd, 'owner.key'), owner.key, { mode: 0o600 })
  relayer = await startNode({
    rpcs: [chain.rpc],
    deployment: chain.deployed.deployment,
    startBlock: 0,
    grantPoint: { kind: 'depth', blocks: 0 },
    trustDomain,
    data: path.join(cwd, 'relayer'),
    listen: { host: '127.0.0.1', port: 0 },
    mtlsListen: { host: '127.0.0.1', port: 0 },
    hosts: ['127.0.0.1'],
    gasAccount: gas.account,
    limits: {
      requestsPerSecond: 1_000,
      connectionsPerAddress: 1_000,
      connections: 10_000,
      proxies: [],
    },
    peers: [],
    // The least cool-down of the contract allows no more.
    svidLife: 60_000,
    maxBlind: 600_000,
    pollInterval: 50,
    // The tests run in the same event loop.
    overloaded: () => false,
    log: pino({ level: 'silent' }),
  })
})
afterAll(async () => {
  await relayer?.stop()
  await chain?.close()
  rmSync(cwd, { recursive: true, force: true })
})

const cli = (...args: string[]) => {
  const env = {
    KILLSWITCH_RPC: chain.rpc,
    KILLSWITCH_CONTRACT: chain.deployed.deployment.contract,
    KILLSWITCH_RELAYER: relayer.url,
    KILLSWITCH_KEY_FILE: 'owner.key',
  }
  return run([...args, '--json'], { cwd, env })
}

async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`waited 10 s in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function register(count: number): Promise<string[]> {
  const { json } = await cli('register', '--type', 'trader', '--count', String(count))
  const ids = (json.agents as { spiffeId: string }[]).map(({ spiffeId }) => spiffeId)
  await until('the relayer knows the agents', async () => {
    const all = await cli('agents')
    const known = (all.json.agents as { spiffeId: string; relayer: unknown }[]).filter(
      (one) => one.relayer !== null,
    )
    return ids.every((id) => known.some(({ spiffeId }) => spiffeId === id))
  })
  return ids
}

test('one by signature, one by transaction, the rest by emergency kill, and back again', async () => {
  const [first, second, third] = (await register(3)) as [string, string, string]
  const signed = await cli('kill', first, '--reason', 'compromised', '--text', 'key leaked')
  expect(signed.code).toBe(0)
  expect(signed.json).toMatchObject({
    by: 'signature',
    kill: { reason: 1, text: 'key leaked', scope: 'Agent' },
  })
  // The relayer lands the order by itself.
  await until('the order is on chain', async () => (await cli('status', first)).json.killed === true)
  const watched = await cli('watch', signed.json.killId as string, '--wait', '10')
  expect(watched.json).toMatchObject({ kill: { timeline: { txHash: expect.stringMatching(/^0x/) } } })

  const sent = await cli('kill', second, '--by', 'transaction')
  expect(sent.code).toBe(0)
  expect(sent.json).toMatchObject({ by: 'transaction', confirmed: true, kill: { origin: 'block' } })

  const all = await cli('kill', '--all')
  expect(all.code).toBe(0)
  expect(all.json).toMatchObject({
    by: 'signature',
    scope: 'Owner',
    agents: [third],
    kill: { scope: 'Owner' },
  })
  await until('the wallet is killed on chain', async () => (await cli('status', third)).json.killed === true)

  expect((await cli('resume', third, '--request')).code).toBe(0)
  await chain.pass(600)
  expect((await cli('resume', third)).json).toMatchObject({ ok: true, killed: false })
  const refused = await cli('kill', `spiffe://${trustDomain}/trader/0198c0de-0000-8000-8000-000000000001`)
  expect(refused.code).toBe(3)
})

test('what the real relayer refuses comes back as its problem', async () => {
  // A wallet without agents cannot use the relayer's gas.
  const stranger = await chain.newAccount()
  writeFileSync(path.join(cwd, 'stranger.key'), stranger.key, { mode: 0o600 })
  const { code, json } = await cli('kill', '--all', '--key-file', 'stranger.key')
  expect(code).toBe(3)
  expect(json).toMatchObject({
    ok: false,
    problem: { type: expect.stringContaining('killswitch.ai/problems/') },
  })
})
