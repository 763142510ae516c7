import { describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { createRegistry, type RegistryEvent } from '../../protocol/registry.ts'
import { agentTarget, ownerTarget, type Target, targetKey } from '../../protocol/scope.ts'
import { type Announcement, noMessage, type SignedMessage, signAnnouncements } from '../feed/position.ts'
import type { ChainBlock, SignedOrder } from './chainPort.ts'
import { createKillExecutor } from './executor.ts'
import { type Changes, type Journal, JournalFailedError } from './journalPort.ts'
import { createKillState } from './killState.ts'
import { type KillRecord, killState } from './record.ts'

const alice: Hex = `0x${'a1'.repeat(20)}`
const mallory: Hex = `0x${'bad0'.repeat(10)}`
const uuid = '01234567-89ab-8def-8123-456789abcdef'
const deployment = { chainId: 1, contract: `0x${'c0'.repeat(20)}` } as const
const hashOf = (number: number, fork = 0): Hex => `0x${(number * 16 + fork).toString(16).padStart(64, '0')}`

/** An executor over a journal in memory that can be made to fail, and a chain made by hand; times in seconds. */
function world(isSettled: (by: object) => Promise<boolean> = async () => false) {
  let now = 1_000_000
  const committed: Changes[] = []
  const published: SignedMessage[] = []
  const orders: KillRecord[] = []
  const refused: { readonly signed: SignedOrder; readonly error: Error }[] = []
  const forgotten: string[] = []
  let slept = 0
  let failing = false
  let last = noMessage
  let signatures = 0
  let nextId = 0
  const feed = { relayer: 'r', deployment: 'd', epoch: 'e' }
  const sign = () => new Uint8Array(64)
  const journal: Journal = {
    async commit(changes) {
      const messages = signAnnouncements(feed, last, changes.announcements ?? [], now, sign)
      last = messages.at(-1) ?? last
      if (failing) throw new JournalFailedError(messages, new Error('disk full'))
      committed.push(changes)
      return messages
    },
  }
  const state = createKillState(createRegistry(), [], [], [])
  const executor = createKillExecutor({
    state,
    journal,
    epoch: 'e',
    lastMessage: noMessage,
    verifySignature: async (_authority, _digest, signature) => {
      signatures += 1
      return signature === '0x01'
    },
    clock: { wall: () => now * 1000, monotonic: () => (now - slept) * 1000 },
    newId: () => `kill-${nextId++}`,
    svidHorizon: 360_000,
    maxBlind: 30_000,
    publish: (messages) => published.push(...messages),
    onOrder: (kill) => orders.push(kill),
    onRefused: (signed, error) => refused.push({ signed, error }),
    onForgotten: (killId) => forgotten.push(killId),
    isSettled,
  })
  const block = (number: number, events: readonly RegistryEvent[] = [], fork = 0): ChainBlock => ({
    number,
    hash: hashOf(number, fork),
    parentHash: hashOf(number - 1),
    time: now,
    seenMonotonic: now * 1000,
    events: events.map((event, logIndex) => ({ event, logIndex, txHash: `0x${'7'.repeat(64)}` })),
  })
  const take = async (number: number, events: readonly RegistryEvent[] = [], fork = 0) => {
    const taken = block(number, events, fork)
    await executor.takeBlocks([taken])
    return taken
  }
  const grant = (taken: ChainBlock) => executor.advanceGrantPoint(taken)
  const registered: RegistryEvent = {
    type: 'AgentRegistered',
    uuid,
    owner: alice,
    agentType: 'worker',
    key: `0x${'11'.repeat(32)}`,
    sequence: 1,
  }
  const order = (change: Partial<KillOrder> = {}, target: Target = agentTarget(uuid)): SignedOrder => {
    const message: KillOrder = {
      authority: alice,
      ...target,
      reason: 1,
      text: '',
      issuedAt: BigInt(now),
      deadline: BigInt(now + 600),
      nonce: 1n,
      ...change,
    }
    return { order: message, signature: '0x01', digest: killOrderDigest(deployment, message) }
  }
  const row = (target: Target = agentTarget(uuid)) =>
    executor.rows().find((one) => targetKey(one) === targetKey(target))
  const types = () => published.map((message) => message.type)
  const killed = (
    sequence: number,
    digest: Hex | null = null,
    target: Target = agentTarget(uuid),
  ): RegistryEvent => ({
    type: 'Killed',
    ...target,
    authority: alice,
    rank: Rank.Owner,
    reason: 1,
    sequence,
    orderDigest: digest,
    text: '',
  })
  return {
    executor,
    committed,
    published,
    orders,
    refused,
    forgotten,
    order,
    take,
    grant,
    registered,
    row,
    types,
    killed,
    block,
    fail: (on: boolean) => {
      failing = on
    },
    pass: (seconds: number) => {
      now += seconds
    },
    sleep: (seconds: number) => {
      now += seconds
      slept += seconds
    },
    now: () => now,
    signatures: () => signatures,
    /** The transactions of orphaned kills are sent again. */
    sendAgain: async (done = true) => {
      for (const { id, orphaned } of executor.kills()) {
        if (orphaned === null) continue
        const rebroadcast = { txHash: orphaned.txHash, at: now * 1000, error: done ? null : 'no node', done }
        await executor.noteTransaction(id, { rebroadcast })
      }
    },
    start: async () => grant(await take(1, [registered])),
  }
}

const agent = { uuid, owner: alice, agentType: 'worker' }

describe('an order', () => {
  test('is journalled with its row, audit entry and message before it is published', async () => {
    const w = world()
    await w.start()
    const kill = await w.executor.takeOrder(w.order())
    expect(kill).toMatchObject({
      durable: { at: expect.any(Number) },
      published: { at: expect.any(Number) },
      rank: Rank.Owner,
    })
    expect(w.committed.find((changes) => changes.announcements?.length === 1)).toMatchObject({
      kills: [{ id: kill.id }],
      rows: [{ finalAt: null }],
      announcements: [{ type: 'kill' }],
      audit: [{ action: 'kill' }],
    })
    expect(w.types()).toEqual(['kill'])
    expect(w.row()).toMatchObject({ provisional: true, finalSequence: 0 })
    expect(w.executor.mayHoldSvid(agent)).toBe(false)
    expect(w.orders.map((one) => one.id)).toEqual([kill.id])
  })

  test('identical, even at the same moment, is one kill', async () => {
    const w = world()
    await w.start()
    const [a, b] = await Promise.all([w.executor.takeOrder(w.order()), w.executor.takeOrder(w.order())])
    const c = await w.executor.takeOrder(w.order())
    expect(new Set([a.id, b.id, c.id]).size).toBe(1)
    expect(w.types()).toEqual(['kill'])
    expect(w.orders).toHaveLength(1)
  })

  test('another, for a subject that is killed already, counts anew and is held apart', async () => {
    const w = world()
    await w.start()
    const first = await w.executor.takeOrder(w.order())
    const second = await w.executor.takeOrder(w.order({ nonce: 2n }))
    expect(second.id).not.toBe(first.id)
    expect(w.executor.origins(agentTarget(uuid)).map((one) => one.id)).toEqual([first.id, second.id])
  })

  test('two with one nonce at the same moment: one is taken', async () => {
    const w = world()
    await w.start()
    const results = await Promise.allSettled([
      w.executor.takeOrder(w.order()),
      w.executor.takeOrder(w.order({ reason: 2 })),
    ])
    expect(results.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test.each([
    ['unknown agent', {}, agentTarget('01234567-89ab-8def-8123-000000000000')],
    ['not authorized', { authority: mallory }, agentTarget(uuid)],
    ['unknown wallet', { authority: mallory }, ownerTarget(mallory)],
  ] as const)('is refused as %s before its signature is looked at', async (kind, change, target) => {
    const w = world()
    await w.start()
    await expect(w.executor.takeOrder(w.order(change, target))).rejects.toMatchObject({ kind })
    expect(w.signatures()).toBe(0)
    expect(w.types()).toEqual([])
  })

  test('issued before the request of an executed resume is void, at its second and after it is not', async () => {
    const w = world()
    await w.start()
    const request = w.now()
    w.pass(10)
    await w.grant(
      await w.take(2, [
        w.killed(2),
        { type: 'Resumed', ...agentTarget(uuid), authority: alice, sequence: 3, requestTime: request },
      ]),
    )
    await expect(
      w.executor.takeOrder(w.order({ issuedAt: BigInt(request - 1), nonce: 5n })),
    ).rejects.toMatchObject({ kind: 'superseded' })
    await w.executor.takeOrder(w.order({ issuedAt: BigInt(request), nonce: 6n }))
    await w.executor.takeOrder(w.order({ issuedAt: BigInt(request + 1), nonce: 7n }))
  })

  test('is published although the journal fails, and the caller is told', async () => {
    const w = world()
    await w.start()
    w.fail(true)
    await expect(w.executor.takeOrder(w.order())).rejects.toBeInstanceOf(JournalFailedError)
    expect(w.types()).toEqual(['kill'])
    expect(w.row()?.provisional).toBe(true)
    expect(w.executor.kills()[0]).toMatchObject({ durable: null })
    expect(w.orders).toHaveLength(1)
  })

  test('again after a failed journal becomes durable before it is answered', async () => {
    const w = world()
    await w.start()
    w.fail(true)
    await expect(w.executor.takeOrder(w.order())).rejects.toBeInstanceOf(JournalFailedError)
    await expect(w.executor.takeOrder(w.order())).rejects.toBeInstanceOf(JournalFailedError)
    w.fail(false)
    expect(await w.executor.takeOrder(w.order())).toMatchObject({ durable: { at: expect.any(Number) } })
    expect(w.types()).toEqual(['kill'])
  })

  test('that somebody else landed is answered with that kill, and kills nothing again after a resume', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    await w.grant(await w.take(2, [w.killed(2, signed.digest)]))
    expect(await w.executor.takeOrder(signed)).toMatchObject({ id: w.executor.kills()[0]?.id })
    await w.grant(
      await w.take(3, [
        { type: 'Resumed', ...agentTarget(uuid), authority: alice, sequence: 3, requestTime: 0 },
      ]),
    )
    await w.executor.takeOrder(signed)
    expect(w.executor.kills()).toHaveLength(1)
    expect(w.executor.mayHoldSvid(agent)).toBe(true)
  })

  test('first seen in a block is an order once it is brought: a reorg does not undo it, a forged one changes nothing', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const landed = await w.take(2, [w.killed(2, signed.digest)])
    await w.executor.takeOrder({ ...signed, signature: '0x02' })
    expect(w.executor.kills()[0]?.order).toBe(null)
    w.fail(true)
    await expect(w.executor.takeOrder(signed)).rejects.toBeInstanceOf(JournalFailedError)
    await expect(w.executor.takeOrder(signed)).rejects.toBeInstanceOf(JournalFailedError)
    w.fail(false)
    expect(await w.executor.takeOrder(signed)).toMatchObject({ order: { digest: signed.digest } })
    expect(w.orders).toHaveLength(1)
    await w.executor.dropBlocks([landed])
    await w.take(2, [], 1)
    await w.grant(await w.take(3))
    expect(w.row()?.provisional).toBe(true)
    expect(w.types()).toEqual(['kill'])
  })

  test('that lands is the same kill, and final at the grant point', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const { id } = await w.executor.takeOrder(signed)
    const landed = await w.take(2, [w.killed(2, signed.digest)])
    expect(w.executor.kills()).toHaveLength(1)
    expect(killState(w.executor.kill(id) as KillRecord)).toBe('on chain')
    await w.grant(landed)
    expect(killState(w.executor.kill(id) as KillRecord)).toBe('final')
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
    expect(w.types()).toEqual(['kill', 'final'])
  })

  test('that another relayer landed in a dropped block kills anew once that kill is withdrawn', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const landed = await w.take(2, [w.killed(2, signed.digest)])
    await w.executor.dropBlocks([landed])
    await w.sendAgain()
    await w.grant(await w.take(2, [], 1))
    const [first] = w.executor.kills()
    expect(killState(first as KillRecord)).toBe('withdrawn')
    expect(w.executor.mayHoldSvid(agent)).toBe(true)

    const second = await w.executor.takeOrder(signed)
    expect(second.id).not.toBe(first?.id)
    expect(killState(second)).toBe('enforced')
    expect(w.row()?.provisional).toBe(true)
    expect(w.orders.map((one) => one.id)).toEqual([second.id])
    expect(await w.executor.takeOrder(signed)).toMatchObject({ id: second.id })
    await w.grant(await w.take(3, [w.killed(2, signed.digest)]))
    expect(killState(w.executor.kill(second.id) as KillRecord)).toBe('final')
    expect(w.types()).toEqual(['kill', 'withdrawn', 'kill', 'final'])
  })

  test('whose block is dropped stays enforced until it lands again', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const { id } = await w.executor.takeOrder(signed)
    const landed = await w.take(2, [w.killed(2, signed.digest)])
    await w.executor.dropBlocks([landed])
    await w.grant(await w.take(2, [], 1))
    await w.grant(await w.take(3))
    expect(w.row()?.provisional).toBe(true)
    await w.grant(await w.take(4, [w.killed(2, signed.digest)]))
    expect(killState(w.executor.kill(id) as KillRecord)).toBe('final')
  })

  test('burnt is withdrawn only once the burning is final and effective', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const { id } = await w.executor.takeOrder(signed)
    const effectiveAt = w.now() + 100
    const burnt = await w.take(2, [
      {
        type: 'OrderBurned',
        authority: alice,
        nonce: 1n,
        orderDigest: signed.digest,
        burner: alice,
        effectiveAt,
      } as RegistryEvent,
    ])
    expect(w.row()?.provisional).toBe(true)
    await w.grant(burnt)
    expect(w.row()?.provisional).toBe(true)
    w.pass(99)
    await w.grant(await w.take(3))
    expect(w.row()?.provisional).toBe(true)
    w.pass(1)
    await w.grant(await w.take(4))
    expect(killState(w.executor.kill(id) as KillRecord)).toBe('withdrawn')
    expect(w.executor.kill(id)?.withdrawnBecause).toBe('burnt')
    expect(w.row()?.provisional).toBe(false)
    expect(w.types()).toEqual(['kill', 'withdrawn'])
    await expect(w.executor.takeOrder(signed)).rejects.toMatchObject({ kind: 'burnt' })
    await expect(
      w.executor.takeOrder(w.order({ issuedAt: BigInt(w.now() - 50), nonce: 1n })),
    ).rejects.toMatchObject({ kind: 'replayed' })
    expect(w.executor.mayHoldSvid(agent)).toBe(true)
  })
})

