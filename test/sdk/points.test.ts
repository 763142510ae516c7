// What an enforcement point tells its relayer, over mutual TLS: that kills are enforced, and who accessed what.
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { agentTarget } from '../../protocol/scope.ts'
import type { Log } from '../../sdk/client/log.ts'
import { createEnforcer, type EnforcerOptions, type RelayerStatus } from '../../sdk/enforcer/enforcer.ts'
import { listen } from './support/listen.ts'
import {
  agentOrder,
  createScene,
  deployment,
  heldIdentity,
  ownerA,
  statusWhere,
  trustDomain,
  uuidA,
  uuidB,
} from './support/scene.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

type Call = {
  readonly url: string
  readonly body: Record<string, unknown>
  readonly from: string
  readonly open: number
}

/** An enrolled point with a guarded service, beside a relayer's mutual TLS listener that answers as it is told. */
async function begin(more: Partial<EnforcerOptions> = {}) {
  const scene = await createScene((_, response) => response.end('served'))
  ends.push(scene.close)
  const order = (type: string, name: string) => ({
    spiffeId: `spiffe://${trustDomain}/${type}/${name}`,
    deployment: deploymentId(deployment),
  })
  const relayerSvid = await scene.ca.issue(order('relayer', 'one'))
  const calls: Call[] = []
  const arrivals = new Set<() => void>()
  /** Status and problem of the next acknowledgements; taken when empty. */
  const answers: { status: number; problem?: object }[] = []
  let open = 0
  const relayer = createServer(
    {
      cert: relayerSvid.certificate,
      key: relayerSvid.privateKey,
      ca: scene.ca.bundle,
      requestCert: true,
      minVersion: 'TLSv1.3',
    },
    async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const from = (request.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName ?? ''
      const url = request.url ?? ''
      const answer = url === '/acknowledgements' ? answers.shift() : undefined
      if (answer === undefined) response.writeHead(204).end()
      else response.writeHead(answer.status).end(JSON.stringify(answer.problem ?? {}))
      calls.push({ url, body: JSON.parse(text) as Record<string, unknown>, from, open })
      for (const arrive of [...arrivals]) arrive()
    },
  )
  const { port, close } = await listen(relayer)
  ends.push(close)
  const warnings: { values: object; message: string }[] = []
  const warn = (values: object, message: string): void => {
    warnings.push({ values, message })
    for (const arrive of [...arrivals]) arrive()
  }
  const log: Log = { info: () => {}, warn }
  const enforcer = await createEnforcer({
    deployment,
    relayers: [{ url: scene.feed.url, relayer: scene.feed.relayer, mtlsUrl: `https://127.0.0.1:${port}` }],
    identity: heldIdentity(await scene.ca.issue(order('service', 'point'))),
    clock: scene.clock,
    random: () => 0.5,
    log,
    ...more,
  })
  ends.push(enforcer.close)
  const service = createServer(enforcer.serverOptions(), (_, response) => response.end('served'))
  enforcer.guard(service)
  service.on('secureConnection', (socket) => {
    open += 1
    socket.once('close', () => {
      open -= 1
    })
  })
  const at = await listen(service)
  ends.push(at.close)
  const is = (wanted: (status: RelayerStatus) => boolean) => statusWhere(enforcer, scene.feed.relayer, wanted)
  await is(({ connected, acknowledged }) => connected && acknowledged !== null)
  const a = await scene.ca.issue(agentOrder(uuidA, ownerA))
  /** Resolves with the first of a list, had or to come, that is as wanted. */
  const firstOf = <T>(list: readonly T[], wanted: (one: T) => boolean, nth = 1) =>
    new Promise<T>((resolve) => {
      const look = (): void => {
        const found = list.filter(wanted)[nth - 1]
        if (found === undefined) return
        arrivals.delete(look)
        resolve(found)
      }
      arrivals.add(look)
      look()
    })
  const call = (wanted: (call: Call) => boolean) => firstOf(calls, wanted)
  const warned = (part: string, nth = 1) => firstOf(warnings, ({ message }) => message.includes(part), nth)
  const acknowledgement = (number: number) =>
    call(({ url, body }) => url === '/acknowledgements' && body.number === number)
  const connect = () => scene.open(a, { port: at.port })
  return {
    ...scene,
    enforcer,
    a,
    calls,
    answers,
    warnings,
    warned,
    is,
    call,
    acknowledgement,
    connect,
    status: () => enforcer.status().relayers[0] as RelayerStatus,
  }
}

