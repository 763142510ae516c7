// Kill policies as a relayer goes by them, over HTTP, from a real chain: first sight, grant point, reorg, restart; what it
// decides under them.
import { createWalletClient, type Hex, http } from 'viem'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killPoliciesBytecode } from '../../protocol/generated/killPoliciesBytecode.ts'
import { initialPolicy, type Limits } from '../../protocol/policy/killPolicy.ts'
import { defaultWord, policyWord, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import { systemClock } from '../../relayer/clock.ts'
import type { NodeOptions } from '../../relayer/node/options.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import { auditEntries } from './auditEntries.ts'
import { attest, attested } from './workload.ts'
import {
  accounts,
  killBody,
  newAgent,
  startChain,
  startRelayer,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  until,
} from './world.ts'

type Version = { readonly version: number; readonly granted: boolean }
type Numbers = { readonly seen: number | null; readonly granted: number | null }
type Policy = {
  readonly agentType: string | null
  readonly seen: Version | null
  readonly granted: Version | null
  readonly inForce: {
    readonly limits: Limits
    readonly versions: { readonly default: Numbers; readonly type: Numbers }
  }
}

let chain: TestChain
let killPolicies: Hex
const stops: (() => Promise<void>)[] = []
beforeAll(async () => {
  chain = await startChain()
})
afterAll(async () => {
  for (const stop of stops.reverse()) await stop()
  await chain?.stop()
})

const wallet = () => createWalletClient({ chain: chain.client.chain, transport: http(chain.rpc) })
const withLimits = (limits: Partial<Limits>) => ({
  ...initialPolicy,
  limits: { ...initialPolicy.limits, ...limits },
})
const withFailures = (consecutiveFailures: number) => withLimits({ consecutiveFailures })

/** A contract of its own for each test. */
async function deploy(): Promise<void> {
  const hash = await wallet().deployContract({
    account: accounts.governance,
    abi: killPoliciesAbi,
    bytecode: killPoliciesBytecode,
    args: [chain.contract, toPolicyStruct(initialPolicy)],
  })
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash })
  killPolicies = contractAddress?.toLowerCase() as Hex
}

/** The version that a vote on a policy names as the one that it replaces. */
async function versionOf(word: Hex): Promise<bigint> {
  const [, version] = await chain.client.readContract({
    address: killPolicies,
    abi: killPoliciesAbi,
    functionName: 'policyOf',
    args: [word],
  })
  return version
}

/** @returns the number of its block */
async function setDefault(change: number | Partial<Limits>): Promise<number> {
  const limits = typeof change === 'number' ? { consecutiveFailures: change } : change
  const hash = await wallet().writeContract({
    account: accounts.governance,
    address: killPolicies,
    abi: killPoliciesAbi,
    functionName: 'setDefault',
    args: [toPolicyStruct(withLimits(limits)), await versionOf(defaultWord)],
  })
  return Number((await chain.client.waitForTransactionReceipt({ hash })).blockNumber)
}

/** A policy of the type `worker`. @returns the transaction */
async function setWorkers(consecutiveFailures: number): Promise<Hex> {
  const word = policyWord('worker')
  return wallet().writeContract({
    account: accounts.governance,
    address: killPolicies,
    abi: killPoliciesAbi,
    functionName: 'setPolicy',
    args: [word, toPolicyStruct(withFailures(consecutiveFailures)), false, await versionOf(word)],
  })
}

async function follow(change: Partial<NodeOptions>): Promise<TestRelayer> {
  const relayer = await startRelayer(chain, { killPolicies, ...change })
  stops.push(relayer.remove)
  return relayer
}

/** Waits until the relayer says this of a type: version seen of its own policy, version granted, failures in a row in force. */
const says = (relayer: TestRelayer, path: string, expected: readonly [number, number | null, number]) =>
  vi.waitFor(
    async () => {
      const { agentType, seen, granted, inForce } = await relayer.get<Policy>(path)
      expect([seen?.version, granted?.version ?? null, inForce.limits.consecutiveFailures]).toEqual(expected)
      expect([granted?.granted ?? true, seen?.granted]).toEqual([true, expected[0] === expected[1]])
      const { default: base, type } = inForce.versions
      expect(agentType === null ? base : type).toEqual({ seen: expected[0], granted: expected[1] })
    },
    { timeout: 20_000, interval: 50 },
  )