test('how the orders of a batch were sent is written in one commit, behind which no kill waits long', async () => {
  const w = world()
  await w.start()
  const kills = await Promise.all([1n, 2n, 3n, 4n].map((nonce) => w.executor.takeOrder(w.order({ nonce }))))
  await w.executor.note({})
  const before = w.committed.length
  const txHash: Hex = `0x${'7'.repeat(64)}`
  await Promise.all([
    ...kills.slice(0, 3).map(({ id }) => w.executor.noteSent(id, { txHash })),
    w.executor.noteSent(kills[3]?.id as string, { error: 'no node answered' }),
    w.executor.noteSent('unknown', { txHash }),
  ])
  const commits = w.committed.slice(before)
  expect(commits).toHaveLength(1)
  expect(commits[0]?.kills).toMatchObject([
    ...kills.slice(0, 3).map(({ id }) => ({ id, sentTx: txHash, sendError: null })),
    { id: kills[3]?.id, sentTx: null, sendError: 'no node answered' },
  ])
  expect(commits[0]?.audit?.map(({ action }) => action)).toEqual([
    ...Array<string>(3).fill('order sent'),
    'order not sent',
  ])
})

describe('an order that never landed', () => {
  const resumed = (request: number): RegistryEvent => ({
    type: 'Resumed',
    ...agentTarget(uuid),
    authority: alice,
    sequence: 3,
    requestTime: request,
  })

  test('issued before the request of a resume is withdrawn when that is final; one issued at its second stands', async () => {
    const w = world()
    await w.start()
    const before = await w.executor.takeOrder(w.order())
    w.pass(1)
    const request = w.now()
    const at = await w.executor.takeOrder(w.order({ nonce: 2n }))
    w.pass(10)
    const block = await w.take(2, [w.killed(2), resumed(request)])
    expect(w.executor.kill(before.id)?.withdrawn).toBe(null)
    await w.grant(block)
    expect(w.executor.kill(before.id)).toMatchObject({ withdrawn: {}, withdrawnBecause: 'superseded' })
    expect(killState(w.executor.kill(at.id) as KillRecord)).toBe('enforced')
    expect(w.row()?.provisional).toBe(true)
  })

  test('and that a resume made void holds its subject no longer: it gets an SVID again', async () => {
    const w = world()
    await w.start()
    await w.executor.takeOrder(w.order())
    w.pass(1)
    await w.grant(await w.take(2, [w.killed(2), resumed(w.now())]))
    expect(w.executor.mayHoldSvid(agent)).toBe(true)
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
    expect(w.types()).toContain('withdrawn')
  })

  test('nor one that a lowering of the rank made void; but the owner’s kill below still does', async () => {
    const w = world()
    await w.start()
    const order = await w.executor.takeOrder(w.order())
    w.pass(1)
    const lowered: RegistryEvent = {
      type: 'RankLowered',
      ...agentTarget(uuid),
      authority: alice,
      requestTime: w.now(),
    }
    const taken = await w.take(2, [w.killed(2), lowered])
    expect(w.executor.kill(order.id)?.withdrawn).toBe(null)
    const before = w.committed.length
    await w.grant(taken)
    expect(w.executor.kill(order.id)).toMatchObject({ withdrawnBecause: 'superseded' })
    expect(w.executor.mayHoldSvid(agent)).toBe(false)
    expect(w.types()).not.toContain('resumed')
    expect(
      w.committed.slice(before).flatMap(({ audit }) => audit?.filter(({ action }) => /lowered/.test(action))),
    ).toMatchObject([
      { action: 'rank lowered', actor: alice, detail: { scope: 'Agent', subject: uuid, rank: 'Owner' } },
    ])
  })

  test('is not undone by its deadline', async () => {
    const w = world()
    await w.start()
    await w.executor.takeOrder(w.order())
    w.pass(601)
    await w.grant(await w.take(2))
    expect(w.row()?.provisional).toBe(true)
  })
})

