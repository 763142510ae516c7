import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { signStatement } from '../../relayer/identity/operatorStatement.ts'
import { makeKey } from './makeKey.ts'
import { attested, enrol, enrolled, postAs, service, statement, type Workload } from './workload.ts'
import {
  accounts,
  killBody,
  newAgent,
  startWorld,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  trustDomain,
} from './world.ts'

let chain: TestChain
let relayer: TestRelayer
let agent: TestAgent

beforeAll(async () => {
  const world = await startWorld()
  ;({ chain, relayer } = world)
  return world.stop
})
beforeEach(async () => {
  agent = await newAgent(chain, relayer)
})

const slug = (problem: Record<string, unknown>) => String(problem.type).split('/').at(-1)
const refusal = async (response: Response) => ({
  status: response.status,
  slug: slug((await response.json()) as Record<string, unknown>),
})
const badToken = { status: 401, slug: 'bad-token' }
const notEnrolled = { status: 404, slug: 'not-enrolled' }
/** A service of its own for a test. */
const newService = () => `spiffe://${trustDomain}/service/s-${randomUUID()}`

const kill = async () => {
  const response = await relayer.post('/api/kill', await killBody(chain.deployment, accounts.alice, agent))
  return ((await response.json()) as { killId: string }).killId
}
/** Where a point stands with a kill; undefined when the kill does not wait for it. */
const stateAt = async (killId: string, spiffeId: string) =>
  (await relayer.get<{ points: { spiffeId: string; state: string }[] }>(`/kills/${killId}`)).points.find(
    (point) => point.spiffeId === spiffeId,
  )?.state
const renew = async (workload: Workload) =>
  postAs(relayer, workload, '/svid/renew', { csr: (await makeKey()).csr })
const acknowledge = async (workload: Workload) => {
  const { epoch, number } = await relayer.snapshot()
  return postAs(relayer, workload, '/acknowledgements', { epoch, number })
}
const report = (workload: Workload) => postAs(relayer, workload, '/reports', { accesses: [] })
const withdraw = (token: string) =>
  fetch(`${relayer.url}/enrolments`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })

/** The operator's program, as a process of its own. */
const program = (command: string, spiffeId: string, listen = new URL(relayer.url).host) =>
  promisify(execFile)(process.execPath, [
    path.resolve(import.meta.dirname, '../../relayer/cli.ts'),
    command,
    spiffeId,
    '--data',
    relayer.data,
    '--listen',
    listen,
  ])

describe('enrolment', () => {
  test('trades a token for a service SVID, once', async () => {
    const token = statement(relayer)
    const first = await enrol(relayer, token)
    expect(first.response.status).toBe(200)
    const { svid } = (await first.response.json()) as { svid: string }
    const { claims } = readSvid(Buffer.from(svid.replace(/-----[^-]+-----|\s/g, ''), 'base64'))
    expect(claims.owner).toBeNull()
    expect(formatSpiffeId(claims.spiffeId)).toBe(service)
    expect(await refusal((await enrol(relayer, token)).response)).toEqual(badToken)
  })

  const forged = (action: 'enrol' | 'withdraw') =>
    signStatement(Buffer.alloc(32, 7), {
      action,
      id: 'x',
      issuedAt: Date.now(),
      spiffeId: service,
      expiresAt: Date.now() + 60_000,
    })
  const cases = (action: 'enrol' | 'withdraw') =>
    [
      ['expired', () => statement(relayer, { action, expiresAt: Date.now() - 1 })],
      ['of another operator', () => forged(action)],
      ['altered', () => statement(relayer, { action }).replace(/^./, (c) => (c === 'e' ? 'f' : 'e'))],
      [
        'for another trust domain',
        () => statement(relayer, { action, spiffeId: 'spiffe://elsewhere/service/payments' }),
      ],
      ['for an agent', () => statement(relayer, { action, spiffeId: agent.spiffeId })],
      [
        'made to do the opposite',
        () => statement(relayer, { action: action === 'enrol' ? 'withdraw' : 'enrol' }),
      ],
      ['that is none', () => 'nothing'],
    ] as const

  test.each(cases('enrol'))('by a token %s is refused', async (_, token) => {
    expect(await refusal((await enrol(relayer, token())).response)).toEqual(badToken)
  })

  test.each(cases('withdraw'))('is not withdrawn by a token %s', async (_, token) => {
    const workload = await enrolled(relayer)
    expect(await refusal(await withdraw(token()))).toEqual(badToken)
    expect(await renew(workload)).toMatchObject({ status: 200 })
  })

  test('again leaves a point owing what it has not confirmed', async () => {
    const spiffeId = newService()
    await enrolled(relayer, spiffeId)
    const killId = await kill()
    const workload = await enrolled(relayer, spiffeId)
    expect(await stateAt(killId, spiffeId)).toMatch(/pending|overdue/)
    expect(await acknowledge(workload)).toMatchObject({ status: 204 })
    expect(await stateAt(killId, spiffeId)).toBe('confirmed')
  })

  test('of an admin gives an SVID that renews, but makes no enforcement point', async () => {
    const spiffeId = `spiffe://${trustDomain}/admin/olga`
    const workload = await enrolled(relayer, spiffeId)
    expect(await renew(workload)).toMatchObject({ status: 200 })
    expect(await stateAt(await kill(), spiffeId)).toBeUndefined()
    expect(await acknowledge(workload)).toMatchObject({ status: 409, json: { field: 'spiffeId' } })
    expect(await report(workload)).toMatchObject({ status: 403 })
  })
})

