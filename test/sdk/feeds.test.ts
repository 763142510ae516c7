// What reaches an enforcement point over one feed, and what must not.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { agentTarget } from '../../protocol/scope.ts'
import { createEnforcer, type RelayerStatus } from '../../sdk/enforcer/enforcer.ts'
import { killRow, type TestFeed } from './support/feed.ts'
import {
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
  const status = () => scene.enforcer.status().relayers[0] as RelayerStatus
  /** Lets the longest pause before a reconnection pass, once the connection is really lost. */
  const reconnected = async () => {
    await scene.relayerIs(({ connected }) => !connected)
    scene.clock.advance(5_000)
    await scene.relayerIs(({ connected }) => connected)
  }
  const at = (point: { readonly number: number }) =>
    scene.relayerIs(({ position }) => position?.number === point.number)
  const refused = () => scene.relayerIs((now) => now.refused > 0)
  return { ...scene, a, b, status, reconnected, at, refused }
}

const ready = async (scene: Awaited<ReturnType<typeof begin>>) => {
  await scene.ready()
  return scene
}

test('before any feed is fresh everything is denied with 503', async () => {
  const scene = await begin({ enforcer: { maxStaleness: 2_000 } })
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
  await scene.at(point)
  scene.feed.cutStreams()
  await scene.reconnected()
  expect(scene.feed.lastEventIds).toEqual([expect.any(String), `${point.epoch}.${point.number}`])
})

