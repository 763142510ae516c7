// A relayer that is restored from an older copy of its data folder (docs/operator.md, Back up and restore).
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { createFeedReader } from '../../protocol/feed/reader.ts'
import { agentTarget, Scope, targetKey } from '../../protocol/scope.ts'
import { createEd25519Verify } from '../../sdk/client/ed25519.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import {
  accounts,
  killBody,
  newAgent,
  startChain,
  startRelayer,
  type TestAgent,
  type TestChain,
  until,
} from '../relayer/world.ts'
import { post } from './support/workload.ts'

let chain: TestChain
const home = mkdtempSync(path.join(tmpdir(), 'killswitch-backup-'))
beforeAll(async () => {
  chain = await startChain()
})
afterAll(async () => {
  await chain?.stop()
  rmSync(home, { recursive: true, force: true })
})

const clocks = () => ({ wall: Date.now(), monotonic: performance.now() })

test('a restored relayer begins a new epoch, learns from the chain what it forgot, and un-revokes nothing that is final', async () => {
  const data = path.join(home, 'data')
  const backup = path.join(home, 'backup')
  // Without gas: an order stays with whoever has it until somebody lands it.
  const options = { data, gasAccount: null }
  let relayer = await startRelayer(chain, options)
  onTestFinished(() => relayer.stop())
  const [before, after, ordered] = [
    await newAgent(chain, relayer),
    await newAgent(chain, relayer),
    await newAgent(chain, relayer),
  ]
  const reader = createFeedReader({
    relayer: relayer.relayer,
    deployment: deploymentId(chain.deployment),
    maxStaleness: 15_000,
    verify: createEd25519Verify(),
  })
  const takeSnapshot = async (url: string) =>
    reader.takeSnapshot(await (await fetch(`${url}/revocations`)).text(), clocks())
  const row = (agent: TestAgent) => reader.table.get(targetKey(agentTarget(agent.uuid)))
  const kill = (agent: TestAgent) =>
    chain.send(accounts.alice, 'kill', [Scope.Agent, agentTarget(agent.uuid).subject, 1, 'by transaction'])
  const final = (agent: TestAgent) =>
    until('finality', async () => {
      await takeSnapshot(relayer.url)
      return row(agent)?.provisional === false
    })

  await kill(before)
  await final(before)
  await relayer.stop()
  cpSync(data, backup, { recursive: true })

  relayer = await startRelayer(chain, options)
  await kill(after)
  await final(after)
  const order = await killBody(chain.deployment, accounts.alice, ordered)
  expect((await post(relayer.url, '/api/kill', order))?.status).toBe(202)
  await takeSnapshot(relayer.url)
  expect(row(ordered)).toMatchObject({ provisional: true })
  const then = { position: reader.position(), finalSequence: row(after)?.finalSequence ?? 0 }
  expect(then.finalSequence).toBeGreaterThan(0)
  await relayer.stop()

  rmSync(data, { recursive: true })
  cpSync(backup, data, { recursive: true })
  let down = true
  const proxy = await startRpcProxy(chain.rpc, async () =>
    down ? { error: { code: -32_000, message: 'out of order' } } : null,
  )
  onTestFinished(proxy.stop)
  const listen = { host: '127.0.0.1', port: Number(new URL(relayer.url).port) }
  const starting = startRelayer(chain, { ...options, rpcs: [proxy.url], listen })
  try {
    // As it was at the backup, before it has seen anything of the chain: a reader of its feed knows more.
    await until('the listener', () => fetch(`${relayer.url}/healthz`).catch(() => null))
    const resumed = await fetch(`${relayer.url}/revocations/stream`, {
      headers: { 'last-event-id': `${then.position?.epoch}.${then.position?.number}` },
    })
    const stream = (resumed.body as ReadableStream<Uint8Array>).getReader()
    expect(Buffer.from((await stream.read()).value as Uint8Array).toString()).toMatch(/^event: reset/)
    await stream.cancel()
    const { number } = await takeSnapshot(relayer.url)
    expect(number).toBeLessThan(then.position?.number ?? 0)
    expect(reader.position()?.epoch).not.toBe(then.position?.epoch)
    expect(reader.freshness(clocks())).toBe('blind')
    expect(row(before)).toMatchObject({ provisional: false })
    expect(row(after)).toMatchObject({ finalSequence: then.finalSequence })
  } finally {
    down = false
    relayer = await starting
  }

  await until('the forgotten kill', async () => {
    await takeSnapshot(relayer.url)
    const { kills } = await relayer.get<{ kills: { label: string; state: string }[] }>('/kills')
    return kills.some(({ label, state }) => label === after.uuid && state === 'final')
  })
  expect(reader.freshness(clocks())).toBe('fresh')
  expect(row(after)).toMatchObject({ provisional: false, finalSequence: then.finalSequence })

  // An order that nobody landed is known to whoever signed it alone, who sends it again.
  expect(row(ordered)).toBeUndefined()
  expect((await post(relayer.url, '/api/kill', order))?.status).toBe(202)
  await takeSnapshot(relayer.url)
  expect(row(ordered)).toMatchObject({ provisional: true })
})
