// One enforcement point that follows several relayers, of which some are dead, blind, behind or hostile.
import { afterEach, expect, test } from 'vitest'
import { agentTarget } from '../../protocol/scope.ts'
import type { RelayerStatus } from '../../sdk/enforcer/enforcer.ts'
import { killRow, type TestFeed } from './support/feed.ts'
import { agentOrder, createScene, ended, ownerA, ownerB, type Scene, uuidA, uuidB } from './support/scene.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function begin(options: Parameters<typeof createScene>[1] = {}) {
  const scene: Scene = await createScene((_, response) => response.end('served'), { feeds: 2, ...options })
  ends.push(scene.close)
  const a = await scene.ca.issue(agentOrder(uuidA, ownerA))
  const b = await scene.ca.issue(agentOrder(uuidB, ownerB))
  const [first, second] = scene.feeds as [TestFeed, TestFeed]
  const status = (n: number) => scene.enforcer.status().relayers[n] as RelayerStatus
  /** Resolves when the n-th feed has been read up to a point. */
  const at = (point: { readonly epoch: string; readonly number: number }, n: number) =>
    scene.relayerIs(({ position }) => position?.epoch === point.epoch && position.number === point.number, n)
  const freshness = (wanted: RelayerStatus['freshness'], n: number) =>
    scene.relayerIs((now) => now.freshness === wanted, n)
  /** A heartbeat of the n-th relayer, taken: what was sent before a kill was taken before it. */
  const beat = async (n: number) => {
    const feed = scene.feeds[n] as TestFeed
    feed.heartbeat()
    await at(feed.kill(agentTarget('01890a5d-ac96-8774-bcce-b302099a8059')), n)
  }
  return { ...scene, a, b, first, second, status, at, freshness, beat }
}
const bothReady = async (options: Parameters<typeof begin>[0] = {}) => {
  const scene = await begin(options)
  await scene.ready()
  return scene
}

test('one fresh relayer is enough to let in, and a kill of one that is stale since stands', async () => {
  const { ask, a, b, at, second, freshness, clock, status, beat } = await bothReady({
    enforcer: { maxStaleness: 3_000 },
  })
  await at(second.kill(agentTarget(uuidA)), 1)
  second.answerWith(() => true)
  clock.advance(1_900)
  await beat(0)
  clock.advance(1_500)
  await freshness('stale', 1)
  expect(status(0).freshness).toBe('fresh')
  expect(await ask(a)).toMatchObject({ status: 403 })
  expect(await ask(b)).toMatchObject({ status: 200 })
})

test('with minFresh 2 both must be fresh', async () => {
  const { ask, b, second, clock, beat } = await bothReady({
    enforcer: { minFresh: 2, maxStaleness: 3_000 },
  })
  expect(await ask(b)).toMatchObject({ status: 200 })
  second.answerWith(() => true)
  clock.advance(1_900)
  await beat(0)
  clock.advance(1_500)
  expect(await ask(b)).toMatchObject({ status: 503, body: expect.stringContaining('1 of 2') })
})

test('a relayer that was never there holds up neither the start nor a kill of the other', async () => {
  const prepare = ([, dead]: readonly TestFeed[]) => dead?.answerWith(() => true)
  const { ask, open, a, b, first, enforcer, freshness, relayerIs, status } = await begin({ prepare })
  await enforcer.ready()
  await freshness('fresh', 0)
  expect(status(1).freshness).toBe('no feed')
  const socket = await open(a)
  expect(await ask(socket)).toMatchObject({ status: 200 })
  const done = ended(socket)
  await relayerIs(({ connected }) => connected)
  first.kill(agentTarget(uuidA))
  await done
  expect(await ask(b)).toMatchObject({ status: 200 })
})

test('a blind relayer does not count as fresh, and its kills count all the same', async () => {
  const { ask, a, b, at, first, second, clock, freshness } = await bothReady()
  clock.advance(10)
  second.setBlind(true)
  second.heartbeat()
  await freshness('blind', 1)
  expect(await ask(b)).toMatchObject({ status: 200 })
  await at(second.kill(agentTarget(uuidA)), 1)
  expect(await ask(a)).toMatchObject({ status: 403 })
  first.setBlind(true)
  first.heartbeat()
  await freshness('blind', 0)
  expect(await ask(b)).toMatchObject({ status: 503 })
})

test('a hostile relayer kills whom it likes, but takes back nothing that another says', async () => {
  const { ask, a, b, at, first, second, clock } = await bothReady()
  await at(first.kill(agentTarget(uuidA)), 0)
  const row = killRow(agentTarget(uuidA), { provisional: false, finalSequence: 0 })
  for (const type of ['kill', 'withdrawn', 'resumed', 'dropped'] as const) {
    second.send(type, second.rowText(type, row))
    await at(second.position(), 1)
    expect(await ask(a)).toMatchObject({ status: 403 })
  }
  // Nor by a new epoch without any kill.
  second.newEpoch()
  clock.advance(2_000)
  second.heartbeat()
  await at(second.position(), 1)
  expect(await ask(a)).toMatchObject({ status: 403 })
  await at(second.kill(agentTarget(uuidB)), 1)
  expect(await ask(b)).toMatchObject({ status: 403 })
})

test('a relayer that floods its stream does not keep a kill of the other from being read', async () => {
  const { open, ask, a, first, second } = await bothReady()
  const socket = await open(a)
  expect(await ask(socket)).toMatchObject({ status: 200 })
  const done = ended(socket)
  const flood = 'data: x\n\n'.repeat(7_000)
  for (const stream of second.streams) {
    const write = (): void => {
      while (!stream.destroyed && stream.write(flood));
    }
    stream.on('drain', write)
    write()
  }
  first.kill(agentTarget(uuidA))
  await done
})

test('rows of a dropped relayer go with it; dropping is refused where too few would be left', async () => {
  const { ask, b, at, second, first, enforcer } = await bothReady()
  await at(second.kill(agentTarget(uuidB)), 1)
  expect(await ask(b)).toMatchObject({ status: 403 })
  await expect(enforcer.dropRelayer('x')).rejects.toMatchObject({ option: 'relayers' })
  await enforcer.dropRelayer(second.relayer)
  expect(await ask(b)).toMatchObject({ status: 200 })
  expect(enforcer.status().relayers.map(({ relayer }) => relayer)).toEqual([first.relayer])
  await expect(enforcer.dropRelayer(first.relayer)).rejects.toMatchObject({ option: 'minFresh' })
  expect(await ask(b)).toMatchObject({ status: 200 })
})

test('a dropped relayer no longer counts as fresh', async () => {
  const { ask, b, first, second, clock, beat, enforcer } = await bothReady({
    enforcer: { maxStaleness: 3_000 },
  })
  first.answerWith(() => true)
  clock.advance(1_900)
  await beat(1)
  clock.advance(1_500)
  expect(await ask(b)).toMatchObject({ status: 200 })
  await enforcer.dropRelayer(second.relayer)
  expect(await ask(b)).toMatchObject({ status: 503 })
})
