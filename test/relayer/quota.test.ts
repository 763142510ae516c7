// Quotas of a real Subscriptions contract, and what they stop: new agents, nothing else.
import { createWalletClient, type Hex, http } from 'viem'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { killswitchTokenBytecode } from '../../protocol/generated/killswitchTokenBytecode.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import { subscriptionsBytecode } from '../../protocol/generated/subscriptionsBytecode.ts'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import type { NodeOptions } from '../../relayer/node/options.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import { auditEntries } from './auditEntries.ts'
import { makeKey } from './makeKey.ts'
import { attest, attested, postAs, type Workload } from './workload.ts'
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

const { alice, bob, governance } = accounts
let chain: TestChain
let token: Hex
let subscriptions: Hex
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain?.stop())
beforeEach(async () => {
  token = await deploy(killswitchTokenAbi, killswitchTokenBytecode, [alice.address, 10n ** 24n])
  subscriptions = await deploy(subscriptionsAbi, subscriptionsBytecode, [
    ...[chain.contract, token, token, 1],
    ...[{ interval: 1, samples: 3 }, 2],
  ])
  return async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  }
})

const wallet = () => createWalletClient({ chain: chain.client.chain, transport: http(chain.rpc) })

async function deploy(abi: unknown, bytecode: Hex, args: readonly unknown[]): Promise<Hex> {
  const hash = await wallet().deployContract({
    ...{ account: governance, abi, bytecode, args },
  } as unknown as Parameters<ReturnType<typeof wallet>['deployContract']>[0])
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash })
  return contractAddress?.toLowerCase() as Hex
}

async function call(account: typeof alice, address: Hex, functionName: string, args: readonly unknown[]) {
  const abi = address === token ? killswitchTokenAbi : subscriptionsAbi
  const hash = await wallet().writeContract({
    // What past balances cost to read depends on the second, so no estimate is good for the next block.
    ...{ account, address, abi, functionName, args, gas: 1_000_000n },
  } as unknown as Parameters<ReturnType<typeof wallet>['writeContract']>[0])
  const { status } = await chain.client.waitForTransactionReceipt({ hash })
  expect(status, functionName).toBe('success')
}

const setFreeQuota = (quota: number) => call(governance, subscriptions, 'setFreeQuota', [quota])

async function start(change: Partial<NodeOptions> = {}): Promise<TestRelayer> {
  const relayer = await startRelayer(chain, { subscriptions, ...change })
  stops.push(relayer.remove)
  return relayer
}

/** Agents of Alice alone, so that no test finds another's: each begins with a wallet's worth of new agents. */
const agents = async (relayer: TestRelayer, count: number): Promise<readonly TestAgent[]> => {
  const made: TestAgent[] = []
  for (let i = 0; i < count; i++) made.push(await newAgent(chain, relayer, alice))
  return made
}

const status = async (relayer: TestRelayer, agent: TestAgent) =>
  (await attest(relayer, agent)).response.status
const renewal = async (relayer: TestRelayer, workload: Workload) =>
  (await postAs(relayer, workload, '/svid/renew', { csr: (await makeKey()).csr })).status
const stateOf = async (relayer: TestRelayer, { uuid }: TestAgent) =>
  (await relayer.get<{ state: string }>(`/agents/${uuid}`)).state
const havePlaces = (relayer: TestRelayer, all: readonly TestAgent[]) =>
  Promise.all(
    all.map(async ({ uuid }) => (await relayer.get<{ hasPlace: boolean }>(`/agents/${uuid}`)).hasPlace),
  )
const metric = async (relayer: TestRelayer, name: string) =>
  new RegExp(`^killswitch_${name} (\\S+)$`, 'm').exec(
    await (await fetch(`${relayer.url}/metrics`)).text(),
  )?.[1]

const target = ({ uuid }: TestAgent) => [Scope.Agent, agentTarget(uuid).subject] as const

// First: an order is dated by the wall clock, and lands only while the chain has not been sent into the future.
test('kill and resume in turn give no more places, and a kill that may be withdrawn frees none', async () => {
  await setFreeQuota(1)
  const grantPoint = { kind: 'depth', blocks: 3 } as const
  let relayer = await start({ grantPoint })
  const granted = () => chain.test.mine({ blocks: 3 })
  const [one, two] = [await chain.register(alice), await chain.register(alice)]
  await granted()
  for (const agent of [one, two])
    await until('the agents', async () => (await stateOf(relayer, agent)) === 'alive')
  await attested(relayer, one)

  const order = await relayer.post('/api/kill', await killBody(chain.deployment, alice, one))
  expect(order.status).toBe(202)
  expect(await status(relayer, two)).toBe(402)
  const { killId } = (await order.json()) as { killId: string }
  const kill = () => relayer.get<{ state: string }>(`/kills/${killId}`)
  await until('the kill on chain', async () => (await kill()).state !== 'enforced')
  await granted()
  await until('the final kill', async () => (await kill()).state === 'final')
  expect(await havePlaces(relayer, [one, two])).toEqual([true, false])
  await attested(relayer, two)
  expect(await havePlaces(relayer, [one, two])).toEqual([false, true])

  await chain.send(alice, 'requestResume', target(one))
  await chain.test.increaseTime({ seconds: 3601 })
  await chain.send(alice, 'resume', target(one))
  await granted()
  await until('the resume', async () => (await stateOf(relayer, one)) === 'alive')
  expect([await status(relayer, one), await status(relayer, two)]).toEqual([402, 200])
  await relayer.stop()
  relayer = await start({ grantPoint, data: relayer.data })
  expect([await status(relayer, one), await status(relayer, two)]).toEqual([402, 200])
})

