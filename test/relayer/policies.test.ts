// Kill policies as a relayer goes by them, over HTTP, from a real chain: first sight, grant point, reorg, restart.
import { createWalletClient, type Hex, http } from 'viem'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killPoliciesBytecode } from '../../protocol/generated/killPoliciesBytecode.ts'
import { initialPolicy, type Limits } from '../../protocol/policy/killPolicy.ts'
import { policyWord, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import type { NodeOptions } from '../../relayer/node/options.ts'
import { accounts, startChain, startRelayer, type TestChain, type TestRelayer } from './world.ts'

type Policy = {
  readonly agentType: string | null
  readonly latest: { readonly version: number; readonly granted: boolean } | null
  readonly inForce: { readonly limits: Limits; readonly defaultVersion: number; readonly typeVersion: number }
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
const withFailures = (consecutiveFailures: number) => ({
  ...initialPolicy,
  limits: { ...initialPolicy.limits, consecutiveFailures },
})

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

async function setDefault(failures: number): Promise<void> {
  const hash = await wallet().writeContract({
    account: accounts.governance,
    address: killPolicies,
    abi: killPoliciesAbi,
    functionName: 'setDefault',
    args: [toPolicyStruct(withFailures(failures))],
  })
  await chain.client.waitForTransactionReceipt({ hash })
}

async function follow(change: Partial<NodeOptions>): Promise<TestRelayer> {
  const relayer = await startRelayer(chain, { killPolicies, ...change })
  stops.push(relayer.remove)
  return relayer
}

/** Waits until the relayer says this of a type: version of its own policy, granted, failures in a row in force. */
const says = (relayer: TestRelayer, path: string, expected: readonly [number, boolean, number]) =>
  vi.waitFor(
    async () => {
      const { latest, inForce } = await relayer.get<Policy>(path)
      expect([latest?.version, latest?.granted, inForce.limits.consecutiveFailures]).toEqual(expected)
    },
    { timeout: 20_000, interval: 50 },
  )

test('a vote moves the version; types tighten; every version is in the history', async () => {
  await deploy()
  const relayer = await follow({})
  await says(relayer, '/policies/_default', [1, true, 10])
  await setDefault(5)
  await says(relayer, '/policies/_default', [2, true, 5])
  const hash = await wallet().writeContract({
    account: accounts.governance,
    address: killPolicies,
    abi: killPoliciesAbi,
    functionName: 'setPolicy',
    args: [policyWord('worker'), toPolicyStruct(withFailures(3)), false],
  })
  const { blockNumber, blockHash } = await chain.client.waitForTransactionReceipt({ hash })
  await says(relayer, '/policies/worker', [1, true, 3])

  const { policies, contract } = await relayer.get<{ contract: Hex; policies: readonly Policy[] }>(
    '/policies',
  )
  expect(contract).toBe(killPolicies)
  expect(policies.map(({ agentType, latest }) => [agentType, latest?.version])).toEqual([
    [null, 2],
    ['worker', 1],
  ])
  const { versions } = await relayer.get<{ versions: readonly unknown[] }>('/policies/worker/history')
  expect(versions).toMatchObject([
    { version: 1, granted: true, block: { number: Number(blockNumber), hash: blockHash } },
  ])
  // A type without a policy of its own has the default's; what is no type is refused.
  expect((await relayer.get<Policy>('/policies/other')).inForce).toMatchObject({
    defaultVersion: 2,
    typeVersion: 0,
    limits: { consecutiveFailures: 5 },
  })
  expect((await fetch(`${relayer.url}/policies/Worker`)).status).toBe(400)
})

test('tighter at first sight, looser at the grant point, and a reorg takes back', async () => {
  await deploy()
  await chain.test.mine({ blocks: 6 })
  const relayer = await follow({ grantPoint: { kind: 'depth', blocks: 4 } })
  await says(relayer, '/policies/_default', [1, true, 10])
  await setDefault(3)
  await says(relayer, '/policies/_default', [2, false, 3])
  await setDefault(50)
  await says(relayer, '/policies/_default', [3, false, 3])
  await chain.test.mine({ blocks: 4 })
  await says(relayer, '/policies/_default', [3, true, 50])

  await setDefault(4)
  await says(relayer, '/policies/_default', [4, false, 4])
  await chain.test.request({ method: 'anvil_reorg', params: [1, []] } as never)
  await chain.test.mine({ blocks: 1 })
  await says(relayer, '/policies/_default', [3, true, 50])
})

test('a relayer that starts later reads what was decided before', async () => {
  await deploy()
  await setDefault(7)
  await setDefault(6)
  const relayer = await follow({})
  await says(relayer, '/policies/_default', [3, true, 6])
  const { versions } = await relayer.get<{ versions: readonly { version: number }[] }>(
    '/policies/_default/history',
  )
  expect(versions.map(({ version }) => version)).toEqual([1, 2, 3])
})

test('without policies it says so, and where there are none it goes on without them', async () => {
  const without = await follow({ killPolicies: null })
  const answer = await fetch(`${without.url}/policies`)
  expect([answer.status, await answer.json()]).toMatchObject([
    404,
    { type: 'https://killswitch.ai/problems/no-policies' },
  ])
  const elsewhere = await follow({ killPolicies: `0x${'99'.repeat(20)}` })
  const unread = await fetch(`${elsewhere.url}/policies`)
  expect([unread.status, await unread.json()]).toMatchObject([
    503,
    { type: 'https://killswitch.ai/problems/policies-unread' },
  ])
  expect((await fetch(`${elsewhere.url}/readyz`)).status).toBe(200)
})
