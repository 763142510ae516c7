import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import {
  accounts,
  killBody,
  startChain,
  startRelayer,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  until,
} from './world.ts'

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain?.stop())
beforeEach(async () => {
  agent = await chain.register(accounts.alice)
})
afterEach(() => relayer?.remove())

const begin = async (change: Parameters<typeof startRelayer>[1]) => {
  relayer = await startRelayer(chain, change)
}
const post = async (path: string, body: unknown) => {
  const response = await fetch(`${relayer.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  expect(response.status).toBe(202)
  return (await response.json()) as { killId: string }
}
type View = {
  id: string
  state: string
  timeline: {
    txHash: string | null
    sendError: string | null
    orphanedFrom: number | null
    rebroadcast: { error: string | null } | null
  }
}
const view = async (id: string) => (await (await fetch(`${relayer.url}/kills/${id}`)).json()) as View
const pending = async () =>
  ((await (await fetch(`${relayer.url}/kills?pending=chain`)).json()) as { kills: View[] }).kills

test("beyond a wallet's gas budget an order is enforced and visibly owed to the chain; the council's lands", async () => {
  await begin({ gasBudget: 0 })
  const { killId } = await post('/api/kill', await killBody(chain.deployment, accounts.alice, agent))
  const owed = await until('the reason', async () =>
    (await pending()).find((kill) => kill.id === killId && kill.timeline.sendError !== null),
  )
  expect(owed.state).toBe('enforced')
  expect(owed.timeline.sendError).toContain('gas budget of 0 landings an hour')

  const other = await post('/api/kill', await killBody(chain.deployment, accounts.council, agent))
  await until('the landing', async () => (await view(other.killId)).state === 'final')
  expect((await pending()).map((kill) => kill.id)).toEqual([killId])
  expect((await chain.client.getTransactionCount({ address: accounts.gas.address })) > 0).toBe(true)
})

test('a kill by transaction that a reorg took back is sent again by the relayer, and says so', async () => {
  let asked = 0
  const proxy = await startRpcProxy(chain.rpc, async ({ method }, forward) => {
    if (method !== 'eth_getTransactionByHash') return null
    const result = await forward()
    asked += 1
    return { result }
  })
  onTestFinished(proxy.stop)
  await begin({ rpcs: [proxy.url], gasAccount: null, grantPoint: { kind: 'depth', blocks: 20 } })
  const receipt = await chain.send(accounts.alice, 'kill', [
    Scope.Agent,
    agentTarget(agent.uuid).subject,
    1,
    'by transaction',
  ])
  const all = async () => ((await (await fetch(`${relayer.url}/kills`)).json()) as { kills: View[] }).kills
  const kill = await until('the kill', async () =>
    (await all()).find((one) => one.timeline.txHash === receipt.transactionHash),
  )
  await until('its transaction to be kept', async () => asked > 0)
  await chain.test.request({ method: 'anvil_reorg', params: [1, []] } as never)
  const again = await until('the landing', async () => {
    const now = await view(kill.id)
    return now.state === 'on chain' && now.timeline.rebroadcast !== null && now
  })
  expect(again.timeline).toMatchObject({
    txHash: receipt.transactionHash,
    orphanedFrom: null,
    rebroadcast: { error: null },
  })
})

test('why a dropped kill was withdrawn is shown, and told as it happens', async () => {
  const proxy = await startRpcProxy(chain.rpc, async ({ method }) =>
    method === 'eth_sendRawTransaction' ? { error: { code: -32_000, message: 'nonce too low' } } : null,
  )
  onTestFinished(proxy.stop)
  await begin({ rpcs: [proxy.url], gasAccount: null, grantPoint: { kind: 'depth', blocks: 2 } })
  const watching = new AbortController()
  onTestFinished(() => watching.abort())
  const stream = await fetch(`${relayer.url}/kills/stream`, { signal: watching.signal })
  const { transactionHash } = await chain.send(accounts.alice, 'kill', [
    Scope.Agent,
    agentTarget(agent.uuid).subject,
    1,
    'by transaction',
  ])
  const kill = await until('the kill', async () =>
    ((await (await fetch(`${relayer.url}/kills`)).json()) as { kills: View[] }).kills.find(
      (one) => one.timeline.txHash === transactionHash,
    ),
  )
  await chain.test.request({ method: 'anvil_reorg', params: [1, []] } as never)
  const withdrawn = await until('the withdrawal', async () => {
    await chain.test.mine({ blocks: 1 })
    const now = await view(kill.id)
    return now.state === 'withdrawn' && now
  })
  expect(withdrawn.timeline).toMatchObject({
    withdrawnBecause: 'dropped by a reorg',
    rebroadcast: { done: true },
  })
  let told = ''
  for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
    told += new TextDecoder().decode(chunk)
    if (told.includes('"withdrawnBecause":"dropped by a reorg"')) break
  }
})

test('a restart neither forgets nor repeats a transaction that is not mined yet', async () => {
  await chain.test.setAutomine(false)
  const before = await chain.client.getTransactionCount({ address: accounts.gas.address })
  await begin({})
  const { killId } = await post('/api/kill', await killBody(chain.deployment, accounts.alice, agent))
  const sent = await until('the transaction', async () => (await view(killId)).timeline.txHash)
  await relayer.stop()
  relayer = await startRelayer(chain, { data: relayer.data })
  await chain.test.mine({ blocks: 1 })
  await until('the landing', async () => (await view(killId)).state === 'final')
  expect((await view(killId)).timeline.txHash).toBe(sent)
  await chain.test.setAutomine(true)
  expect(await chain.client.getTransactionCount({ address: accounts.gas.address })).toBe(before + 1)
})

test("the gas key's balance is among the metrics", async () => {
  await begin({})
  const metrics = await until('the balance', async () => {
    const text = await (await fetch(`${relayer.url}/metrics`)).text()
    return text.includes('killswitch_gas_balance_wei ') && text
  })
  expect(metrics).toMatch(/^killswitch_gas_low 0$/m)
  expect(Number(/^killswitch_gas_balance_wei (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(1e20)
})
