import { createPublicKey, verify } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { createFeedReader } from '../../protocol/feed/reader.ts'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import { settledAtHand } from '../../relayer/kill/killState.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import { auditEntries } from './auditEntries.ts'
import { makeKey } from './makeKey.ts'
import { attest, attested, enrol, enrolled, postAs, service, statement } from './workload.ts'
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

/** Later kills in a stopped relayer's store: the same, as other records without an order. */
const addLaterKills = (id: string) => {
  const db = new DatabaseSync(join(relayer.data, 'relayer.db'))
  db.prepare(
    `WITH RECURSIVE later (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM later WHERE n < ?)
     INSERT INTO kills (id, digest, scope, subject, open, seen_at, number, deadline, record)
     SELECT 'later-' || n, NULL, scope, subject, open, seen_at, number + n, NULL,
       json_set(record, '$.id', 'later-' || n, '$.feed.number', number + n, '$.digest', NULL, '$.order', NULL)
     FROM kills, later WHERE id = ?`,
  ).run(settledAtHand, id)
  // As if the time to repeat the order were over for the relayer, though not yet for the contract.
  db.prepare('UPDATE kills SET deadline = 0 WHERE id = ?').run(id)
  db.close()
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

test('a withdrawn enrolment stays so, also for tokens from before', async () => {
  const old = statement(relayer)
  const point = await enrolled(relayer)
  const token = statement(relayer, { action: 'withdraw', issuedAt: Date.now() + 1 })
  const withdrawal = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }
  expect((await fetch(`${relayer.url}/enrolments`, withdrawal)).status).toBe(200)
  await restart()
  expect(await postAs(relayer, point, '/svid/renew', { csr: (await makeKey()).csr })).toMatchObject({
    status: 403,
  })
  expect((await enrol(relayer, old)).response.status).toBe(401)
  const { killId } = await order()
  expect((await relayer.get<{ points: unknown[] }>(`/kills/${killId}`)).points).toEqual([])
})

test('a kill of long ago is read from the store, with who confirmed it', async () => {
  const point = await enrolled(relayer)
  await chain.send(accounts.alice, 'kill', [Scope.Agent, agentTarget(agent.uuid).subject, 1, 'long ago'])
  const { id } = await until('finality', async () =>
    (await kills()).find((kill) => kill.label === agent.uuid && kill.state === 'final'),
  )
  const { epoch, number } = await relayer.snapshot()
  expect(await postAs(relayer, point, '/acknowledgements', { epoch, number })).toMatchObject({ status: 204 })
  const before = await relayer.get(`/kills/${id}`)
  await relayer.stop()
  addLaterKills(id)
  relayer = await startRelayer(chain, { data: relayer.data })
  const { kills: atHand } = await relayer.get<{ kills: { id: string }[] }>('/kills?limit=1000')
  expect(atHand).toHaveLength(settledAtHand)
  expect(atHand.map((kill) => kill.id)).not.toContain(id)
  const after = await relayer.get(`/kills/${id}`)
  expect(after).toMatchObject({ id, text: 'long ago', points: [{ spiffeId: service, state: 'confirmed' }] })
  expect(after).toEqual(before)
})