test('reset brings the snapshot', async () => {
  const scene = await ready(await begin())
  scene.feed.rowText('kill', killRow(agentTarget(uuidA)))
  scene.clock.advance(2_000)
  scene.feed.sendRaw('event: reset\ndata: {}\n\n')
  await scene.at({ number: 1 })
  expect(scene.enforcer.isRevoked(scene.a.der)).toBe(true)
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
  'of a text beyond the limit': ({ feed }) =>
    feed.event('kill', feed.rowText('kill', killRow(agentTarget(uuidB), { text: 'x'.repeat(257) }))),
}

test.each(Object.keys(bent))(
  'a message that is %s changes nothing, and without good ones everything is denied',
  async (kind) => {
    const scene = await ready(await begin({ enforcer: { maxStaleness: 3_000 } }))
    scene.feed.answerSnapshotsWith(() => 'nonsense')
    expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
    scene.feed.sendRaw((bent[kind] as (scene: Scene) => string)(scene))
    await scene.refused()
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
  // Messages are taken in order: once a kill is, what was sent before it was taken too.
  await scene.at(scene.feed.kill(agentTarget(uuidA)))
  scene.clock.advance(1_500)
  scene.feed.sendRaw(heartbeat)
  await scene.at(scene.feed.kill(agentTarget(uuidA), { text: 'again' }))
  scene.clock.advance(1_501)
  expect(await scene.ask(scene.b)).toMatchObject({ status: 503 })
})

test('a fork is denied at once and until a new epoch begins', async () => {
  const scene = await ready(await begin())
  const point = scene.feed.kill(agentTarget(uuidB))
  await scene.at(point)
  scene.clock.advance(2_000)
  scene.feed.send('heartbeat', scene.feed.heartbeatText({ previous: 'A'.repeat(43) }))
  await scene.relayerIs(({ freshness }) => freshness === 'forked')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  await scene.at(scene.feed.kill(agentTarget(uuidB), { text: 'again' }))
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.feed.newEpoch()
  scene.clock.advance(2_000)
  scene.feed.heartbeat()
  await scene.relayerIs(({ freshness }) => freshness === 'fresh')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('a snapshot of a lower number (rollback) is refused', async () => {
  const scene = await ready(await begin({ enforcer: { maxStaleness: 3_000 } }))
  const { number, previous } = scene.feed.position()
  const point = scene.feed.kill(agentTarget(uuidA))
  await scene.at(point)
  scene.feed.answerSnapshotsWith(() => scene.feed.snapshot({ number, previous, rows: [] }))
  scene.clock.advance(1_500)
  scene.feed.sendRaw('event: reset\ndata: {}\n\n')
  await scene.refused()
  expect(scene.status().position).toEqual(point)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 403 })
})

/** ms of the wall clock and of the monotonic one: a step alone moves the first, time both. */
const jumps: Record<string, (clock: Scene['clock']) => () => void> = {
  'a step of the wall clock forward': (clock) => {
    clock.jump(4_001)
    return () => clock.jump(-4_001)
  },
  'a step of an hour back': (clock) => {
    clock.jump(-3_600_000)
    return () => clock.jump(3_600_000)
  },
  // The monotonic clock does not count it, and the machine is right about the time afterwards.
  'a suspend of a minute': (clock) => {
    clock.jump(60_000)
    return () => {}
  },
  'time that the wall clock does not show': (clock) => {
    clock.advance(4_001)
    clock.jump(-4_001)
    return () => clock.jump(4_001)
  },
}

test.each(Object.keys(jumps))(
  '%s denies and cuts what runs; the next heartbeat lets in again',
  async (kind) => {
    const scene = await ready(await begin({ enforcer: { maxStaleness: 4_000 } }))
    const socket = await scene.open(scene.a)
    const { response, socket: streaming } = await scene.begin(scene.a, '/stream')
    await response.then((stream) => stream.on('error', () => {}))
    const done = ended(streaming)
    const setRight = (jumps[kind] as (clock: Scene['clock']) => () => void)(scene.clock)
    expect(await scene.ask(socket)).toMatchObject({
      status: 503,
      body: expect.stringContaining('revocations-unknown'),
    })
    // A running stream would be an access after the point counts as closed.
    scene.clock.advance(250)
    await done
    setRight()
    if (!scene.status().connected) await scene.reconnected()
    scene.feed.heartbeat()
    await scene.relayerIs(({ freshness }) => freshness === 'fresh')
    expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
  },
)

test('a heartbeat from ahead of our clock denies at once and says so, also if the last one was young', async () => {
  const scene = await ready(await begin())
  // Another machine's time: ours stood still.
  scene.feed.send('heartbeat', scene.feed.heartbeatText({ time: scene.clock.wall() + 60_000 }))
  await scene.relayerIs(({ lastError }) => lastError?.includes('check the clocks') === true)
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.clock.jump(60_001)
  scene.feed.heartbeat()
  await scene.relayerIs(({ freshness }) => freshness === 'fresh')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('a blind relayer denies', async () => {
  const scene = await ready(await begin())
  scene.feed.setBlind(true)
  scene.clock.advance(10)
  scene.feed.heartbeat()
  await scene.relayerIs(({ freshness }) => freshness === 'blind')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 503 })
  scene.feed.setBlind(false)
  scene.feed.heartbeat()
  await scene.relayerIs(({ freshness }) => freshness === 'fresh')
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('a silent stream is given up and opened again', async () => {
  const scene = await ready(await begin({ enforcer: { maxStaleness: 6_000 } }))
  // Comments are no signs of life.
  scene.feed.sendRaw(': still here\n\n')
  scene.clock.advance(3_999)
  expect(scene.status().connected).toBe(true)
  scene.clock.advance(1)
  await scene.reconnected()
  expect(scene.feed.lastEventIds).toHaveLength(2)
})

test('an event that is cut in the middle is none, and comes whole after the reconnection', async () => {
  const scene = await ready(await begin())
  const text = scene.feed.event('kill', scene.feed.rowText('kill', killRow(agentTarget(uuidA))))
  // All but the empty line that ends it.
  scene.feed.sendRaw(text.slice(0, -1))
  await new Promise((resolve) => scene.server.getConnections(resolve))
  scene.feed.endStreams()
  await scene.relayerIs(({ connected }) => !connected)
  expect(scene.status()).toMatchObject({ refused: 0, rows: 0 })
  await scene.reconnected()
  scene.feed.sendRaw(text)
  await scene.at({ number: 1 })
  expect(scene.enforcer.isRevoked(scene.a.der)).toBe(true)
})

type Answer = (request: IncomingMessage, response: ServerResponse, feed?: TestFeed) => void
const endless = (response: ServerResponse, chunk: string): void => {
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', write)
  write()
}

/** Snapshots of a relayer that is broken or hostile: what of the enforcer's patience or memory each would take. */
const snapshots: Record<string, Answer> = {
  'is cut short': (_, response, feed) => response.end(feed?.snapshot().slice(0, 100)),
  'breaks off before its length': (_, response, feed) => {
    response.writeHead(200, { 'content-length': '100000' })
    response.write(feed?.snapshot(), () => response.destroy())
  },
  'never ends': (_, response) => endless(response, 'x'.repeat(1_048_576)),
  'is a gzip bomb': (_, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(67_108_865))),
  'comes with a redirect': (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
}

test.each(Object.keys(snapshots))('a snapshot that %s is not taken, and is asked for again', async (kind) => {
  const scene = await ready(await begin())
  scene.feed.rowText('kill', killRow(agentTarget(uuidA)))
  let asked = 0
  scene.feed.answerWith((request, response) => {
    if (request.url !== '/revocations') return false
    asked += 1
    ;(snapshots[kind] as Answer)(request, response, scene.feed)
    return true
  })
  scene.clock.advance(2_000)
  scene.feed.heartbeat()
  await scene.relayerIs(({ connected }) => !connected)
  expect(asked).toBe(1)
  expect(scene.status()).toMatchObject({ rows: 0, lastError: expect.any(String) })
  scene.feed.answerWith(null)
  await scene.reconnected()
  expect(scene.enforcer.isRevoked(scene.a.der)).toBe(true)
})

/** Where a relayer lets a connection hang, and how long it may (ms of 15,000 until all is denied). */
const hangs: Record<string, { readonly at: string; readonly answer: Answer; readonly after: number }> = {
  'that does not answer': { at: '/revocations/stream', answer: () => {}, after: 5_000 },
  'whose snapshot comes byte by byte': {
    at: '/revocations',
    answer: (_, response) => response.write('{'),
    after: 10_000,
  },
}

test.each(Object.keys(hangs))('a relayer %s is left and asked again', async (kind) => {
  const { at, answer, after } = hangs[kind] as (typeof hangs)[string]
  let hanging: ServerResponse | null = null
  const prepare = ([feed]: readonly TestFeed[]): void =>
    feed?.answerWith((request, response) => {
      if (request.url !== at) return false
      answer(request, response)
      hanging = response
      return true
    })
  const scene = await begin({ prepare })
  while (hanging === null) await scene.feed.requested()
  const left = new Promise((resolve) => (hanging as unknown as ServerResponse).once('close', resolve))
  scene.clock.advance(after - 1)
  expect(scene.status().lastError).toBeNull()
  scene.clock.advance(1)
  await left
  await scene.relayerIs(({ lastError }) => lastError === `no valid message for ${after} ms`)
  scene.feed.answerWith(null)
  scene.clock.advance(5_000)
  await scene.ready()
  expect(await scene.ask(scene.b)).toMatchObject({ status: 200 })
})

/** Streams that would fill memory or take the processor for nothing. */
const floods: Record<string, readonly [chunk: string, error: string]> = {
  'an endless line': ['x'.repeat(60_000), 'longer than 65536 characters'],
  'an endless event': [`data: ${'x'.repeat(9_000)}\n`, 'longer than 65536 characters'],
  'endless comments': [`: ${'x'.repeat(998)}\n\n`.repeat(60), 'no valid message within 1048576 bytes'],
}

test.each(Object.keys(floods))('%s ends the stream', async (kind) => {
  const scene = await ready(await begin())
  const [chunk, error] = floods[kind] as readonly [string, string]
  for (const stream of scene.feed.streams) endless(stream, chunk)
  await scene.relayerIs(({ lastError }) => lastError?.includes(error) === true)
  await scene.reconnected()
  expect(await scene.ask(scene.a)).toMatchObject({ status: 200 })
})

test('connections that end at once are made less and less often, however well they begin', async () => {
  const scene = await begin()
  const pauses: number[] = []
  for (let round = 0; round < 5; round += 1) {
    await scene.relayerIs(({ connected }) => connected)
    scene.feed.heartbeat()
    await scene.relayerIs(({ freshness }) => freshness === 'fresh')
    scene.feed.cutStreams()
    await scene.relayerIs(({ connected }) => !connected)
    const requested = scene.feed.requested()
    let paused = 0
    let asked = false
    void requested.then(() => {
      asked = true
    })
    // Timers of the manual clock start requests in the same turn; only their arrival takes a moment.
    const before = scene.clock.waiting
    while (!asked && scene.clock.waiting >= before && paused < 6_000) {
      scene.clock.advance(25)
      paused += 25
    }
    await requested
    pauses.push(paused)
  }
  expect(pauses).toEqual([275, 550, 1100, 2200, 2750])
})

test.each([
  ['maxStaleness', 999],
  ['maxStaleness', 15_001],
  ['maxStaleness', Number.NaN],
  ['minFresh', 2],
  ['minFresh', 0],
])('%s of %d is refused by name', async (option, value) => {
  const scene = await begin()
  const { url, relayer } = scene.feed
  const make = (more: object) =>
    createEnforcer({ deployment, relayers: [{ url, relayer }], identity: scene.identity, ...more })
  await expect(make({ [option]: value })).rejects.toMatchObject({ name: 'EnforcerOptionsError', option })
  const most = await make({ maxStaleness: 15_000 })
  await most.close()
})