test('a vote moves the version; types tighten; every version is in the history', async () => {
  await deploy()
  const relayer = await follow({})
  await says(relayer, '/policies/_default', [1, 1, 10])
  await setDefault(5)
  await says(relayer, '/policies/_default', [2, 2, 5])
  const hash = await setWorkers(3)
  const { blockNumber, blockHash } = await chain.client.waitForTransactionReceipt({ hash })
  await says(relayer, '/policies/worker', [1, 1, 3])

  const { policies, contract } = await relayer.get<{ contract: Hex; policies: readonly Policy[] }>(
    '/policies',
  )
  expect(contract).toBe(killPolicies)
  expect(policies.map(({ agentType, seen }) => [agentType, seen?.version])).toEqual([
    [null, 2],
    ['worker', 1],
  ])
  const { versions } = await relayer.get<{ versions: readonly unknown[] }>('/policies/worker/history')
  expect(versions).toMatchObject([
    { version: 1, granted: true, block: { number: Number(blockNumber), hash: blockHash } },
  ])
  // A type without a policy of its own has the default's; what is no type is refused.
  expect((await relayer.get<Policy>('/policies/other')).inForce).toMatchObject({
    versions: { default: { seen: 2, granted: 2 }, type: { seen: null, granted: null } },
    limits: { consecutiveFailures: 5 },
  })
  expect((await fetch(`${relayer.url}/policies/Worker`)).status).toBe(400)
})

test('tighter at first sight, looser at the grant point, and a reorg takes back', async () => {
  await deploy()
  await chain.test.mine({ blocks: 6 })
  const relayer = await follow({ grantPoint: { kind: 'depth', blocks: 4 } })
  await says(relayer, '/policies/_default', [1, 1, 10])
  await setDefault(3)
  await says(relayer, '/policies/_default', [2, 1, 3])
  await setDefault(50)
  await says(relayer, '/policies/_default', [3, 1, 3])
  await chain.test.mine({ blocks: 4 })
  await says(relayer, '/policies/_default', [3, 3, 50])

  await setDefault(4)
  await says(relayer, '/policies/_default', [4, 3, 4])
  await chain.test.request({ method: 'anvil_reorg', params: [1, []] } as never)
  await chain.test.mine({ blocks: 1 })
  await says(relayer, '/policies/_default', [3, 3, 50])

  await setWorkers(20)
  await says(relayer, '/policies/worker', [1, null, 20])
  await chain.test.mine({ blocks: 4 })
  await says(relayer, '/policies/worker', [1, 1, 20])
})

test('a relayer that starts later reads what was decided before', async () => {
  await deploy()
  await setDefault(7)
  await setDefault(6)
  const relayer = await follow({})
  await says(relayer, '/policies/_default', [3, 3, 6])
  const { versions } = await relayer.get<{ versions: readonly { version: number }[] }>(
    '/policies/_default/history',
  )
  expect(versions.map(({ version }) => version)).toEqual([1, 2, 3])
})

/** A node that gives the logs of everything but the policies. */
async function withoutPolicyLogs(): Promise<string> {
  const proxy = await startRpcProxy(chain.rpc, async ({ method, params }) =>
    method === 'eth_getLogs' && (params[0] as { address?: string }).address === killPolicies
      ? { error: { code: -32_000, message: 'logs are pruned' } }
      : null,
  )
  stops.push(proxy.stop)
  return proxy.url
}

test('without policies it says so, and where they cannot be read it goes on without them', async () => {
  await deploy()
  const without = await follow({ killPolicies: null })
  const answer = await fetch(`${without.url}/policies`)
  expect([answer.status, await answer.json()]).toMatchObject([
    404,
    { type: 'https://killswitch.ai/problems/no-policies' },
  ])
  const unreadable = await follow({ rpcs: [await withoutPolicyLogs()] })
  const unread = await fetch(`${unreadable.url}/policies`)
  expect([unread.status, await unread.json()]).toMatchObject([
    503,
    { type: 'https://killswitch.ai/problems/policies-unread' },
  ])
  expect((await fetch(`${unreadable.url}/readyz`)).status).toBe(200)
})

type Standing = {
  readonly readTo: { readonly number: number; readonly hash: Hex }
  readonly grantedTo: { readonly number: number } | null
  readonly failure: string | null
}
const metric = async (relayer: TestRelayer, name: string) =>
  new RegExp(`^killswitch_policies_${name} (\\S+)$`, 'm').exec(
    await (await fetch(`${relayer.url}/metrics`)).text(),
  )?.[1]