describe('a kill in a block', () => {
  test('acts at first sight and grants nothing before the grant point', async () => {
    const w = world()
    await w.start()
    await w.take(2, [
      w.killed(2),
      { type: 'Resumed', ...agentTarget(uuid), authority: alice, sequence: 3, requestTime: 0 },
    ])
    expect(w.row()).toMatchObject({ provisional: true })
    expect(w.executor.mayHoldSvid(agent)).toBe(false)
  })

  test('of a dropped block is withdrawn only when finality has passed its height', async () => {
    const w = world()
    await w.start()
    const two = await w.take(2)
    const three = await w.take(3, [w.killed(2)])
    await w.executor.dropBlocks([three])
    await w.sendAgain()
    await w.grant(two)
    expect(w.row()?.provisional).toBe(true)
    await w.grant(await w.take(3, [], 1))
    expect(w.row()?.provisional).toBe(false)
    expect(w.types()).toEqual(['kill', 'withdrawn'])
    expect(w.executor.kills()).toMatchObject([{ withdrawnBecause: 'dropped by a reorg' }])
    expect(w.executor.mayHoldSvid(agent)).toBe(true)
  })

  test('of a dropped block is not withdrawn before it was sent again and finality has passed that moment', async () => {
    const w = world()
    await w.start()
    await w.executor.takeKills(w.block(2, [w.killed(2)], 1))
    // Sent again after an earlier reorg: that does not count for the next.
    await w.sendAgain()
    const two = await w.take(2, [w.killed(2)])
    w.pass(1)
    await w.executor.dropBlocks([two])
    // A catch-up after an outage: dropped and back-filled past in one go.
    await w.grant(await w.take(3, [], 1))
    expect(killState(w.executor.kills()[0] as KillRecord)).toBe('enforced')
    await w.sendAgain(false)
    await w.grant(await w.take(4))
    expect(killState(w.executor.kills()[0] as KillRecord)).toBe('enforced')
    const older = await w.take(5)
    w.pass(1)
    await w.sendAgain()
    await w.grant(older)
    expect(killState(w.executor.kills()[0] as KillRecord)).toBe('enforced')
    await w.grant(await w.take(6))
    expect(killState(w.executor.kills()[0] as KillRecord)).toBe('withdrawn')
  })

  test('is published although the journal fails, and does not hold up the chain', async () => {
    const w = world()
    await w.start()
    w.fail(true)
    const block = await w.take(2, [w.killed(2)])
    await w.grant(block)
    expect(w.types()).toEqual(['kill', 'final'])
    expect(w.executor.kills()[0]).toMatchObject({ durable: null })
    w.fail(false)
    w.pass(60)
    await w.take(3)
    expect(w.executor.kills()[0]).toMatchObject({ durable: { at: w.now() * 1000 } })
    await w.executor.note({})
    expect(w.committed.at(-1)?.kills?.[0]).toMatchObject({ durable: { at: w.now() * 1000 } })
  })

  test('handed in again is one kill', async () => {
    const w = world()
    await w.start()
    const block = await w.take(2, [w.killed(2)])
    await w.executor.takeBlocks([block])
    await w.grant(block)
    expect(w.executor.kills()).toHaveLength(1)
    expect(w.types()).toEqual(['kill', 'final'])
  })

  test('that a reorg moves to another block is the same kill', async () => {
    const w = world()
    await w.start()
    const two = await w.take(2, [w.killed(2)])
    await w.executor.dropBlocks([two])
    await w.take(2, [], 1)
    await w.grant(await w.take(3, [w.killed(2)]))
    expect(w.executor.kills()).toHaveLength(1)
    expect(w.types()).toEqual(['kill', 'final'])
  })

  test('keeps the row while another origin is open: it goes with its last origin', async () => {
    const w = world()
    await w.start()
    await w.executor.takeOrder(w.order())
    await w.grant(await w.take(2, [w.killed(2)]))
    expect(w.row()).toMatchObject({ provisional: true, finalSequence: 2 })
  })

  test('that is resumed leaves old SVIDs dead: the final sequence stays', async () => {
    const w = world()
    await w.start()
    await w.grant(await w.take(2, [w.killed(2)]))
    await w.grant(
      await w.take(3, [
        { type: 'Resumed', ...agentTarget(uuid), authority: alice, sequence: 3, requestTime: w.now() },
      ]),
    )
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
    expect(w.types()).toEqual(['kill', 'final', 'resumed'])
    expect(w.executor.mayHoldSvid(agent)).toBe(true)
  })
})

