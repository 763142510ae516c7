import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { TransactionRefusedError } from '../chainPort.ts'
import type { KillRecord } from '../record.ts'
import { createRebroadcaster } from './rebroadcaster.ts'

const txHash: Hex = `0x${'7'.repeat(64)}`
const landing = { blockNumber: 1_000, blockHash: txHash, logIndex: 0, txHash, sequence: 3 }
const orphaned = { height: 1_000, txHash, at: 0 }
const base = {
  id: 'k',
  order: null,
  landing,
  orphaned: null,
  final: null,
  withdrawn: null,
} as unknown as KillRecord

function world() {
  let now = 0
  let kill = base
  let known: Hex | null = '0xf00d'
  let refuse: TransactionRefusedError | null = null
  let silent = false
  const asked: Hex[] = []
  const sent: Hex[] = []
  const rebroadcaster = createRebroadcaster({
    keeper: {
      async keep(hash) {
        asked.push(hash)
        if (silent) throw new Error('no node answers')
        return known
      },
      async broadcast(raw) {
        if (refuse !== null) throw refuse
        sent.push(raw)
      },
    },
    kills: () => [kill],
    kill: () => kill,
    head: () => 1_100,
    async noteTransaction(_id, noted) {
      kill = { ...kill, ...noted }
    },
    clock: { wall: () => now, monotonic: () => now },
  })
  return {
    asked,
    sent,
    kill: () => kill,
    async becomes(fields: Partial<KillRecord>) {
      kill = { ...kill, ...fields }
      rebroadcaster.note(kill)
      await rebroadcaster.idle()
    },
    async tick(ms: number) {
      now += ms
      rebroadcaster.retry()
      await rebroadcaster.idle()
    },
    nodes(answer: Hex | null, refusal: TransactionRefusedError | null = null) {
      known = answer
      refuse = refusal
      silent = false
    },
    nobodyAnswers() {
      silent = true
    },
  }
}

test("a kill's transaction is kept while nodes still know it, and sent again once a reorg drops it", async () => {
  const { becomes, kill, sent, asked, nodes } = world()
  await becomes({})
  expect(kill().rawTx).toBe('0xf00d')
  nodes(null)
  await becomes({ landing: null, orphaned })
  expect(sent).toEqual(['0xf00d'])
  expect(asked.length).toBe(1)
  expect(kill().rebroadcast).toEqual({ txHash, at: 0, error: null, done: true })
})

test('it is sent again from time to time until it is back, and not when it is final or withdrawn', async () => {
  const { becomes, tick, sent } = world()
  await becomes({ landing: null, orphaned })
  await tick(14_999)
  expect(sent.length).toBe(1)
  await tick(1)
  expect(sent.length).toBe(2)
  await becomes({ landing, orphaned: null })
  await tick(15_000)
  await becomes({ landing: null, orphaned, withdrawn: { at: 1, monotonic: 1 } })
  await tick(15_000)
  expect(sent.length).toBe(2)
})

test('what stands in the way is told on the kill', async () => {
  const { becomes, tick, kill, nodes } = world()
  nodes(null)
  await becomes({ landing: null, orphaned })
  expect(kill().rebroadcast?.error).toContain(`no node knows transaction ${txHash}`)
  nodes('0xf00d', new TransactionRefusedError(txHash, false, 'another transaction has its nonce'))
  await tick(15_000)
  expect(kill().rebroadcast?.error).toContain('another transaction has its nonce')
})

test('it is done with once a node holds it, or none ever will; an RPC that fails says nothing', async () => {
  const { becomes, tick, kill, nodes, nobodyAnswers } = world()
  nobodyAnswers()
  await becomes({ landing: null, orphaned })
  expect(kill().rebroadcast).toMatchObject({ error: 'no node answers', done: false })
  nodes(null)
  await tick(15_000)
  expect(kill().rebroadcast).toMatchObject({ at: 15_000, done: true })
  for (const [retryable, done] of [
    [true, false],
    [false, true],
  ] as const) {
    nodes('0xf00d', new TransactionRefusedError(txHash, retryable, 'refused'))
    await tick(15_000)
    expect(kill().rebroadcast).toMatchObject({ done })
  }
})

test('orphaned again, it is sent again, and that is noted anew', async () => {
  const { becomes, tick, kill } = world()
  await becomes({ landing: null, orphaned })
  await becomes({ landing, orphaned: null })
  await tick(20_000)
  await becomes({ landing: null, orphaned: { ...orphaned, at: 20_000 } })
  expect(kill().rebroadcast).toMatchObject({ at: 20_000, done: true })
})

test('back-filled kills, and orders that the relayer lands itself, are not asked for', async () => {
  const { becomes, asked, sent } = world()
  await becomes({ landing: { ...landing, blockNumber: 1_100 - 256 } })
  await becomes({ order: {} as KillRecord['order'] })
  await becomes({ landing: null, orphaned })
  expect([...asked, ...sent]).toEqual([])
})

test('a transaction too long to keep is asked for again when it is needed', async () => {
  const { becomes, kill, sent, nodes } = world()
  const long: Hex = `0x${'00'.repeat(32_768)}`
  nodes(long)
  await becomes({})
  expect(kill().rawTx).toBe(undefined)
  await becomes({ landing: null, orphaned })
  expect(sent).toEqual([long])
})
