import { createPublicKey, verify } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { createFeedReader } from '../../protocol/feed/reader.ts'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import { enrolled, postAs } from './workload.ts'
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

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent

beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain?.stop())
beforeEach(async () => {
  relayer = await startRelayer(chain)
  agent = await newAgent(chain, relayer)
  return () => relayer.remove()
})

const restart = async () => {
  await relayer.stop()
  relayer = await startRelayer(chain, { data: relayer.data })
}
const kills = async () =>
  (await relayer.get<{ kills: { label: string; state: string; id: string }[] }>('/kills')).kills
const order = async () => {
  const response = await relayer.post('/api/kill', await killBody(chain.deployment, accounts.alice, agent))
  return (await response.json()) as { killId: string }
}

const spki = Buffer.from('302a300506032b6570032100', 'hex')
const reader = () =>
  createFeedReader({
    relayer: relayer.relayer,
    deployment: deploymentId(chain.deployment),
    maxStaleness: 15_000,
    verify: (bytes, signature, publicKey) =>
      verify(
        null,
        bytes,
        createPublicKey({ key: Buffer.concat([spki, publicKey]), format: 'der', type: 'spki' }),
        signature,
      ),
  })
const clocks = () => ({ wall: Date.now(), monotonic: performance.now() })

test('nothing acknowledged is lost, and the feed goes on in a new epoch that a reader enters by the snapshot', async () => {
  const feed = reader()
  const snapshot = async () => (await fetch(`${relayer.url}/revocations`)).text()
  feed.takeSnapshot(await snapshot(), clocks())
  const before = feed.position() as { epoch: string; number: number }
  const { killId } = await order()
  await restart()
  expect((await kills()).map((kill) => kill.id)).toContain(killId)

  const stream = await fetch(`${relayer.url}/revocations/stream`, {
    headers: { 'last-event-id': `${before.epoch}.${before.number}` },
  })
  const first = await (stream.body as ReadableStream<Uint8Array>).getReader().read()
  expect(Buffer.from(first.value as Uint8Array).toString()).toMatch(/^event: reset/)

  feed.takeSnapshot(await snapshot(), clocks())
  const after = feed.position() as { epoch: string; number: number }
  expect(after.epoch).not.toBe(before.epoch)
  expect(after.number).toBeGreaterThan(before.number)
  expect([...feed.table.values()].map((row) => row.subject)).toContain(agentTarget(agent.uuid).subject)
})

test('a kill from before the restart is confirmed in the new epoch', async () => {
  await relayer.stop()
  relayer = await startRelayer(chain, { data: relayer.data, gasAccount: null })
  const point = await enrolled(relayer)
  const { killId } = await order()
  await restart()
  const { epoch, number } = await relayer.snapshot()
  expect(await postAs(relayer, point, '/acknowledgements', { epoch, number })).toMatchObject({ status: 204 })
  const view = await relayer.get<{ points: { state: string }[] }>(`/kills/${killId}`)
  expect(view.points.map((one) => one.state)).toEqual(['confirmed'])
})

test('a kill that came while the relayer was down is taken from the chain', async () => {
  await relayer.stop()
  await chain.send(accounts.alice, 'kill', [Scope.Agent, agentTarget(agent.uuid).subject, 1, 'while down'])
  relayer = await startRelayer(chain, { data: relayer.data })
  expect((await kills()).find((kill) => kill.label === agent.uuid)).toMatchObject({ state: 'final' })
})

test('an order that had no gas to land lands after the restart with some', async () => {
  await relayer.stop()
  relayer = await startRelayer(chain, { data: relayer.data, gasAccount: null })
  const { killId } = await order()
  expect((await kills()).find((kill) => kill.id === killId)).toMatchObject({ state: 'enforced' })
  await restart()
  await until(
    'the landing',
    async () => (await kills()).find((kill) => kill.id === killId)?.state === 'final',
  )
})

test('an altered audit log stops the start', async () => {
  await order()
  await relayer.stop()
  const db = new DatabaseSync(join(relayer.data, 'relayer.db'))
  db.exec(
    `UPDATE audit_entries SET json = replace(json, '"action"', '"Action"') WHERE number = (SELECT max(number) FROM audit_entries)`,
  )
  db.close()
  await expect(startRelayer(chain, { data: relayer.data })).rejects.toThrow(/audit entry \d+ does not match/)
})

test('a store of another deployment is refused with the option that changes it', async () => {
  await relayer.stop()
  const deployment = { ...chain.deployment, contract: `0x${'12'.repeat(20)}` as const }
  await expect(startRelayer(chain, { data: relayer.data, deployment })).rejects.toThrow(/--data/)
})

test('a second relayer cannot open the same store', async () => {
  await expect(startRelayer(chain, { data: relayer.data })).rejects.toThrow(/--data/)
})

test('keys and store are readable by their owner alone', () => {
  for (const file of ['ca.key', 'feed.key', 'relayer.db'])
    expect(statSync(join(relayer.data, file)).mode & 0o077).toBe(0)
})

test('SVIDs that would outlive the least cool-down are refused with the option that changes it', async () => {
  await expect(startRelayer(chain, { svidLife: 300_001 })).rejects.toThrow(/--svid-life/)
})