describe('a kill in a block that is not held', () => {
  test('acts at once, and is the same kill when the block is taken', async () => {
    const w = world()
    await w.start()
    const seen = w.block(2, [w.killed(2)])
    await w.executor.takeKills(seen)
    expect(w.row()).toMatchObject({ provisional: true })
    expect(w.executor.kills()).toMatchObject([{ landing: null, orphaned: { height: 2 }, durable: {} }])
    await w.executor.takeBlocks([seen])
    await w.executor.takeKills(seen)
    await w.grant(seen)
    expect(w.executor.kills()).toMatchObject([{ orphaned: null, final: {}, landing: { blockNumber: 2 } }])
    expect(w.types()).toEqual(['kill', 'final'])
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
  })

  test('is withdrawn when finality has passed the block that first showed it, though others show it ever higher', async () => {
    const w = world()
    await w.start()
    await w.executor.takeKills(w.block(3, [w.killed(2)], 1))
    for (let height = 4; height < 9; height++) await w.executor.takeKills(w.block(height, [w.killed(3)], 2))
    await w.sendAgain()
    await w.grant(await w.take(2))
    expect(w.executor.kills()).toMatchObject([{ withdrawn: null }])
    await w.grant(await w.take(3))
    expect(w.executor.kills()).toMatchObject([{ withdrawn: {} }])
    expect(w.types()).toEqual(['kill', 'withdrawn'])
  })

  test.each([
    ['transaction', null],
    ['order', `0x${'12'.repeat(32)}` as Hex],
  ])(
    'is not revived, once it was withdrawn, by another block with its %s; the chain itself may',
    async (_, digest) => {
      const w = world()
      await w.start()
      await w.executor.takeKills(w.block(2, [w.killed(2, digest)], 1))
      await w.sendAgain()
      await w.grant(await w.take(2))
      for (let height = 3; height < 6; height++)
        await w.executor.takeKills(w.block(height, [w.killed(2, digest)], 2))
      expect(w.types()).toEqual(['kill', 'withdrawn'])
      expect(w.row()).toMatchObject({ provisional: false, finalSequence: 0 })
      await w.take(3, [w.killed(2, digest)])
      expect(w.types()).toEqual(['kill', 'withdrawn', 'kill'])
    },
  )

  test('is none if the store knows its transaction or its order for settled; a store that fails holds up none', async () => {
    const digest: Hex = `0x${'12'.repeat(32)}`
    const asked: unknown[] = []
    let answer = Promise.resolve(true)
    const w = world((by) => {
      asked.push(by)
      return answer
    })
    await w.start()
    await w.executor.takeKills(w.block(2, [w.killed(2), w.killed(3, digest)], 1))
    expect(asked).toEqual([{ txHash: `0x${'7'.repeat(64)}` }, { digest }])
    expect(w.executor.kills()).toEqual([])
    answer = Promise.reject(new Error('disk full'))
    await w.executor.takeKills(w.block(2, [w.killed(2)], 1))
    expect(w.executor.kills()).toHaveLength(1)
  })

  test('grants nothing: what else the block holds is left out', async () => {
    const w = world()
    await w.executor.takeKills(w.block(1, [w.registered]))
    await w.grant(await w.take(1))
    expect(w.executor.registry.agents.size).toBe(0)
  })

  test('is none if its transaction or its order is final elsewhere', async () => {
    const w = world()
    await w.start()
    const { digest } = w.order()
    await w.grant(await w.take(2, [w.killed(2, digest)]))
    const before = [w.executor.kills(), w.executor.rows(), w.types()]
    await w.executor.takeKills(w.block(3, [w.killed(2)], 1))
    const otherTransaction = w.block(3, [w.killed(2, digest)], 2)
    await w.executor.takeKills({
      ...otherTransaction,
      events: otherTransaction.events.map((one) => ({ ...one, txHash: `0x${'8'.repeat(64)}` })),
    })
    expect([w.executor.kills(), w.executor.rows(), w.types()]).toEqual(before)
  })

  test('of an order that is enforced already changes nothing', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    await w.executor.takeOrder(signed)
    await w.executor.takeKills(w.block(2, [w.killed(2, signed.digest)]))
    expect(w.executor.kills()).toMatchObject([{ order: {}, orphaned: null }])
    expect(w.types()).toEqual(['kill'])
  })

  test('handed in again after a failed journal is one kill, and is written then', async () => {
    const w = world()
    await w.start()
    const seen = w.block(2, [w.killed(2)])
    w.fail(true)
    await expect(w.executor.takeKills(seen)).rejects.toThrow(JournalFailedError)
    expect(w.row()).toMatchObject({ provisional: true })
    w.fail(false)
    await w.executor.takeKills(seen)
    expect(w.committed.at(-1)?.kills).toMatchObject([{ orphaned: { height: 2 } }])
    expect(w.types()).toEqual(['kill'])
  })
})