test('a kill is acknowledged over mutual TLS, only after its sockets are gone, and accesses are reported', async () => {
  const { ask, feed, connect, answers, is, acknowledgement, status, clock, call, warned } = await begin()
  for (const socket of [await connect(), await connect()])
    expect(await ask(socket, '/work?secret=1')).toMatchObject({ status: 200 })
  answers.push({ status: 503 })
  const point = feed.kill(agentTarget(uuidA))
  expect(await acknowledgement(point.number)).toMatchObject({
    body: { epoch: point.epoch, number: 1, closedConnections: 2 },
    from: `URI:spiffe://${trustDomain}/service/point`,
    open: 0,
  })
  // Refused once, so it comes again, with the same count.
  await warned('answered 503')
  expect(status().acknowledged?.number).toBe(0)
  clock.advance(100)
  expect((await is(({ acknowledged }) => acknowledged?.number === 1)).enrolmentRefused).toBeNull()
  expect(await ask(await connect(), '/denied')).toMatchObject({ status: 403 })
  clock.advance(2_000)
  const { body } = await call(({ url }) => url === '/reports')
  expect(body.accesses).toEqual([
    expect.objectContaining({
      spiffeId: agentOrder(uuidA, ownerA).spiffeId,
      method: 'GET',
      path: '/work',
      status: 200,
      outcome: 'accepted',
      count: 2,
    }),
    expect.objectContaining({ path: '/denied', status: 403, outcome: 'denied', count: 1 }),
  ])
})

test.each([
  [403, { detail: 'withdrawn' }],
  [409, { detail: 'not enrolled', field: 'spiffeId' }],
])(
  'a withdrawn enrolment (%d) is said aloud once, and kills are enforced as before',
  async (code, problem) => {
    const { ask, feed, connect, answers, is, warnings, warned, clock, status } = await begin()
    answers.push({ status: code, problem }, { status: code, problem })
    const [mine] = [await connect()]
    expect(await ask(mine)).toMatchObject({ status: 200 })
    feed.kill(agentTarget(uuidB))
    const { enrolmentRefused } = await is((now) => now.enrolmentRefused !== null)
    expect(enrolmentRefused).toMatchObject({ status: code, ...problem })
    const closed = new Promise((resolve) => mine.once('close', resolve))
    const point = feed.kill(agentTarget(uuidA))
    await closed
    expect(await ask(await connect())).toMatchObject({ status: 403 })
    expect(status().acknowledged?.number).toBe(0)
    clock.advance(5_000)
    await warned(`answered ${code}`, 2)
    // Enrolled again, it is taken again without a restart: the tries become rare, but go on.
    clock.advance(60_000)
    const back = await is((now) => now.acknowledged?.number === point.number)
    expect(back.enrolmentRefused).toBeNull()
    expect(warnings.filter(({ message }) => message.includes('REFUSES THIS ENFORCEMENT POINT'))).toHaveLength(
      1,
    )
  },
)

test('an acknowledgement that the relayer refuses for itself is no withdrawn enrolment', async () => {
  const { feed, answers, is, status, clock, warned } = await begin()
  answers.push({ status: 409, problem: { field: 'epoch', detail: 'another epoch' } })
  feed.kill(agentTarget(uuidB))
  await warned('another epoch')
  expect(status().enrolmentRefused).toBeNull()
  clock.advance(100)
  await is(({ acknowledged }) => acknowledged?.number === 1)
})

test('no kill is acknowledged before what another kind of server holds is closed', async () => {
  const { enforcer, a, feed, calls, acknowledgement, clock, is } = await begin()
  let tries = 0
  const { promise: closing, resolve: begun } = Promise.withResolvers<void>()
  const { promise: closed, resolve: close } = Promise.withResolvers<void>()
  enforcer.track(a.der, (problem) => {
    tries += 1
    expect(problem).toMatchObject({ status: 403, reason: 'compromised' })
    if (tries === 1) throw new Error('not now')
    begun()
    return closed
  })
  const ended = enforcer.track(a.der, () => {
    throw new Error('this one has ended by itself')
  })
  ended()
  const point = feed.kill(agentTarget(uuidA))
  await is(({ position }) => position?.number === point.number)
  expect(tries).toBe(1)
  clock.advance(2_000)
  await closing
  expect(tries).toBe(2)
  const later = feed.kill(agentTarget(uuidB))
  await is(({ position }) => position?.number === later.number)
  expect(calls.filter(({ url, body }) => url === '/acknowledgements' && Number(body.number) > 0)).toEqual([])
  close()
  expect((await acknowledgement(point.number)).body).toMatchObject({ closedConnections: 1 })
  await acknowledgement(later.number)
  // Whoever is denied already is closed as it comes.
  const again = new Promise((resolve) => enforcer.track(a.der, resolve))
  expect(await again).toMatchObject({ status: 403 })
})