test('the identical order is answered with its record, however old', async () => {
  const body = await killBody(chain.deployment, accounts.alice, agent)
  const { killId } = (await (await relayer.post('/api/kill', body)).json()) as { killId: string }
  await until('finality', async () =>
    (await kills()).find((kill) => kill.id === killId && kill.state === 'final'),
  )
  await relayer.stop()
  addLaterKills(killId)
  relayer = await startRelayer(chain, { data: relayer.data })
  const again = await relayer.post('/api/kill', body)
  expect(again.status).toBe(202)
  expect(await again.json()).toMatchObject({ killId, state: 'final' })
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

test('orders are taken only once the head of the chain is reached', async () => {
  await relayer.stop()
  let down = true
  const proxy = await startRpcProxy(chain.rpc, async () =>
    down ? { error: { code: -32_000, message: 'out of order' } } : null,
  )
  onTestFinished(proxy.stop)
  const listen = { host: '127.0.0.1', port: Number(new URL(relayer.url).port) }
  const starting = startRelayer(chain, { data: relayer.data, rpcs: [proxy.url], listen })
  const body = await killBody(chain.deployment, accounts.alice, agent)
  try {
    // The same address as before.
    const early = await until('the listener', () => relayer.post('/api/kill', body).catch(() => null))
    expect(early.status).toBe(503)
    expect(await early.json()).toMatchObject({ type: 'https://killswitch.ai/problems/not-ready' })
    // What it knows it publishes all the same, and says that it sees nothing.
    expect(await relayer.snapshot()).toMatchObject({ blind: true })
  } finally {
    down = false
    relayer = await starting
  }
  expect((await relayer.post('/api/kill', body)).status).toBe(202)
})

test('every decision is in the audit log, refusals included', async () => {
  const body = await killBody(chain.deployment, accounts.stranger, agent)
  expect((await relayer.post('/api/kill', body)).status).toBe(403)
  const unknown = { ...agent, uuid: agent.uuid.replace(/.$/, (c) => (c === '0' ? '1' : '0')) }
  const foreign = await killBody(chain.deployment, accounts.bob, {
    ...unknown,
    spiffeId: agent.spiffeId.replace(agent.uuid, unknown.uuid),
  })
  expect((await relayer.post('/api/kill', foreign)).status).toBe(404)
  expect((await attest(relayer, agent, { challenge: 'A'.repeat(43) })).response.status).toBe(401)
  expect((await enrol(relayer, 'nothing')).response.status).toBe(401)
  const workload = await attested(relayer, agent)
  const point = await enrolled(relayer)
  const access = { at: 1, method: 'GET', path: '/', status: 200, outcome: 'accepted', count: 1 }
  await postAs(relayer, point, '/reports', { accesses: [{ ...access, spiffeId: agent.spiffeId }] })
  const { killId } = await order()
  const { epoch, number } = await relayer.snapshot()
  await postAs(relayer, point, '/acknowledgements', { epoch, number })
  expect(await postAs(relayer, workload, '/svid/renew', { csr: (await makeKey()).csr })).toMatchObject({
    status: 403,
  })
  await relayer.stop()

  const entries = auditEntries(relayer)
  const spiffeId = agent.spiffeId
  expect(entries).toEqual(
    expect.arrayContaining(
      [
        { action: 'order refused', actor: accounts.stranger.address.toLowerCase() },
        {
          action: 'order refused',
          actor: accounts.bob.address.toLowerCase(),
          detail: { subject: unknown.uuid },
        },
        { action: 'SVID refused', detail: { kind: 'bad proof' } },
        { action: 'SVID refused', detail: { kind: 'bad token' } },
        { action: 'SVID attested', spiffeId },
        { action: 'workload enrolled', actor: 'operator', spiffeId: service },
        { action: 'SVID enrolled', spiffeId: service },
        { action: 'access', spiffeId, detail: { point: service, path: '/' } },
        { action: 'kill', actor: accounts.alice.address.toLowerCase(), detail: { killId } },
        { action: 'kill confirmed', actor: service, detail: { killId } },
        { action: 'SVID refused', detail: { kind: 'revoked' } },
      ].map(({ detail = {}, ...entry }) =>
        expect.objectContaining({ ...entry, detail: expect.objectContaining(detail) }),
      ),
    ),
  )
})

test('a flood of refusals is logged as a number, also at the stop', async () => {
  const flood = 150
  const body = JSON.stringify(await killBody(chain.deployment, accounts.stranger, agent))
  for (let i = 0; i < flood; i += 1) expect((await relayer.post('/api/kill', body)).status).toBe(403)
  await relayer.stop()
  const entries = auditEntries(relayer)
  const logged = entries.filter(({ action }) => action === 'order refused').length
  expect(logged).toBeGreaterThanOrEqual(100)
  expect(logged).toBeLessThan(flood)
  expect(entries.find(({ action }) => action === 'refusals counted')?.detail).toEqual({
    'order refused': flood - logged,
  })
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