test('every answer says how old it may be, and a dead node is no good news', async () => {
  await deploy()
  let dead = false
  const proxy = await startRpcProxy(chain.rpc, async () => {
    if (dead) throw new Error('down')
    return null
  })
  stops.push(proxy.stop)
  const blocks = 2
  await chain.test.mine({ blocks })
  let passed = 0
  const relayer = await follow({
    ...{ rpcs: [proxy.url], grantPoint: { kind: 'depth', blocks }, maxBlind: 600_000 },
    clock: { ...systemClock, wall: () => systemClock.wall() + passed },
  })
  const standings = () =>
    Promise.all(
      ['/policies', '/policies/_default', '/policies/worker/history'].map((path) =>
        relayer.get<Standing>(path),
      ),
    )
  await chain.test.mine({ blocks: 1 })
  const { number, hash } = await chain.client.getBlock()
  await until('the reading of the head', async () => (await metric(relayer, 'read_block')) === `${number}`)
  for (const standing of await standings())
    expect(standing).toMatchObject({
      readTo: { number: Number(number), hash },
      grantedTo: { number: Number(number) - blocks },
      failure: null,
    })
  expect(await metric(relayer, 'failing')).toBe('0')

  dead = true
  passed = 600_001
  expect(await metric(relayer, 'failing')).toBe('1')
  for (const standing of await standings())
    expect(standing).toMatchObject({ readTo: { hash }, failure: expect.stringMatching(/no new block after/) })

  dead = false
  await chain.test.mine({ blocks: 1 })
  await until('sight', async () => (await metric(relayer, 'failing')) === '0')
})

test('a vote whose logs a node has lost is found with the next one', async () => {
  await deploy()
  let lost = false
  const proxy = await startRpcProxy(chain.rpc, async ({ method, params }) =>
    lost && method === 'eth_getLogs' && (params[0] as { address?: string }).address === killPolicies
      ? { result: [] }
      : null,
  )
  stops.push(proxy.stop)
  const relayer = await follow({ rpcs: [proxy.url] })
  await says(relayer, '/policies/_default', [1, 1, 10])
  lost = true
  const second = await setDefault(5)
  await until('its block', async () => (await metric(relayer, 'read_block')) === `${second}`)
  await says(relayer, '/policies/_default', [1, 1, 10])
  lost = false
  await setDefault(4)
  await says(relayer, '/policies/_default', [3, 3, 4])
  const { versions } = await relayer.get<{ versions: readonly { version: number }[] }>(
    '/policies/_default/history',
  )
  expect(versions.map(({ version }) => version)).toEqual([1, 2, 3])
})

/** A cool-down of rank Owner of the test chain's KillSwitch, in seconds. */
const cooldown = 3600

type Problem = { readonly type: string; readonly retryAt?: number }
const refusal = async (relayer: TestRelayer, agent: TestAgent) => {
  const { response } = await attest(relayer, agent)
  const { type, retryAt } = (await response.json()) as Problem
  const header = response.headers.get('retry-after')
  return { status: response.status, slug: type?.split('/').at(-1), retryAt, header }
}
const stateOf = async (relayer: TestRelayer, { uuid }: TestAgent) =>
  (await relayer.get<{ state: string }>(`/agents/${uuid}`)).state

/** Kills and resumes an agent as soon as the KillSwitch lets it. @returns when it was requested, in Unix seconds */
async function killAndResume(relayer: TestRelayer, agent: TestAgent, mined: number): Promise<number> {
  const target = [Scope.Agent, agentTarget(agent.uuid).subject] as const
  await chain.send(accounts.alice, 'kill', [...target, 2, ''])
  await until('the kill', async () => (await stateOf(relayer, agent)) !== 'alive')
  const { blockHash } = await chain.send(accounts.alice, 'requestResume', target)
  const { timestamp } = await chain.client.getBlock({ blockHash })
  await chain.test.setNextBlockTimestamp({ timestamp: timestamp + BigInt(cooldown) })
  await chain.send(accounts.alice, 'resume', target)
  if (mined > 0) await chain.test.mine({ blocks: mined, interval: 1 })
  await until('the resume', async () => (await stateOf(relayer, agent)) === 'alive')
  return Number(timestamp)
}

