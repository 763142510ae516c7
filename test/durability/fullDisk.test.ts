// A full and a failing disk, both real: kills are enforced and published all the same, the caller and the operator are
// told, and what was decided meanwhile is written in its order once there is space.
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { agentTarget, Scope } from '../../protocol/scope.ts'
import {
  accounts,
  killBody,
  startChain,
  startRelayer,
  type TestAgent,
  type TestChain,
  type TestRelayer,
  until,
} from '../relayer/world.ts'
import { createFeedWatch, type FeedWatch } from './support/feedWatch.ts'
import { createSmallDisk, type SmallDisk } from './support/smallDisk.ts'
import { viewStore } from './support/storeView.ts'
import { post } from './support/workload.ts'

/** More blocks than a follower reads in one step, so that it must go on from what the store did not take. */
const notFinal = 100

const made = createSmallDisk(24)
if (typeof made === 'string') process.stderr.write(`full and failing disks are not tested: ${made}\n`)

describe.skipIf(typeof made === 'string')('a disk that takes no writes', () => {
  const disk = made as SmallDisk
  let chain: TestChain
  let relayer: TestRelayer
  let agent: TestAgent
  let watch: FeedWatch
  const data = () => path.join(disk.folder, 'data')
  const start = async () => {
    relayer = await startRelayer(chain, { data: data(), grantPoint: { kind: 'depth', blocks: notFinal } })
    const { entered } = watch === undefined ? { entered: null } : watch.follow(relayer.url)
    await entered
  }

  beforeAll(async () => {
    chain = await startChain()
    agent = await chain.register(accounts.alice)
    await chain.test.mine({ blocks: notFinal })
    await start()
    watch = createFeedWatch(relayer.relayer, chain.deployment)
    await watch.follow(relayer.url).entered
  })
  afterAll(async () => {
    await relayer?.stop().catch(() => undefined)
    await chain?.stop()
    disk.remove()
  })

  const newOrder = () => killBody(chain.deployment, accounts.alice, agent)
  const send = async (order: unknown) => post(relayer.url, '/api/kill', order)
  const killsOnFeed = () => watch.published.filter(({ type }) => type === 'kill')
  const readiness = async () => {
    const answer = await fetch(`${relayer.url}/readyz`)
    return { status: answer.status, body: (await answer.json()) as { detail?: string } }
  }
  const metric = async (name: string) =>
    Number(
      new RegExp(`^killswitch_${name} (\\d+)$`, 'm').exec(
        await (await fetch(`${relayer.url}/metrics`)).text(),
      )?.[1],
    )
  const killByTransaction = (text: string) =>
    chain.send(accounts.alice, 'kill', [Scope.Agent, agentTarget(agent.uuid).subject, 1, text])
  const published = (text: string) =>
    until(`the kill "${text}" on the feed`, async () => killsOnFeed().some(({ row }) => row.text === text))

  /** The feed as subscribers saw it and the feed as stored are the same, without gaps; checked on the stopped store. */
  const expectAllStored = async () => {
    const store = await viewStore(data())
    for (const { number, epoch, hash } of watch.published)
      expect(store?.messages.get(number)).toEqual({ epoch, hash })
    for (const { row } of killsOnFeed()) expect(store?.kills.has(row.killId)).toBe(true)
    return store
  }

  test('full: kills go on, by order and by transaction, and nothing of them is lost once there is space', async () => {
    expect((await send(await newOrder()))?.status).toBe(202)
    disk.fill()
    const before = killsOnFeed().length
    // What is allocated already takes some more.
    const refused = await until('an answer that is not durable', async () => {
      const order = await newOrder()
      const answer = await send(order)
      return answer?.status === 202 ? null : { order, answer }
    })
    expect(refused.answer).toMatchObject({
      status: 503,
      body: { type: 'https://killswitch.ai/problems/not-durable', detail: expect.stringMatching(/full/) },
    })
    expect(killsOnFeed().length).toBeGreaterThan(before)
    expect(await readiness()).toMatchObject({
      status: 503,
      body: {
        detail: expect.stringMatching(/the store has taken no writes since .*full.*free or mend its disk/),
      },
    })
    expect(await metric('store_failing')).toBe(1)
    expect(await metric('unwritten_decisions')).toBeGreaterThan(0)

    await chain.test.mine({ blocks: 70 })
    await killByTransaction('on the full disk')
    await published('on the full disk')
    await chain.test.mine({ blocks: 70 })
    await killByTransaction('still full')
    await published('still full')
    expect((await send(refused.order))?.status).toBe(503)
    // Not blind: what it publishes is of the head of the chain.
    await until(
      'the head',
      async () => (await metric('head_block')) === Number(await chain.client.getBlockNumber()),
    )

    disk.free()
    await until('readiness', async () => (await readiness()).status === 200)
    expect(await metric('unwritten_decisions')).toBe(0)
    const again = await send(refused.order)
    expect(again?.status).toBe(202)
    expect(killsOnFeed().map(({ row }) => row.killId)).toContain(again?.body.killId)
    const { kills } = await relayer.get<{ kills: { timeline: { durableAt: number | null } }[] }>('/kills')
    expect(kills.map(({ timeline }) => timeline.durableAt)).not.toContain(null)

    await relayer.stop()
    const store = await expectAllStored()
    expect(store?.kills.has(String(again?.body.killId))).toBe(true)
  })

  test('full from the start: the relayer starts, publishes kills and says that they are not durable', async () => {
    disk.fill()
    await start()
    await killByTransaction('full from the start')
    await published('full from the start')
    const order = await newOrder()
    await until('an answer that is not durable', async () => (await send(await newOrder()))?.status === 503)
    const answer = await send(order)
    expect(answer).toMatchObject({ status: 503, body: { type: expect.stringMatching(/not-durable/) } })
    disk.free()
    await until('readiness', async () => (await readiness()).status === 200)
    expect((await send(order))?.status).toBe(202)
    await relayer.stop()
    await expectAllStored()
  })

  test('failing: mounted read-only under the running relayer', async () => {
    await start()
    const acknowledged = await send(await newOrder())
    expect(acknowledged?.status).toBe(202)
    disk.fail()
    const before = killsOnFeed().length
    expect(await send(await newOrder())).toMatchObject({
      status: 503,
      body: { type: 'https://killswitch.ai/problems/not-durable' },
    })
    expect(killsOnFeed().length).toBe(before + 1)
    await killByTransaction('on the failed disk')
    await published('on the failed disk')
    expect((await readiness()).status).toBe(503)

    await relayer.stop()
    await expect(startRelayer(chain, { data: data() })).rejects.toThrow(/the store .* cannot be opened/)
    disk.mend()
    await start()
    expect((await fetch(`${relayer.url}/kills/${acknowledged?.body.killId}`)).status).toBe(200)
    await until('the kill by transaction, from the chain again', async () => {
      const { kills } = (await (await fetch(`${relayer.url}/kills`)).json()) as { kills: { text: string }[] }
      return kills.some(({ text }) => text === 'on the failed disk')
    })
  })
})
