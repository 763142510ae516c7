import type { ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget } from '../../protocol/scope.ts'
import { type Ca, createCa } from './support/ca.ts'
import { listen } from './support/listen.ts'
import {
  type Answer,
  agentOrder,
  createScene,
  deployment,
  ended,
  ownerA,
  ownerB,
  type Scene,
  uuidA,
  uuidB,
} from './support/scene.ts'

const scenes: Scene[] = []
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.close()
})

/** A fresh scene whose service answers 200, streams at /stream, holds at /hold and writes late after /hold is cut. */
async function begin(options: Parameters<typeof createScene>[1] = {}) {
  const handled: string[] = []
  const held: ServerResponse[] = []
  const scene = await createScene((request, response) => {
    handled.push(request.url ?? '')
    if (request.url === '/stream') {
      response.write('first')
      held.push(response)
    } else if (request.url === '/hold') held.push(response)
    else response.end('served')
  }, options)
  scenes.push(scene)
  const a = await scene.ca.issue(agentOrder(uuidA, ownerA))
  const b = await scene.ca.issue(agentOrder(uuidB, ownerB))
  await scene.ready()
  const killed = (uuid: string) =>
    new Promise<number>((resolve) => {
      const subject = agentTarget(uuid).subject
      scene.enforcer.onKill(({ row, closedConnections }) => {
        if (row.subject === subject) resolve(closedConnections)
      })
    })
  return { ...scene, handled, held, a, b, killed }
}

const problemOf = (answer: Answer) => {
  if ('error' in answer) throw new Error(`no answer: ${answer.error}`)
  expect(answer.type).toBe('application/problem+json')
  return JSON.parse(answer.body) as Record<string, unknown>
}

test('a living agent is served, again on the same connection', async () => {
  const { open, ask, a } = await begin()
  const socket = await open(a)
  expect(await ask(socket)).toMatchObject({ status: 200, body: 'served' })
  expect(await ask(socket)).toMatchObject({ status: 200, body: 'served' })
})

test('a kill cuts the idle keep-alive connection and leaves the other agent its own', async () => {
  const { open, ask, a, b, feed, killed } = await begin()
  const [mine, other] = [await open(a), await open(b)]
  expect(await ask(mine)).toMatchObject({ status: 200 })
  expect(await ask(other)).toMatchObject({ status: 200 })
  const [done, closed] = [ended(mine), killed(uuidA)]
  feed.kill(agentTarget(uuidA))
  await done
  expect(await closed).toBe(1)
  expect(await ask(other)).toMatchObject({ status: 200 })
})

test.each([
  ['owner', ownerTarget(ownerA)],
  ['type', agentTypeTarget('trader')],
  ['fleet', fleetTarget],
] as const)('a kill of the %s cuts the connection', async (_, target) => {
  const { open, ask, a, feed } = await begin()
  const socket = await open(a)
  expect(await ask(socket)).toMatchObject({ status: 200 })
  const done = ended(socket)
  feed.kill(target)
  await done
})

test('a kill cuts a streaming response in the middle', async () => {
  const started = await begin()
  const { response, socket } = await started.begin(started.a, '/stream')
  const stream = await response
  const read = (async () => {
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk
    return body
  })()
  const done = ended(socket)
  started.feed.kill(agentTarget(uuidA))
  await expect(read).rejects.toMatchObject({ code: 'ECONNRESET' })
  await done
})

test('a request without an answer yet is cut with the reason, and what the handler writes later harms nobody', async () => {
  const { begin: call, a, b, ask, feed, held, killed } = await begin()
  const { response, socket } = await call(a, '/hold')
  await ask(b)
  const done = ended(socket)
  const closed = killed(uuidA)
  feed.kill(agentTarget(uuidA))
  const answer = await response
  expect(answer.statusCode).toBe(403)
  // The handler does not know yet, and goes on.
  const late = held[0] as ServerResponse
  late.writeHead(200)
  late.write('secret')
  late.end('more')
  let body = ''
  for await (const chunk of answer.setEncoding('utf8')) body += chunk
  expect(body).not.toContain('secret')
  expect(JSON.parse(body)).toMatchObject({
    type: 'https://killswitch.ai/problems/agent-killed',
    status: 403,
    reason: 'compromised',
    reasonText: 'leaked its key',
    detail: expect.stringContaining('compromised (leaked its key)'),
  })
  await done
  expect(await closed).toBe(1)
  expect(await ask(b)).toMatchObject({ status: 200 })
})

