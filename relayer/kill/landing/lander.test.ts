import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import { createRegistry } from '../../../protocol/registry.ts'
import { Scope } from '../../../protocol/scope.ts'
import { type DueOrder, type LandingOutcome, landingGas, OrderNotLandedError } from '../chainPort.ts'
import type { KillRecord } from '../record.ts'
import { createLander, longestPatience, patience, vainFactor } from './lander.ts'

const alice: Hex = `0x${'a1'.repeat(20)}`
const council: Hex = `0x${'cc'.repeat(20)}`
const txHash: Hex = `0x${'7'.repeat(64)}`

/** A lander over kills in memory and a chain that does as it is told. */
function world(options: { kills?: readonly KillRecord[]; gasBudget?: number; gasCeiling?: number } = {}) {
  let now = 1_000_000_000
  const kills = new Map((options.kills ?? []).map((kill) => [kill.id, kill]))
  const steps: (readonly Hex[])[] = []
  const notes: string[] = []
  const errors: unknown[] = []
  let answer = (order: DueOrder): LandingOutcome | null => ({ type: 'sent', digest: order.digest, txHash })
  const start = (gasBudget = options.gasBudget ?? 20) =>
    createLander({
      sender: {
        async step(due) {
          steps.push(due.map(({ digest }) => digest))
          return due.flatMap((order) => answer(order) ?? [])
        },
      },
      registry: createRegistry(),
      kills: () => [...kills.values()].reverse(),
      kill: (id) => kills.get(id),
      async noteSent(id, sent) {
        const kill = kills.get(id) as KillRecord
        notes.push(`${id}: ${'txHash' in sent ? 'sent' : sent.error}`)
        kills.set(
          id,
          'txHash' in sent
            ? { ...kill, sentTx: sent.txHash, sendError: null }
            : { ...kill, sendError: sent.error },
        )
      },
      gasBudget,
      gasCeiling: options.gasCeiling ?? 1_000,
      onError: (error) => errors.push(error),
      clock: { wall: () => now, monotonic: () => now },
    })
  let lander = start()
  const change = (id: string, fields: Partial<KillRecord>): KillRecord => {
    const kill = { ...(kills.get(id) ?? killOf(id, now)), ...fields }
    kills.set(id, kill)
    return kill
  }
  return {
    steps,
    notes,
    errors,
    change,
    kill: (id: string) => kills.get(id) as KillRecord,
    /** Takes an order; resolves when nothing is left to do for now. */
    async land(id: string, fields: Partial<KillRecord> = {}) {
      lander.land(change(id, fields))
      await lander.idle()
    },
    async tick(ms = 0) {
      now += ms
      lander.retry()
      await lander.idle()
    },
    restart() {
      lander = start()
    },
    answers(next: typeof answer) {
      answer = next
    },
  }
}

function killOf(id: string, at: number): KillRecord {
  const digest: Hex = `0x${id}`
  return {
    id,
    authority: alice,
    scope: Scope.Owner,
    subject: `0x${alice.slice(2).padStart(64, '0')}`,
    rank: Rank.Owner,
    reason: 1,
    text: '',
    digest,
    order: {
      digest,
      signature: '0x01',
      message: {
        authority: alice,
        scope: Scope.Owner,
        subject: `0x${alice.slice(2).padStart(64, '0')}`,
        reason: 1,
        text: '',
        issuedAt: String(at / 1000),
        deadline: String(at / 1000 + 86_400),
        nonce: id,
      },
    },
    seen: { at, monotonic: at },
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
  }
}

const landing = { blockNumber: 9, blockHash: txHash, logIndex: 0, txHash, sequence: 3 }
const failed = (order: DueOrder, ofOrder: boolean, spent = false): LandingOutcome => ({
  type: 'failed',
  digest: order.digest,
  error: new OrderNotLandedError(order.digest, null, ofOrder, 'why'),
  spent,
})

test('an order is handed over at once and until it has landed, then no more', async () => {
  const { land, tick, steps, change, notes } = world()
  await land('01')
  await tick()
  expect(steps).toEqual([['0x01'], ['0x01']])
  change('01', { landing })
  await tick()
  // An empty step lets the sender see that its transaction was mined.
  expect(steps.at(-1)).toEqual([])
  expect(notes[0]).toBe('01: sent')
})

test('no refusal is for good: each only doubles the patience, up to its longest; a reason is noted once', async () => {
  const { land, tick, steps, notes, answers } = world()
  answers((order) => failed(order, true))
  await land('01')
  for (let pause = patience, tries = 1; tries < 12; tries += 1) {
    await tick(pause - 1)
    expect(steps.at(-1)).toEqual([])
    await tick(1)
    expect(steps.at(-1)).toEqual(['0x01'])
    pause = Math.min(longestPatience, 2 * pause)
  }
  expect(notes).toEqual(['01: order 0x01 is not on chain: why'])
  answers(({ digest }) => ({ type: 'sent', digest, txHash }))
  await tick(longestPatience)
  expect(notes.at(-1)).toBe('01: sent')
})

test('what is no fault of the order leaves its patience as it is', async () => {
  const { land, tick, steps, answers } = world()
  answers((order) => failed(order, false))
  await land('01')
  for (let tries = 0; tries < 5; tries += 1) {
    await tick(patience)
    expect(steps.at(-1)).toEqual(['0x01'])
  }
})

