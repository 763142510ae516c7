import { expect, test } from 'vitest'
import { Rank } from '../../protocol/rank.ts'
import { agentTarget } from '../../protocol/scope.ts'
import { createForwarder, type Delivery } from './forwarder.ts'
import type { KillRecord } from './record.ts'

const now = 1_000_000
const orderOf = (id: string, change: Partial<KillRecord> = {}): KillRecord => ({
  ...agentTarget('01234567-89ab-8def-8123-456789abcdef'),
  id,
  authority: `0x${'a1'.repeat(20)}`,
  rank: Rank.Owner,
  reason: 0,
  text: '',
  digest: '0x01',
  order: {
    digest: '0x01',
    signature: '0x02',
    message: {
      authority: `0x${'a1'.repeat(20)}`,
      scope: 0,
      subject: `0x${'00'.repeat(32)}`,
      reason: 0,
      text: '',
      issuedAt: '0',
      deadline: String(now),
      nonce: '1',
    },
  },
  seen: { at: 0, monotonic: 0 },
  durable: null,
  published: null,
  feed: { epoch: 'e', number: 1 },
  sentTx: null,
  sendError: null,
  landing: null,
  onChain: null,
  orphaned: null,
  final: null,
  withdrawn: null,
  ...change,
})

/** Other relayers whose answers are given one by one, and a clock whose pauses are ended by hand. */
function world(peers: readonly string[], answer: (peer: string, id: string, tryNumber: number) => Delivery) {
  const kills = new Map<string, KillRecord>()
  const tries: string[] = []
  const refused: string[] = []
  const pauses: { readonly ms: number; readonly task: () => void }[] = []
  let time = 0
  const forwarder = createForwarder({
    peers,
    deliver: async (peer, kill) => {
      tries.push(`${peer} ${kill.id}`)
      const made = answer(peer, kill.id, tries.filter((one) => one === `${peer} ${kill.id}`).length)
      if (made.outcome === 'later' && made.why === 'down') throw new Error('connection refused')
      return made
    },
    kill: (id) => kills.get(id),
    now: () => time,
    schedule: (ms, task) => {
      pauses.push({ ms, task })
      return () => {}
    },
    onRefused: (peer, id) => refused.push(`${peer} ${id}`),
  })
  const settle = async () => {
    for (let i = 0; i < 20; i += 1) await Promise.resolve()
  }
  return {
    kills,
    tries,
    refused,
    forwarder,
    settle,
    forward(kill: KillRecord) {
      kills.set(kill.id, kill)
      forwarder.forward(kill)
    },
    at(ms: number) {
      time = ms
    },
    /** Ends the oldest pause; its length. */
    async wait() {
      await settle()
      const pause = pauses.shift()
      pause?.task()
      await settle()
      return pause?.ms
    },
  }
}

test('every other relayer is handed the order, and one that is down again, later and later', async () => {
  const w = world(['a', 'b'], (peer, _, n) =>
    peer === 'a' || n === 4 ? { outcome: 'taken' } : { outcome: 'later', why: 'down' },
  )
  w.forward(orderOf('one'))
  expect([await w.wait(), await w.wait(), await w.wait(), await w.wait()]).toEqual([200, 400, 800, undefined])
  expect(w.tries).toEqual(['a one', 'b one', 'b one', 'b one', 'b one'])
})

test('a refusal ends it and is told', async () => {
  const w = world(['a'], () => ({ outcome: 'refused', why: '403' }))
  w.forward(orderOf('one'))
  expect(await w.wait()).toBeUndefined()
  expect(w.refused).toEqual(['a one'])
})

test('what is settled, or past its deadline, is handed to nobody any more', async () => {
  const w = world(['a'], () => ({ outcome: 'later', why: '503' }))
  const one = orderOf('one')
  w.forward(one)
  await w.settle()
  w.kills.set('one', { ...one, final: { at: 1, monotonic: 1 } })
  await w.wait()
  expect(w.tries).toEqual(['a one'])

  w.forward(orderOf('two'))
  await w.settle()
  w.at(now * 1000 + 1)
  await w.wait()
  expect(w.tries).toEqual(['a one', 'a two'])
  w.forward(orderOf('three'))
  expect(w.tries).toHaveLength(2)
})

test('a kill by transaction is not forwarded: the chain tells everybody', () => {
  const w = world(['a'], () => ({ outcome: 'taken' }))
  w.forward(orderOf('one', { order: null }))
  expect(w.tries).toEqual([])
})

test('orders that a relayer does not take yet leave their place to others while they wait', async () => {
  const w = world(['a'], (_peer, id) =>
    id.startsWith('later') ? { outcome: 'later', why: '403' } : { outcome: 'taken' },
  )
  for (let i = 0; i < 40; i += 1) w.forward(orderOf(`later${i}`))
  w.forward(orderOf('good'))
  for (let i = 0; i < 10; i += 1) await w.settle()
  expect(w.tries).toContain('a good')
})

test('of a relayer that takes none for now every order has its turn', async () => {
  const w = world(['a'], () => ({ outcome: 'busy', why: '503' }))
  for (let i = 0; i < 40; i += 1) w.forward(orderOf(`k${i}`))
  for (let i = 0; i < 5; i += 1) await w.wait()
  expect(new Set(w.tries).size).toBe(40)
})

test('a relayer that is down holds up at most so many requests, and no other relayer', async () => {
  const w = world(['down', 'up'], (peer) =>
    peer === 'up' ? { outcome: 'taken' } : { outcome: 'later', why: 'down' },
  )
  for (let i = 0; i < 100; i += 1) w.forward(orderOf(`k${i}`))
  for (let i = 0; i < 50; i += 1) await w.settle()
  expect(w.tries.filter((one) => one.startsWith('up'))).toHaveLength(100)
  expect(w.tries.filter((one) => one.startsWith('down'))).toHaveLength(16)
})