test('a row is dropped when no SVID can be older, one second before it is not', async () => {
  const w = world()
  await w.start()
  await w.grant(await w.take(2, [w.killed(2)]))
  w.pass(360)
  await w.executor.tidy()
  expect(w.row()).toBeDefined()
  w.pass(1)
  await w.executor.tidy()
  expect(w.row()).toBeUndefined()
  expect(w.types().at(-1)).toBe('dropped' satisfies Announcement['type'])
})

describe('a settled kill', () => {
  const deadline = 600
  /** A kill by an order, then 1,000 by transaction; all final. */
  const many = async (w: ReturnType<typeof world>) => {
    await w.start()
    const signed = w.order({ deadline: BigInt(w.now() + deadline) })
    const { id } = await w.executor.takeOrder(signed)
    const events = Array.from({ length: 1_000 }, (_, i) => w.killed(3 + i))
    await w.grant(await w.take(2, [w.killed(2, signed.digest), ...events]))
    return { id, signed }
  }

  test('beyond the latest thousand is no longer at hand once its order has expired, and is said to be gone', async () => {
    const w = world()
    const { id, signed } = await many(w)
    const last = w.executor.kills()[0]?.id as string
    await w.executor.tidy()
    expect(w.forgotten).toEqual(['kill-1'])
    expect(w.executor.kill('kill-1')).toBeUndefined()
    expect(await w.executor.takeOrder(signed)).toMatchObject({ id })
    w.pass(deadline + 1)
    await w.take(3, [w.killed(1_003)])
    await w.executor.tidy()
    expect(w.forgotten).toEqual(['kill-1', id])
    expect(w.executor.kills()).toHaveLength(1_000)
    expect(w.executor.kill(last)).toBeDefined()
  })
})

