import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:https'
import { afterEach, expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { agentTarget } from '../../protocol/scope.ts'
import { createEnforcer } from '../../sdk/enforcer/enforcer.ts'
import { killRow } from './support/feed.ts'
import { listen } from './support/listen.ts'
import {
  agentOrder,
  createScene,
  deployment,
  ended,
  heldIdentity,
  ownerA,
  ownerB,
  type Scene,
  trustDomain,
  uuidA,
  uuidB,
} from './support/scene.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function begin(options: Parameters<typeof createScene>[1] = {}) {
  const scene: Scene = await createScene((request, response) => {
    if (request.url === '/stream') response.write('first')
    else response.end('served')
  }, options)
  ends.push(scene.close)
  const a = await scene.ca.issue(agentOrder(uuidA, ownerA))
  const b = await scene.ca.issue(agentOrder(uuidB, ownerB))
  const status = (relayer = 0) => {
    const found = scene.enforcer.status().relayers[relayer]
    if (found === undefined) throw new Error('no such relayer')
    return found
  }
  /** Moves time in steps that let the reconnecting client work between them. */
  const until = async (condition: () => boolean) => {
    for (let i = 0; i < 400 && !condition(); i += 1) {
      scene.clock.advance(100)
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => scene.server.getConnections(resolve))
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(condition()).toBe(true)
  }
  return { ...scene, a, b, status, until, start: scene.clock.wall() - scene.clock.monotonic() }
}

const ready = async (scene: Awaited<ReturnType<typeof begin>>) => {
  await scene.enforcer.ready()
  for (const feed of scene.feeds) await feed.connected()
  return scene
}

test('before any feed is fresh everything is denied with 503', async () => {
  const scene = await begin({ feeds: 1, enforcer: { maxStaleness: 2_000 } })
  scene.feed.answerSnapshotsWith(() => 'nonsense')
  scene.clock.advance(10_000)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503, type: 'application/problem+json' })
})

test('a snapshot brings the kills of before, and cuts what they cover', async () => {
  const scene = await ready(await begin())
  const socket = await scene.open(scene.a)
  expect(await scene.ask(socket)).toMatchObject({ status: 200 })
  const done = ended(socket)
  // Published, but never sent: the heartbeat shows the gap.
  scene.feed.rowText('kill', killRow(agentTarget(uuidA)))
  scene.clock.advance(2_000)
  const before = scene.feed.requests.filter((url) => url === '/revocations').length
  scene.feed.heartbeat()
  await done
  expect(scene.feed.requests.filter((url) => url === '/revocations').length).toBe(before + 1)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 403 })
})

test('a lost stream is resumed where it stood', async () => {
  const scene = await ready(await begin())
  const point = scene.feed.kill(agentTarget(uuidB))
  await expect.poll(() => scene.status().position).toEqual(point)
  scene.feed.cutStreams()
  await scene.until(() => scene.feed.lastEventIds.length > 1)
  expect(scene.feed.lastEventIds.at(-1)).toBe(`${point.epoch}.${point.number}`)
})

test('reset brings the snapshot', async () => {
  const scene = await ready(await begin())
  scene.feed.rowText('kill', killRow(agentTarget(uuidA)))
  scene.clock.advance(2_000)
  scene.feed.sendRaw('event: reset\ndata: {}\n\n')
  await expect.poll(() => scene.enforcer.isRevoked(scene.a.der)).toBe(true)
  // It is no message: nothing was refused.
  expect(scene.status().refused).toBe(0)
})

/** A kill that must not count, in the way in which somebody between or a wrong relayer would send it. */
const bent: Record<string, (scene: Scene) => string> = {
  forged: ({ feed }) => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const json = feed.rowText('kill', killRow(agentTarget(uuidB))).split('\n')[0] as string
    return feed.event('kill', `${json}\n${sign(null, Buffer.from(json), privateKey).toString('base64url')}`)
  },
  changed: ({ feed }) =>
    feed.event('kill', feed.rowText('kill', killRow(agentTarget(uuidB))).replace('leaked', 'loaded')),
  truncated: ({ feed }) =>
    feed.event('kill', feed.rowText('kill', killRow(agentTarget(uuidB))).slice(0, -20)),
  'without a signature': ({ feed }) =>
    feed.event('kill', feed.rowText('kill', killRow(agentTarget(uuidB))).split('\n')[0] as string),
  'of another deployment': ({ feed }) =>
    feed.event(
      'kill',
      feed.rowText('kill', killRow(agentTarget(uuidB)), { deployment: `eip155:1:0x${'00'.repeat(20)}` }),
    ),
  'a heartbeat as a kill': ({ feed }) =>
    feed.event('kill', feed.heartbeatText({ tag: 'killswitch-snapshot-v1' })),
}

