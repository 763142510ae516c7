import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { agentTarget } from '../../protocol/scope.ts'
import { checkEntries, emptyAudit } from '../audit/entry.ts'
import { noMessage } from '../feed/position.ts'
import type { ChainBlock } from '../kill/chainPort.ts'
import { type Changes, JournalFailedError } from '../kill/journalPort.ts'
import type { KillRecord } from '../kill/record.ts'
import { openDatabase } from './database.ts'
import { readHistory } from './history.ts'
import { createJournal } from './journal.ts'

const target = agentTarget('01234567-89ab-8def-8123-456789abcdef')
const hashOf = (number: number, fork = 0): Hex => `0x${(number * 16 + fork).toString(16).padStart(64, '0')}`

/** A journal over a store that can be made to refuse writes. */
async function world() {
  const db = await openDatabase(':memory:')
  const calls = { failed: 0, recovered: [] as number[] }
  const journal = createJournal({
    db,
    feed: { relayer: 'r', deployment: 'd', epoch: 'e' },
    lastMessage: noMessage,
    lastEntry: emptyAudit,
    sign: () => new Uint8Array(64),
    clock: { wall: () => 5_000, monotonic: () => 5_000 },
    onFailure: () => {
      calls.failed += 1
    },
    onRecovery: (lostEntries) => calls.recovered.push(lostEntries),
  })
  const commit = (changes: Changes) =>
    journal.commit(changes).then(
      () => 'durable',
      (error: unknown) => {
        if (!(error instanceof JournalFailedError)) throw error
        return 'not durable'
      },
    )
  const writable = (on: boolean) => sql.raw(`PRAGMA query_only = ${on ? 'OFF' : 'ON'}`).execute(db)
  const all = async () => {
    const entries = await db.selectFrom('audit_entries').selectAll().orderBy('number').execute()
    checkEntries(emptyAudit, entries)
    return {
      entries: entries.map(({ json }) => JSON.parse(json) as { action: string; detail: object }),
      messages: await db.selectFrom('feed_messages').selectAll().orderBy('number').execute(),
      kills: await db.selectFrom('kills').select(['id', 'record']).orderBy('id').execute(),
      rows: await db.selectFrom('revocation_rows').selectAll().execute(),
      events: await db.selectFrom('chain_events').selectAll().orderBy('block_number').execute(),
      blocks: await db.selectFrom('blocks').selectAll().orderBy('number').execute(),
    }
  }
  return { db, journal, commit, writable, all, calls }
}

const audit = (action: string) => [{ action, actor: 'a', spiffeId: null, time: 1, detail: {} }]

const kill = (id: string, number: number, text = ''): KillRecord => ({
  ...target,
  id,
  authority: `0x${'a1'.repeat(20)}`,
  rank: Rank.Owner,
  reason: 1,
  text,
  digest: null,
  order: null,
  seen: { at: 1, monotonic: 1 },
  durable: null,
  published: null,
  feed: { epoch: 'e', number },
  sentTx: null,
  sendError: null,
  landing: null,
  onChain: null,
  orphaned: null,
  final: null,
  withdrawn: null,
})

/** A kill as the executor decides it. */
const decision = (id: string, number = 1): Changes => {
  const row = {
    ...target,
    provisional: true,
    finalSequence: 0,
    rank: Rank.Owner,
    reason: 1,
    text: '',
    killId: id,
  }
  return {
    kills: [kill(id, number)],
    rows: [{ row, finalAt: null }],
    announcements: [{ type: 'kill', row }],
    audit: audit(`kill ${id}`),
  }
}

const block = (number: number, events = 0, fork = 0): ChainBlock => ({
  number,
  hash: hashOf(number, fork),
  parentHash: hashOf(number - 1),
  time: number,
  seenMonotonic: 0,
  events: Array.from({ length: events }, (_, logIndex) => ({
    logIndex,
    txHash: hashOf(number, 1),
    event: { type: 'GuardianAppointed', owner: hashOf(number), guardian: hashOf(logIndex) },
  })),
})