test('a filled quota refuses a new agent and says why, until its owner subscribes', async () => {
  const relayer = await start()
  const [one, two, three] = (await agents(relayer, 3)) as [TestAgent, TestAgent, TestAgent]
  const workload = await attested(relayer, one)
  await attested(relayer, two)
  const { response } = await attest(relayer, three)
  const owner = alice.address.toLowerCase()
  expect([response.status, await response.json()]).toEqual([
    402,
    {
      type: 'https://killswitch.ai/problems/quota-filled',
      title: "The owner's quota is filled",
      status: 402,
      detail: expect.stringMatching(
        new RegExp(`^${owner} may enrol 2 agents and has 2 enrolled here; subscribe .*, or kill another`),
      ),
      field: 'owner',
      value: owner,
    },
  ])
  expect(await metric(relayer, 'quota_filled_total')).toBe('1')
  // Another owner's quota is another.
  await attested(relayer, await newAgent(chain, relayer, bob))

  await call(governance, subscriptions, 'setPlan', [
    1,
    { price: 10n, period: 3600, agentQuota: 3, offered: true },
  ])
  await call(alice, token, 'approve', [subscriptions, 10n])
  await call(alice, subscriptions, 'subscribe', [1, 1, 10n])
  await until('the new quota', async () => (await status(relayer, three)) === 200)

  // What was enrolled stays, though the subscription ends and nobody new would come in.
  await chain.test.increaseTime({ seconds: 3601 })
  await setFreeQuota(0)
  const four = await newAgent(chain, relayer, alice)
  await until('the old quota', async () => (await status(relayer, four)) === 402)
  expect(await renewal(relayer, workload)).toBe(200)
  for (const agent of [one, two, three]) expect(await status(relayer, agent)).toBe(200)

  await relayer.stop()
  const refusals = auditEntries(relayer).filter(({ action }) => action === 'SVID refused')
  expect(refusals[0]).toMatchObject({
    spiffeId: three.spiffeId,
    detail: { kind: 'quota filled', field: 'owner', value: owner },
  })
  const [, , first] = auditEntries(relayer).filter(({ action }) => action === 'SVID attested')
  expect(first).toMatchObject({ detail: { place: { quota: 2, displaced: null } } })
})

test('of many that come at once as many are let in as there are places', async () => {
  await setFreeQuota(3)
  const relayer = await start()
  const all = await agents(relayer, 8)
  const statuses = await Promise.all(all.map((agent) => status(relayer, agent)))
  expect(statuses.toSorted()).toEqual([200, 200, 200, 402, 402, 402, 402, 402])
})

test('a restart knows who has a place, also of agents that came before quotas were asked', async () => {
  await setFreeQuota(1)
  let relayer = await start({ subscriptions: null })
  const [one, two, three] = (await agents(relayer, 3)) as [TestAgent, TestAgent, TestAgent]
  await attested(relayer, one)
  await attested(relayer, two)
  expect(await metric(relayer, 'quota_failing')).toBeUndefined()
  await relayer.stop()
  relayer = await start({ data: relayer.data })
  expect([await status(relayer, one), await status(relayer, two)]).toEqual([200, 200])
  expect(await status(relayer, three)).toBe(402)
})

test('who cannot be asked stops nobody: the last answer holds, and without one every agent is let in', async () => {
  await setFreeQuota(1)
  let silent = false
  const proxy = await startRpcProxy(chain.rpc, async ({ method, params }) =>
    silent && method === 'eth_call' && (params[0] as { to: string }).to === subscriptions
      ? { error: { code: -32_000, message: 'missing trie node' } }
      : null,
  )
  const relayer = await start({ rpcs: [proxy.url] })
  stops.splice(-1, 0, proxy.stop)
  const [one, two] = (await agents(relayer, 2)) as [TestAgent, TestAgent]
  await attested(relayer, one)
  expect(await metric(relayer, 'quota_failing')).toBe('0')
  silent = true
  const others = await newAgent(chain, relayer, bob)
  expect(await status(relayer, two)).toBe(402)
  expect(await status(relayer, others)).toBe(200)
  expect([await metric(relayer, 'quota_failing'), await metric(relayer, 'quota_unknown_total')]).toEqual([
    '1',
    '1',
  ])
})