test('one that can only wait stays due and says why', async () => {
  const { land, tick, steps, answers, kill } = world()
  await land('01')
  answers(({ digest }) => ({ type: 'waits', digest, why: 'too dear' }))
  for (let tries = 0; tries < 3; tries += 1) await tick()
  expect(steps.at(-1)).toEqual(['0x01'])
  expect(kill('01')).toMatchObject({ sentTx: txHash, sendError: 'too dear' })
})

test('a wallet is charged by the gas that its landings took, also of those that have landed by then', async () => {
  const { land, tick, steps, answers, change, kill } = world({ gasBudget: 10 })
  await land('01')
  change('01', { landing })
  // Mined: the sender says so in whatever step comes next.
  const outcomes: LandingOutcome[] = [{ type: 'landed', digest: '0x01', gas: 10 * landingGas }]
  answers(() => outcomes.pop() ?? null)
  await land('02')
  await land('03')
  expect(steps.at(-1)).toEqual([])
  expect(kill('03').sendError).toContain('gas budget')
  await tick(360_000)
  expect(steps.at(-1)).toHaveLength(1)
})

test('all wallets together keep to the ceiling, Council and Governance do not', async () => {
  const { land, steps, kill } = world({ gasCeiling: 1 })
  await land('01')
  const other: Hex = `0x${'b0'.repeat(20)}`
  await land('02', { authority: other, subject: `0x${other.slice(2).padStart(64, '0')}` })
  expect(steps.at(-1)).toEqual(['0x01'])
  expect(kill('02').sendError).toContain('1 landings an hour of all wallets')
  await land('03', { rank: Rank.Council, authority: council })
  expect(steps.at(-1)).toEqual(['0x03', '0x01'])
})

test('one that was mined in vain waits four times longer each time, and is charged each time', async () => {
  const { land, tick, steps, answers, kill } = world({ gasBudget: 2 })
  await land('01')
  for (const tries of [1, 2]) {
    answers((order) => failed(order, true, true))
    await tick()
    answers((order) => ({ type: 'sent', digest: order.digest, txHash }))
    await tick(patience * vainFactor ** tries - 1)
    expect(steps.at(-1)).toEqual([])
    await tick(1)
    if (tries === 1) expect(steps.at(-1)).toEqual(['0x01'])
  }
  // Two of two are used up by now; what has flowed back does not make one.
  expect(kill('01').sendError).toContain('gas budget of 2 landings')
})

test('beyond its budget a wallet waits with a visible reason, Council and Governance never; it refills', async () => {
  const { land, tick, steps, kill, change } = world({ gasBudget: 2 })
  for (const id of ['01', '02', '03']) await land(id)
  expect(kill('03').sendError).toContain(`${alice} has used up its gas budget of 2 landings an hour`)
  expect(steps.at(-1)).toEqual(['0x01', '0x02'])
  await land('04', { rank: Rank.Council, authority: council })
  expect(steps.at(-1)).toEqual(['0x04', '0x01', '0x02'])
  for (const id of ['01', '02', '04']) change(id, { landing })
  await tick(1_800_000)
  expect(steps.at(-1)).toEqual(['0x03'])
  expect(kill('03').sendError).toBe(null)
})

test('a restart goes on with what is owed, charges nothing twice and remembers what was charged', async () => {
  const { land, tick, steps, restart, kill } = world({ gasBudget: 2 })
  await land('01')
  await tick(1_000)
  await land('02')
  restart()
  await tick()
  expect(steps.at(-1)).toEqual(['0x01', '0x02'])
  await land('03')
  expect(steps.at(-1)).toEqual(['0x01', '0x02'])
  expect(kill('03').sendError).toContain('gas budget')
})

test('one that a reorg took back goes at once, though it was held, and is not charged again', async () => {
  const { land, tick, steps, change, answers } = world({ gasBudget: 1 })
  await land('01')
  answers(({ digest }) => ({ type: 'landed', digest }))
  await tick()
  await tick()
  expect(steps.at(-1)).toEqual([])
  change('01', { landing })
  await land('01', { landing: null, orphaned: { height: 9, txHash, at: 1 } })
  expect(steps.at(-1)).toEqual(['0x01'])
})

test('a step that fails unforeseen is told, and ends nothing', async () => {
  const { land, tick, steps, errors, answers } = world()
  answers(() => {
    throw new Error('a bug')
  })
  await land('01')
  expect(errors).toEqual([new Error('a bug')])
  answers(() => null)
  await tick()
  expect(steps.at(-1)).toEqual(['0x01'])
})

test('one that is said to have landed, but is not seen to, is looked at again', async () => {
  const { land, tick, steps, answers } = world()
  answers(({ digest }) => ({ type: 'landed', digest }))
  await land('01')
  await tick(patience - 1)
  expect(steps.at(-1)).toEqual([])
  await tick(1)
  expect(steps.at(-1)).toEqual(['0x01'])
})

test('one whose deadline has passed is given up, and says so', async () => {
  const { land, tick, steps, kill, answers } = world()
  answers((order) => failed(order, true))
  await land('01')
  await tick(86_400_001)
  expect(steps.at(-1)).toEqual([])
  expect(kill('01').sendError).toContain('deadline passed')
})