test('what the store refused is written in its order once it takes writes again; notes are only counted', async () => {
  const w = await world()
  expect(await w.commit(decision('k1'))).toBe('durable')
  await w.writable(false)
  expect(await w.commit(decision('k2'))).toBe('not durable')
  for (let i = 0; i < 3; i += 1) expect(await w.commit({ audit: audit('access') })).toBe('not durable')
  // A record in a note is the latest of its kill, and is written although the note is not.
  expect(await w.commit({ kills: [kill('k2', 2, 'sent')], audit: audit('order sent') })).toBe('not durable')
  expect(await w.commit(decision('k3'))).toBe('not durable')
  expect(w.journal.backlog()).toMatchObject({
    decisions: 2,
    since: 5_000,
    why: expect.stringMatching(/readonly/),
  })

  await w.writable(true)
  expect(await w.commit(decision('k4'))).toBe('durable')
  expect(w.journal.backlog()).toBeNull()
  const { entries, messages, kills } = await w.all()
  expect(messages.map(({ number }) => number)).toEqual([1, 2, 3, 4])
  expect(entries.map(({ action }) => action)).toEqual([
    'kill k1',
    'kill k2',
    'kill k3',
    'kill k4',
    'entries lost',
  ])
  expect(entries.at(-1)?.detail).toEqual({ count: 4, since: 5_000 })
  expect(kills.map(({ record }) => (JSON.parse(record) as KillRecord).text)).toEqual(['', 'sent', '', ''])
  expect(w.calls).toEqual({ failed: 1, recovered: [4] })
  expect(await w.commit(decision('k5'))).toBe('durable')
})

test('a long failure gathers kills alone: neither notes nor blocks', async () => {
  const w = await world()
  await w.commit({ blocks: [block(1)], grantPoint: block(1) })
  await w.writable(false)
  for (let number = 2; number < 500; number += 1) {
    await w.commit({ blocks: [block(number)] })
    await w.commit({ grantPoint: block(number - 1) })
    await w.commit({ audit: audit('access') })
  }
  await w.commit(decision('k1'))
  expect(w.journal.backlog()?.decisions).toBeLessThan(10)
  await w.writable(true)
  expect(await w.commit({})).toBe('durable')
  const { blocks, messages } = await w.all()
  expect(blocks.map(({ number }) => number)).toEqual([498, 499])
  expect(messages).toHaveLength(1)
})

test('one commit writes only so much of what waits, and says that it is not durable yet', async () => {
  const w = await world()
  await w.writable(false)
  for (let i = 0; i < 250; i += 1) await w.commit(decision(`k${i}`, i + 1))
  await w.writable(true)
  expect(await w.commit({ audit: audit('access') })).toBe('not durable')
  expect(w.journal.backlog()?.decisions).toBe(149)
  expect((await w.all()).messages).toHaveLength(101)
  expect(await w.commit(decision('last', 251))).toBe('not durable')
  expect(await w.commit({})).toBe('durable')
  const { messages, kills } = await w.all()
  expect(messages.map(({ number }) => number)).toEqual(Array.from({ length: 251 }, (_, i) => i + 1))
  expect(kills).toHaveLength(251)
})

/** What a follower does: takes blocks with events, drops some to a fork, and moves the grant point. */
const chainSteps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), events: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), back: fc.nat(3) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('drop' as const), count: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 1, arbitrary: fc.constant({ do: 'kill' as const }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('disk' as const), on: fc.boolean() }) },
  ),
  { minLength: 20, maxLength: 40 },
)

test('whenever the store fails, it ends as if it never had; and what it holds meanwhile can be started from', async () => {
  await fc.assert(
    fc.asyncProperty(chainSteps, async (steps) => {
      const [failing, sound] = await Promise.all([world(), world()])
      const both = async (changes: Changes) => {
        await failing.commit(changes)
        expect(await sound.commit(changes)).toBe('durable')
      }
      let chain = [block(1)]
      await both({ blocks: chain, grantPoint: block(1) })
      let kills = 0
      for (const [fork, step] of steps.entries()) {
        const tip = chain.at(-1) as ChainBlock
        if (step.do === 'take') {
          const taken = { ...block(tip.number + 1, step.events, fork % 16), parentHash: tip.hash }
          chain.push(taken)
          await both({ blocks: [taken] })
        } else if (step.do === 'grant') {
          const to = chain[Math.max(0, chain.length - 1 - step.back)] as ChainBlock
          chain = chain.filter(({ number }) => number >= to.number)
          await both({ grantPoint: to })
        } else if (step.do === 'drop') {
          const dropped = chain.slice(1).slice(-step.count).reverse()
          chain = chain.slice(0, chain.length - dropped.length)
          await both({ droppedBlocks: dropped })
        } else if (step.do === 'kill') {
          kills += 1
          await both(decision(`k${kills}`, kills))
        } else await failing.writable(step.on)
        const { blocks, lastMessage } = await readHistory(failing.db, 0)
        expect(blocks.length).toBeGreaterThan(0)
        expect(lastMessage.number).toBeLessThanOrEqual(kills)
      }
      await failing.writable(true)
      expect(await failing.commit({})).toBe('durable')
      expect(await failing.all()).toEqual(await sound.all())
    }),
    { numRuns: 40 },
  )
})