describe('a withdrawn enrolment', () => {
  test('ends by the program at the running relayer: no renewal, no confirmation, no report, no waiting', async () => {
    const spiffeId = newService()
    const workload = await enrolled(relayer, spiffeId)
    const killId = await kill()
    expect(await stateAt(killId, spiffeId)).toBeDefined()

    const { stdout } = await program('withdraw', spiffeId)
    expect(stdout).toContain(spiffeId)
    expect(await stateAt(killId, spiffeId)).toBeUndefined()
    expect(await renew(workload)).toMatchObject({ status: 403 })
    expect(await acknowledge(workload)).toMatchObject({ status: 409, json: { field: 'spiffeId' } })
    expect(await report(workload)).toMatchObject({ status: 403 })
  })

  test('is not ended by the program at a server that is no relayer, which it says in a line', async () => {
    const other = createServer((_, response) => response.writeHead(404).end('nothing here'))
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as AddressInfo).port)),
    )
    const failure = program('withdraw', service, `127.0.0.1:${port}`)
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^killswitch-relayer: .*--listen\n$/),
    })
    other.close()
  })

  test('is not begun again by a token from before, but by a new one', async () => {
    const spiffeId = newService()
    const old = statement(relayer, { spiffeId })
    await enrolled(relayer, spiffeId)
    const ending = statement(relayer, { spiffeId, action: 'withdraw', issuedAt: Date.now() + 1 })
    expect((await withdraw(ending)).status).toBe(200)
    expect(await refusal(await withdraw(ending))).toEqual(notEnrolled)
    expect(await refusal((await enrol(relayer, old)).response)).toEqual(badToken)

    const token = statement(relayer, { spiffeId, issuedAt: Date.now() + 1 })
    expect((await enrol(relayer, token)).response.status).toBe(200)
    expect(await refusal(await withdraw(ending))).toEqual(badToken)
  })
})

describe('an enforcement point', () => {
  test('confirms kills cumulatively, and only what was published', async () => {
    const spiffeId = newService()
    const point = await enrolled(relayer, spiffeId)
    const killId = await kill()
    expect(await stateAt(killId, spiffeId)).not.toBe('confirmed')
    const { epoch, number } = await relayer.snapshot()
    const send = (body: object) => postAs(relayer, point, '/acknowledgements', body)
    expect(await send({ epoch, number: number + 100 })).toMatchObject({ status: 409 })
    expect(await send({ epoch: randomUUID(), number })).toMatchObject({ status: 409 })
    expect(await stateAt(killId, spiffeId)).not.toBe('confirmed')
    expect(await send({ epoch, number })).toMatchObject({ status: 204 })
    expect(await stateAt(killId, spiffeId)).toBe('confirmed')
  })

  test('is no agent: an agent cannot confirm or report', async () => {
    const workload = await attested(relayer, agent)
    expect(await acknowledge(workload)).toMatchObject({ status: 409, json: { field: 'spiffeId' } })
    expect(await report(workload)).toMatchObject({ status: 403 })
  })

  test('reports who accessed what; it shows', async () => {
    const point = await enrolled(relayer)
    const at = Date.now()
    const access = {
      spiffeId: agent.spiffeId,
      at,
      method: 'GET',
      path: '/orders',
      status: 200,
      outcome: 'accepted',
      count: 3,
    }
    expect(await postAs(relayer, point, '/reports', { accesses: [access] })).toMatchObject({ status: 204 })
    const { spiffeId: _, ...shown } = access
    expect(await relayer.get(`/agents/${agent.uuid}`)).toMatchObject({
      lastAccessAt: at,
      lastOutcome: 'accepted',
      accesses: [{ ...shown, point: service }],
    })
    expect(await postAs(relayer, point, '/reports', { accesses: [{ ...access, count: 0 }] })).toMatchObject({
      status: 400,
    })
  })
})