test('a killed agent that connects anew is refused with the reason, and its connection ends', async () => {
  const { open, ask, a, feed, handled, killed } = await begin()
  const done = killed(uuidA)
  feed.kill(agentTarget(uuidA))
  await done
  const socket = await open(a)
  const answer = await ask(socket, '/anew')
  expect(answer).toMatchObject({ status: 403 })
  expect(problemOf(answer)).toMatchObject({
    reason: 'compromised',
    detail: expect.stringContaining('leaked its key'),
  })
  expect(handled).not.toContain('/anew')
  await ended(socket)
})

test('a killed agent that connects and says nothing is closed', async () => {
  const { open, a, feed, killed, clock, enforcer } = await begin()
  const done = killed(uuidA)
  feed.kill(agentTarget(uuidA))
  await done
  const socket = await open(a)
  await expect.poll(() => enforcer.status().connections).toBe(1)
  clock.advance(1_000)
  await ended(socket)
})

test('a killed agent is refused on its upload, its expect-continue, its upgrade and its tunnel', async () => {
  const { ask, a, feed, killed, server, handled, b, begin: call } = await begin()
  const upgraded: string[] = []
  server.on('upgrade', (request, socket) => {
    upgraded.push(request.url ?? '')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n')
  })
  server.on('connect', (request, socket) => {
    upgraded.push(request.url ?? '')
    socket.end('HTTP/1.1 200 OK\r\n\r\n')
  })
  server.on('checkContinue', (request, response) => {
    upgraded.push(request.url ?? '')
    response.end()
  })
  const upgrade = { headers: { connection: 'upgrade', upgrade: 'test' } }
  expect((await (await call(b, '/living', upgrade)).response).statusCode).toBe(101)
  const done = killed(uuidA)
  feed.kill(agentTarget(uuidA))
  await done
  const expecting = { method: 'POST', headers: { expect: '100-continue' }, body: 'x' }
  expect(await ask(a, '/killed', { method: 'POST', body: 'x'.repeat(1_000_000) })).toMatchObject({
    status: 403,
  })
  expect(await ask(a, '/killed', upgrade)).toMatchObject({ status: 403 })
  expect(await ask(a, '/killed', expecting)).toMatchObject({ status: 403 })
  expect(problemOf(await ask(a, '/killed', upgrade))).toMatchObject({ reason: 'compromised' })
  const tunnel = await call(a, 'example.org:443', { method: 'CONNECT' })
  await ended(tunnel.socket)
  expect(upgraded).toEqual(['/living'])
  expect(handled).not.toContain('/killed')
})