test.each(Object.keys(bent))(
  'a message that is %s changes nothing, and without good ones everything is denied',
  async (kind) => {
    const scene = await ready(await begin({ enforcer: { maxStaleness: 3_000 } }))
    scene.feed.answerSnapshotsWith(() => 'nonsense')
    expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
    scene.feed.sendRaw((bent[kind] as (scene: Scene) => string)(scene))
    await expect.poll(() => scene.status().refused).toBeGreaterThan(0)
    expect(scene.status().rows).toBe(0)
    expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
    scene.clock.advance(3_001)
    expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  },
)

test('a replayed heartbeat renews nothing', async () => {
  const scene = await ready(await begin({ enforcer: { maxStaleness: 3_000 } }))
  const heartbeat = scene.feed.event('heartbeat', scene.feed.heartbeatText())
  scene.feed.answerSnapshotsWith(() => 'nonsense')
  scene.feed.sendRaw(heartbeat)
  scene.clock.advance(1_500)
  scene.feed.sendRaw(heartbeat)
  const stop = scene.feed.event('kill', scene.feed.rowText('kill', killRow(agentTarget(uuidB))))
  scene.feed.sendRaw(stop)
  await expect.poll(() => scene.enforcer.isRevoked(scene.b.der)).toBe(true)
  scene.clock.advance(1_600)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
})

test('a fork is denied at once and until a new epoch begins', async () => {
  const scene = await ready(await begin())
  const point = scene.feed.kill(agentTarget(uuidB))
  await expect.poll(() => scene.status().position).toEqual(point)
  scene.clock.advance(2_000)
  scene.feed.send('heartbeat', scene.feed.heartbeatText({ previous: 'A'.repeat(43) }))
  await expect.poll(() => scene.status().freshness).toBe('forked')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.feed.kill(agentTarget(uuidB), { text: 'again' })
  await scene.until(() => scene.status().position?.number === point.number + 1)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.feed.newEpoch()
  scene.clock.advance(2_000)
  scene.feed.heartbeat()
  await scene.until(() => scene.status().freshness === 'fresh')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('a snapshot of a lower number (rollback) is refused', async () => {
  const scene = await ready(await begin({ enforcer: { maxStaleness: 3_000 } }))
  const { number, previous } = scene.feed.position()
  const point = scene.feed.kill(agentTarget(uuidA))
  await expect.poll(() => scene.status().position).toEqual(point)
  scene.feed.answerSnapshotsWith(() => scene.feed.snapshot({ number, previous, rows: [] }))
  scene.clock.advance(1_500)
  scene.feed.sendRaw('event: reset\ndata: {}\n\n')
  await expect.poll(() => scene.status().refused).toBeGreaterThan(0)
  expect(scene.status().position).toEqual(point)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 403 })
})

test.each(['wall', 'monotonic'] as const)(
  'a feed that is stale by the %s clock denies; a heartbeat lets in again',
  async (which) => {
    const scene = await ready(await begin({ enforcer: { maxStaleness: 4_000 } }))
    const socket = await scene.open(scene.a)
    const { response, socket: streaming } = await scene.begin(scene.a, '/stream')
    await response.then((stream) => stream.on('error', () => {}))
    const done = ended(streaming)
    if (which === 'wall') scene.clock.jump(4_001)
    else {
      scene.clock.advance(4_001)
      scene.clock.jump(-4_001)
    }
    expect(await scene.ask(socket)).toMatchObject({
      status: 503,
      body: expect.stringContaining('revocations-unknown'),
    })
    // A running stream would be an access after the point counts as closed.
    scene.clock.advance(250)
    await done
    scene.clock.jump(scene.clock.monotonic() - (scene.clock.wall() - scene.start))
    await scene.until(() => {
      scene.feed.heartbeat()
      return scene.enforcer.status().fresh
    })
    expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
  },
)

test('a blind relayer denies', async () => {
  const scene = await ready(await begin())
  scene.feed.setBlind(true)
  scene.clock.advance(10)
  scene.feed.heartbeat()
  await expect.poll(() => scene.status().freshness).toBe('blind')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.feed.setBlind(false)
  scene.feed.heartbeat()
  await expect.poll(() => scene.status().freshness).toBe('fresh')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('a silent stream is given up and opened again', async () => {
  const scene = await ready(await begin({ enforcer: { maxStaleness: 6_000 } }))
  // Comments and bent messages are no signs of life.
  scene.feed.sendRaw(': still here\n\n')
  await scene.until(() => scene.feed.lastEventIds.length > 1)
  expect(scene.feed.streams.size).toBe(1)
})

test('an endless line ends the stream instead of filling the memory', async () => {
  const scene = await ready(await begin())
  scene.feed.sendRaw(`data: ${'x'.repeat(200_000)}`)
  await scene.until(() => scene.feed.lastEventIds.length > 1)
})

test('of two relayers one is enough to let in and one is enough to kill, also a dead one', async () => {
  const scene = await ready(await begin({ feeds: 2, enforcer: { maxStaleness: 3_000 } }))
  const [first, second] = scene.feeds
  if (first === undefined || second === undefined) throw new Error('two feeds')
  const point = second.kill(agentTarget(uuidA))
  await expect.poll(() => scene.status(1).position).toEqual(point)
  second.answerSnapshotsWith(() => 'dead')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 403 })
  scene.clock.advance(1_900)
  first.heartbeat()
  // Messages are taken in order: once this one is, the heartbeat was.
  const behind = first.kill(agentTarget('01890a5d-ac96-8774-bcce-b302099a8059'))
  await expect.poll(() => scene.status(0).position).toEqual(behind)
  scene.clock.advance(1_500)
  expect(scene.status(1).freshness).toBe('stale')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 403 })
  expect(await scene.ask(scene.b)).toMatchObject({ status: 200 })
})