describe('the resume cool-down', () => {
  test('of the policy in force, where it is longer than the KillSwitch’s, is waited for to the second', async () => {
    await deploy()
    const relayer = await follow({})
    const agent = await newAgent(chain, relayer)
    await attested(relayer, agent)
    await setDefault({ resumeCooldown: 7200 })
    await says(relayer, '/policies/_default', [2, 2, 10])
    const from = (await killAndResume(relayer, agent, 0)) + 7200
    const refused = {
      ...{ status: 403, slug: 'resume-cooling-down', retryAt: from * 1000 },
      header: new Date(from * 1000).toUTCString(),
    }
    expect(await refusal(relayer, agent)).toEqual(refused)
    for (const [after, expected] of [
      [-1, 403],
      [0, 200],
      [1, 200],
    ] as const) {
      await chain.test.setNextBlockTimestamp({ timestamp: BigInt(from + after) })
      await chain.test.mine({ blocks: 1 })
      const height = Number(await chain.client.getBlockNumber({ cacheTime: 0 }))
      await until('the block', async () =>
        (await (await fetch(`${relayer.url}/metrics`)).text()).includes(`grant_point_block ${height}\n`),
      )
      expect([after, (await refusal(relayer, agent)).status]).toEqual([after, expected])
    }
  })

  test('is lengthened at first sight and shortened at the grant point', async () => {
    await deploy()
    const blocks = 4
    await chain.test.mine({ blocks, interval: 1 })
    const relayer = await follow({ grantPoint: { kind: 'depth', blocks } })
    const agent = await chain.register(accounts.alice)
    await chain.test.mine({ blocks, interval: 1 })
    await until('the agent', async () => (await stateOf(relayer, agent)) === 'alive')
    await killAndResume(relayer, agent, blocks)
    await setDefault({ resumeCooldown: 7200, consecutiveFailures: 5 })
    await says(relayer, '/policies/_default', [2, 1, 5])
    expect(await refusal(relayer, agent)).toMatchObject({ slug: 'resume-cooling-down' })
    await setDefault({ consecutiveFailures: 4 })
    await says(relayer, '/policies/_default', [3, 1, 4])
    expect(await refusal(relayer, agent)).toMatchObject({ slug: 'resume-cooling-down' })
    await chain.test.mine({ blocks, interval: 1 })
    await says(relayer, '/policies/_default', [3, 3, 4])
    await attested(relayer, agent)
  })

  test('that cannot be read holds back who was resumed, and nobody else', async () => {
    await deploy()
    const relayer = await follow({ rpcs: [await withoutPolicyLogs()] })
    const [agent, other] = [await newAgent(chain, relayer), await newAgent(chain, relayer)]
    await killAndResume(relayer, agent, 0)
    expect(await refusal(relayer, agent)).toMatchObject({ status: 503, slug: 'policies-unread' })
    await attested(relayer, other)
    const without = await follow({ killPolicies: null })
    await until('the agent', async () => (await stateOf(without, agent)) === 'alive')
    await attested(without, agent)
  })
})

test('decisions name the policy that they were taken under; what follows from them does not', async () => {
  // Of its own: orders are dated by the wall clock, and the other chain was sent into the future.
  const before = { chain, killPolicies }
  chain = await startChain()
  try {
    await deploy()
    const first = Number(await chain.client.getBlockNumber({ cacheTime: 0 }))
    const relayer = await follow({})
    const agent = await newAgent(chain, relayer)
    await says(relayer, '/policies/_default', [1, 1, 10])
    await attested(relayer, agent)
    const second = await setDefault(5)
    await says(relayer, '/policies/_default', [2, 2, 5])
    const hash = await setWorkers(3)
    const third = Number((await chain.client.waitForTransactionReceipt({ hash })).blockNumber)
    await says(relayer, '/policies/worker', [1, 1, 3])

    const stranger = await killBody(chain.deployment, accounts.stranger, agent)
    expect((await relayer.post('/api/kill', stranger)).status).toBe(403)
    const body = await killBody(chain.deployment, accounts.alice, agent)
    const { killId } = (await (await relayer.post('/api/kill', body)).json()) as { killId: string }
    await until(
      'the final kill',
      async () => (await relayer.get<{ state: string }>(`/kills/${killId}`)).state === 'final',
    )
    expect((await attest(relayer, agent)).response.status).toBe(403)
    await chain.send(accounts.council, 'kill', [Scope.Fleet, `0x${'0'.repeat(64)}`, 5, ''])
    await until('the kill of the fleet', async () =>
      (await relayer.get<{ kills: { scope: string }[] }>('/kills')).kills.some(
        ({ scope }) => scope === 'Fleet',
      ),
    )
    await relayer.stop()

    const entries = auditEntries(relayer)
    const policies = (action: string) =>
      entries.filter((entry) => entry.action === action).map(({ policy }) => policy)
    const at = (block: number) => ({ block, grantedBlock: block })
    const own = { default: 2, type: 1, ...at(third) }
    expect(second).toBeLessThan(third)
    expect(policies('SVID attested')).toEqual([{ default: 1, type: null, ...at(first) }])
    expect(policies('order refused')).toEqual([own])
    expect(policies('kill')).toEqual([own, { default: 2, type: null, ...at(third) }])
    expect(policies('SVID refused')).toEqual([own])
    expect(entries.filter(({ policy }) => policy !== undefined)).toHaveLength(5)
  } finally {
    await chain.stop()
    ;({ chain, killPolicies } = before)
  }
})