test('a refused order is told of, with why; a journal that fails refuses nothing', async () => {
  const w = world()
  await w.start()
  const refused = w.order({ authority: mallory })
  await expect(w.executor.takeOrder(refused)).rejects.toThrow()
  expect(w.refused).toMatchObject([{ signed: refused, error: { kind: 'not authorized' } }])
  w.fail(true)
  await expect(w.executor.takeOrder(w.order())).rejects.toBeInstanceOf(JournalFailedError)
  expect(w.refused).toHaveLength(1)
})

test('without a new head for maxBlind the relayer calls itself blind', async () => {
  const w = world()
  expect(w.executor.chainView().blind).toBe(true)
  await w.start()
  expect(w.executor.chainView().blind).toBe(true)
  w.executor.noteHead(w.block(1))
  w.pass(30)
  expect(w.executor.chainView().blind).toBe(false)
  w.pass(1)
  expect(w.executor.chainView().blind).toBe(true)
  w.executor.noteHead(w.block(1))
  expect(w.executor.chainView().blind).toBe(false)
  // The machine slept: only the wall clock went on.
  w.sleep(31)
  expect(w.executor.chainView().blind).toBe(true)
})

describe('blocks that are final already', () => {
  test('are one message and one row for each subject, and kills that are final at once', async () => {
    const w = world()
    await w.start()
    const other = ownerTarget(mallory)
    await w.executor.takeFinal([
      w.block(2, [w.killed(2), w.killed(3, null, other)]),
      w.block(3, [w.killed(4), w.killed(5)]),
    ])
    expect(w.types()).toEqual(['final', 'final'])
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 5 })
    expect(w.row(other)).toMatchObject({ provisional: false, finalSequence: 3 })
    expect(w.executor.kills().map(killState)).toEqual(['final', 'final', 'final', 'final'])
    expect(w.executor.kills().every(({ feed, durable }) => feed.number === 2 && durable !== null)).toBe(true)
    expect(w.executor.registry.sequence).toBe(5)
    expect(w.executor.chainView().grantPoint?.number).toBe(3)
    expect(w.committed.at(-1)?.kills).toHaveLength(4)
    expect(w.committed.at(-1)?.audit?.map(({ action }) => action)).toEqual(Array(4).fill('kill final'))
  })

  test('end the same as taken and granted one by one', async () => {
    const events = (w: ReturnType<typeof world>) => [
      [w.killed(2), w.killed(3, null, ownerTarget(alice))],
      [w.killed(4), { type: 'GuardianAppointed', owner: alice, guardian: mallory } as const],
      [w.killed(5, null, ownerTarget(mallory))],
    ]
    const slow = world()
    await slow.start()
    for (const [i, all] of events(slow).entries()) await slow.grant(await slow.take(2 + i, all))
    const fast = world()
    await fast.start()
    await fast.executor.takeFinal(events(fast).map((all, i) => fast.block(2 + i, all)))
    const settled = (w: ReturnType<typeof world>) =>
      w.executor.kills().map(({ feed: _, ...kill }) => ({ ...kill, durable: null, published: null }))
    expect(settled(fast)).toEqual(settled(slow))
    expect(fast.executor.rows()).toEqual(slow.executor.rows())
    expect(fast.executor.registry).toEqual(slow.executor.registry)
  })

  test('hold the landing of an order that was enforced before', async () => {
    const w = world()
    await w.start()
    const signed = w.order()
    const { id } = await w.executor.takeOrder(signed)
    await w.executor.takeFinal([w.block(2, [w.killed(2, signed.digest)])])
    expect(w.executor.kills()).toHaveLength(1)
    expect(killState(w.executor.kill(id) as KillRecord)).toBe('final')
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
  })

  test('are taken also when the store refuses them, and written later', async () => {
    const w = world()
    await w.start()
    w.fail(true)
    await w.executor.takeFinal([w.block(2, [w.killed(2)])]).catch(() => undefined)
    expect(w.row()).toMatchObject({ provisional: false, finalSequence: 2 })
    expect(w.types()).toEqual(['final'])
  })
})