test('minFresh of two relayers denies when one is dead', async () => {
  const scene = await ready(await begin({ feeds: 2, enforcer: { minFresh: 2, maxStaleness: 3_000 } }))
  expect(await scene.ask(scene.b)).toMatchObject({ status: 200 })
  scene.feeds[1]?.answerSnapshotsWith(() => 'dead')
  scene.clock.advance(2_000)
  scene.feed.heartbeat()
  scene.clock.advance(1_500)
  expect(await scene.ask(scene.b)).toMatchObject({ status: 503 })
})

test('a kill is acknowledged over mutual TLS, only after its sockets are gone, and accesses are reported', async () => {
  const scene = await ready(await begin())
  const order = (type: string, name: string) => ({
    spiffeId: `spiffe://${trustDomain}/${type}/${name}`,
    deployment: deploymentId(deployment),
  })
  const relayerSvid = await scene.ca.issue(order('relayer', 'one'))
  const calls: { url: string; body: Record<string, unknown>; from: string; open: number }[] = []
  let refusals = 1
  let open = -1
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
      const from =
        (request.socket as import('node:tls').TLSSocket).getPeerX509Certificate()?.subjectAltName ?? ''
      const body = JSON.parse(text) as Record<string, unknown>
      if (request.url === '/acknowledgements' && body.number === 1 && refusals > 0) {
        refusals -= 1
        response.writeHead(503).end()
        return
      }
      calls.push({ url: request.url ?? '', body, from, open })
      response.writeHead(204).end()
    },
  )
  const { port, close } = await listen(relayer)
  ends.push(close)
  const enforcer = await createEnforcer({
    deployment,
    relayers: [{ url: scene.feed.url, relayer: scene.feed.relayer, mtlsUrl: `https://127.0.0.1:${port}` }],
    identity: heldIdentity(await scene.ca.issue(order('service', 'point'))),
    clock: scene.clock,
    random: () => 0.5,
  })
  ends.push(enforcer.close)
  const service = createServer(enforcer.serverOptions(), (_, response) => response.end('served'))
  enforcer.guard(service)
  service.on('secureConnection', (socket) => {
    open = Math.max(open, 0) + 1
    socket.once('close', () => {
      open -= 1
    })
  })
  const at = await listen(service)
  ends.push(at.close)
  await enforcer.ready()
  await expect.poll(() => scene.feed.streams.size).toBe(2)
  const sockets = await Promise.all([
    scene.open(scene.a, { port: at.port }),
    scene.open(scene.a, { port: at.port }),
  ])
  for (const socket of sockets)
    expect(await scene.ask(socket, '/work?secret=1')).toMatchObject({ status: 200 })
  expect(open).toBe(2)
  const point = scene.feed.kill(agentTarget(uuidA))
  const acknowledgements = () => calls.filter(({ url }) => url === '/acknowledgements')
  await scene.until(() => acknowledgements().some(({ body }) => body.number === point.number))
  expect(acknowledgements().at(-1)).toMatchObject({
    body: { epoch: point.epoch, number: 1, closedConnections: 2 },
    from: `URI:spiffe://${trustDomain}/service/point`,
    open: 0,
  })
  expect(enforcer.status().relayers[0]?.acknowledged).toEqual(point)
  expect(await scene.ask(await scene.open(scene.a, { port: at.port }), '/denied')).toMatchObject({
    status: 403,
  })
  const accesses = () =>
    calls
      .filter(({ url }) => url === '/reports')
      .flatMap(({ body }) => body.accesses as Record<string, unknown>[])
  await scene.until(() => accesses().some(({ outcome }) => outcome === 'denied'))
  expect(accesses()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        spiffeId: agentOrder(uuidA, ownerA).spiffeId,
        method: 'GET',
        path: '/work',
        status: 200,
        outcome: 'accepted',
        count: 2,
      }),
      expect.objectContaining({ path: '/denied', status: 403, outcome: 'denied', count: 1 }),
    ]),
  )
})