test('a kill cuts an upgraded connection', async () => {
  const { a, feed, server, begin: call } = await begin()
  server.on('upgrade', (_, socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n'),
  )
  const { response, socket } = await call(a, '/', { headers: { connection: 'upgrade', upgrade: 'test' } })
  expect((await response).statusCode).toBe(101)
  const done = ended(socket)
  feed.kill(agentTarget(uuidA))
  await done
})

/** The session that a first connection was given. */
const sessionOf = async (socket: TLSSocket, use: () => Promise<unknown>): Promise<Buffer | undefined> => {
  let session: Buffer | undefined
  socket.on('session', (given: Buffer) => {
    session = given
  })
  await use()
  return session
}

test('with the options of the enforcer no TLS session is resumed, also after a renewal', async () => {
  const { open, ask, a, identity, ca } = await begin()
  for (const renew of [false, true]) {
    if (renew) {
      identity.replace(
        await ca.issue({
          spiffeId: 'spiffe://killswitch.test/service/demo',
          deployment: deploymentId(deployment),
          generation: 77,
        }),
      )
    }
    const first = await open(a)
    const session = await sessionOf(first, () => ask(first))
    const second = await open(a, session === undefined ? {} : { session })
    expect(second.isSessionReused()).toBe(false)
    expect(await ask(second)).toMatchObject({ status: 200 })
    if (renew) expect(first.getPeerX509Certificate()?.subject).toContain('serialNumber=77')
  }
})

test('a killed agent is refused on a resumed session of a server that resumes', async () => {
  const { enforcer, a, ca, feed, killed, open } = await begin()
  const { secureOptions: _, ...resuming } = enforcer.serverOptions()
  let handled = 0
  const server = createHttpsServer({ ...resuming, secureOptions: 0 }, (_request, response) => {
    handled += 1
    response.end('served')
  })
  enforcer.guard(server)
  const { port, close } = await listen(server)
  try {
    const get = (socket: TLSSocket): Promise<string> =>
      new Promise((resolve) => {
        let text = ''
        socket.on('data', (chunk) => {
          text += chunk
        })
        socket.once('close', () => resolve(text))
        socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
      })
    const first = await open(a, { port })
    const session = await sessionOf(first, () => get(first))
    if (session === undefined) throw new Error('the server gave no session')
    const living = await open(a, { port, session })
    expect(living.isSessionReused()).toBe(true)
    expect(await get(living)).toContain('served')
    const done = killed(uuidA)
    feed.kill(agentTarget(uuidA))
    await done
    // Without certificate and key: the session alone brings the old identity back.
    const resumed = await open(
      { ...a, certificate: '', privateKey: '' },
      { port, session, cert: undefined, key: undefined, ca: ca.bundle },
    )
    expect(resumed.isSessionReused()).toBe(true)
    const text = await get(resumed)
    expect(text === '' || text.startsWith('HTTP/1.1 403')).toBe(true)
    expect(handled).toBe(2)
  } finally {
    await close()
  }
})

test('an SVID that ends on an open connection is refused at the next request', async () => {
  const { open, ask, clock, ca } = await begin()
  const socket = await open(await ca.issue(agentOrder(uuidA, ownerA, { notAfter: clock.wall() + 8_000 })))
  expect(await ask(socket)).toMatchObject({ status: 200 })
  clock.advance(9_000)
  const answer = await ask(socket)
  expect(answer).toMatchObject({ status: 403 })
  expect(problemOf(answer)).toMatchObject({ type: 'https://killswitch.ai/problems/svid-expired' })
  await ended(socket)
})

test('a running stream is cut when its SVID ends, while the feed is fresh and others go on', async () => {
  const { begin: call, clock, ca, b, held, open, ask } = await begin()
  // Certificates count whole seconds.
  const notAfter = Math.floor(clock.wall() / 1_000) * 1_000 + 8_000
  const short = await ca.issue(agentOrder(uuidA, ownerA, { notAfter }))
  const [ending, lasting] = [await call(short, '/stream'), await call(b, '/stream')]
  const [endingStream] = [await ending.response, await lasting.response]
  const idle = await open(short)
  expect(await ask(idle)).toMatchObject({ status: 200 })
  endingStream.on('error', () => {})
  const done = ended(ending.socket)
  clock.advance(notAfter - clock.wall())
  expect(held.map((response) => response.destroyed)).toEqual([false, false])
  clock.advance(251)
  await done
  expect(lasting.socket.destroyed).toBe(false)
  expect(idle.destroyed).toBe(false)
  expect(await ask(idle)).toMatchObject({ status: 403 })
})

test('peers below a new root are let in once the bundle is fetched again: in time, or because they came', async () => {
  const [old, next] = [await createCa(), await createCa()]
  const document = (cas: readonly Ca[], hint?: number) =>
    JSON.stringify({
      keys: cas.map((ca) => ({
        use: 'x509-svid',
        x5c: [Buffer.from(ca.rootDer).toString('base64')],
      })),
      ...(hint === undefined ? {} : { spiffe_refresh_hint: hint }),
    })
  let served = document([old], 60)
  const fetched: (() => void)[] = []
  const nextFetch = () => new Promise<void>((resolve) => fetched.push(resolve))
  const fetch = async (url: string, init: RequestInit) => {
    if (!url.endsWith('/bundle')) return globalThis.fetch(url, init)
    for (const resolve of fetched.splice(0)) setImmediate(resolve)
    return new Response(served)
  }
  const { ask, clock, enforcer, feed, relayerIs } = await begin({
    enforcer: { fetch, trustBundles: { 'killswitch.test': { url: 'https://relayer.test/bundle' } } },
  })
  const [first, later, latest] = [
    await old.issue(agentOrder(uuidA, ownerA)),
    await next.issue(agentOrder(uuidA, ownerA)),
    await (await createCa()).issue(agentOrder(uuidA, ownerA)),
  ]
  expect(await ask(first)).toMatchObject({ status: 200 })
  served = document([next, old])
  let again = nextFetch()
  expect(await ask(later)).toHaveProperty('error')
  clock.advance(0)
  await again
  expect(await ask(later)).toMatchObject({ status: 200 })
  // Whoever comes with roots of his own cannot have it fetched all the time.
  served = document([next])
  for (let i = 0; i < 3; i += 1) expect(await ask(latest)).toHaveProperty('error')
  clock.advance(9_999)
  feed.heartbeat()
  await relayerIs(({ freshness }) => freshness === 'fresh')
  expect(await ask(first)).toMatchObject({ status: 200 })
  again = nextFetch()
  // The last hint was none: the longest period counts, and the feed would be stale.
  clock.advance(290_001)
  await again
  expect(await ask(first)).toHaveProperty('error')
  expect(enforcer.status().fresh).toBe(false)
})

test('peers of another deployment, another CA, no SVID at all and a foreign trust domain are refused', async () => {
  const { ask, ca, a } = await begin()
  const foreign = await ca.issue(agentOrder(uuidA, ownerA, { deployment: `eip155:1:0x${'00'.repeat(20)}` }))
  expect(await ask(foreign)).toMatchObject({ status: 403, body: expect.stringContaining('other-deployment') })
  const stranger = await (await createCa()).issue(agentOrder(uuidA, ownerA))
  expect(await ask(stranger)).toHaveProperty('error')
  // Signed by our CA, but for a domain that this CA does not stand for.
  const elsewhere = await ca.issue(
    agentOrder(uuidA, ownerA, { spiffeId: `spiffe://else.test/trader/${uuidA}` }),
  )
  expect(await ask(elsewhere)).toHaveProperty('error')
  const noOwner = await ca.issue({
    spiffeId: `spiffe://killswitch.test/trader/${uuidA}`,
    deployment: deploymentId(deployment),
  })
  expect(await ask(noOwner)).toHaveProperty('error')
  expect(await ask(a)).toMatchObject({ status: 200 })
})

test('a resumed agent is let in with a later SVID only', async () => {
  const { ask, ca, feed, killed } = await begin()
  const done = killed(uuidA)
  feed.kill(agentTarget(uuidA), { provisional: false, finalSequence: 20 })
  await done
  expect(await ask(await ca.issue(agentOrder(uuidA, ownerA, { generation: 19 })))).toMatchObject({
    status: 403,
  })
  expect(await ask(await ca.issue(agentOrder(uuidA, ownerA, { generation: 20 })))).toMatchObject({
    status: 200,
  })
})

test('isRevoked and check take claims and certificates', async () => {
  const { enforcer, a, b, feed, killed } = await begin()
  expect(enforcer.isRevoked(a.der)).toBe(false)
  const done = killed(uuidA)
  feed.kill(agentTarget(uuidA))
  await done
  expect(enforcer.isRevoked(a.der)).toBe(true)
  expect(enforcer.isRevoked(b.der)).toBe(false)
  expect(enforcer.check(a.der)).toMatchObject({
    allowed: false,
    problem: { status: 403, reason: 'compromised' },
  })
  expect(enforcer.check(new Uint8Array([1, 2, 3]))).toMatchObject({ allowed: false })
  const claims = { spiffeId: { trustDomain: 'killswitch.test', type: 'trader', name: uuidA }, owner: ownerA }
  expect(enforcer.isRevoked({ ...claims, deployment: deploymentId(deployment), generation: 1 })).toBe(true)
})