test('many orders of one authority for one subject are one kill from the seventeenth on; another authority still counts', async () => {
  const w = world()
  await w.start()
  const kills: KillRecord[] = []
  for (let nonce = 1n; nonce <= 40n; nonce += 1n) kills.push(await w.executor.takeOrder(w.order({ nonce })))
  expect(new Set(kills.map(({ id }) => id)).size).toBe(16)
  expect(kills.at(-1)?.id).toBe(kills[15]?.id)
  expect(w.types().filter((type) => type === 'kill')).toHaveLength(16)
  // Another's order, as every authority's, stands for itself.
  await w.take(2, [w.killed(2)])
  expect(w.executor.kills()).toHaveLength(17)
})

test('rows die a few at a time, so that no kill waits for thousands', async () => {
  const w = world()
  await w.start()
  const events = Array.from({ length: 600 }, (_, i) =>
    w.killed(2 + i, null, ownerTarget(`0x${(i + 1).toString(16).padStart(40, '0')}`)),
  )
  await w.grant(await w.take(2, events))
  w.pass(361)
  const left: number[] = []
  for (let i = 0; i < 4; i += 1) {
    await w.executor.tidy()
    left.push(w.executor.rows().length)
  }
  expect(left).toEqual([350, 100, 0, 0])
})

test('a confirmation waits for at most two commits of reports, however many wait', async () => {
  const w = world()
  const entry = (action: string) => ({ action, actor: 'p', spiffeId: null, time: 1, detail: {} })
  const reported = Array.from({ length: 4 }, () =>
    w.executor.noteReported(Array.from({ length: 200 }, () => entry('access'))),
  )
  await w.executor.note({ audit: [entry('kill confirmed')] })
  expect(w.committed.map(({ audit }) => audit?.at(-1)?.action)).toEqual([
    'access',
    'access',
    'kill confirmed',
  ])
  await Promise.all(reported)
})
