import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { makeJournal } from '../../test/relayer/makeJournal.ts'
import { makeKill } from '../../test/relayer/makeKill.ts'
import { emptyAudit } from '../audit/entry.ts'
import type { Announcement } from '../feed/position.ts'
import { JournalFailedError } from '../kill/journalPort.ts'
import { type Database, openDatabase } from './database.ts'
import { readHistory } from './history.ts'
import { readMessages } from './journal.ts'

let db: Database
beforeEach(async () => {
  db = await openDatabase(':memory:')
})
afterEach(() => db.destroy())

const announcement = (number: number): Announcement => {
  const { id: killId, scope, subject, rank, reason, text } = makeKill(number)
  const row: RevocationRow = {
    scope,
    subject,
    provisional: true,
    finalSequence: 0,
    rank,
    reason,
    text,
    killId,
  }
  return { type: 'kill', row }
}
const announcements = (count: number) => Array.from({ length: count }, (_, i) => announcement(i + 1))

test('at most a thousand messages are read for a reader who was away, the oldest first', async () => {
  const signed = await makeJournal(db).commit({ announcements: announcements(1_003) })
  const numbers = async (from: number) => (await readMessages(db, from)).map(({ number }) => number)
  expect(await numbers(2)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 3))
  expect(await numbers(1_001)).toEqual([1_002, 1_003])
  expect(await numbers(1_003)).toEqual([])
  const [{ type, number, document } = { type: null, number: 0, document: '' }] = await readMessages(db, 1_002)
  expect({ type, number, document }).toEqual({
    type: 'kill',
    number: 1_003,
    document: signed.at(-1)?.document,
  })
})

test('what a failed write left is written with the next, before it and without gaps', async () => {
  const journal = makeJournal(db)
  const decision = (number: number) => ({
    kills: [makeKill(number)],
    announcements: [announcement(number)],
    audit: [{ action: 'kill', actor: 'a', spiffeId: null, time: 0, detail: { number } }],
  })
  await sql`CREATE TRIGGER full BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'disk full'); END`.execute(
    db,
  )
  const failed = journal.commit(decision(1))
  await expect(failed).rejects.toBeInstanceOf(JournalFailedError)
  await expect(failed).rejects.toMatchObject({ messages: [{ number: 1 }] })
  expect(await readMessages(db, 0)).toEqual([])
  await sql`DROP TRIGGER full`.execute(db)
  expect(await journal.commit(decision(2))).toMatchObject([{ number: 2 }])
  expect((await readMessages(db, 0)).map(({ number }) => number)).toEqual([1, 2])
  // Reading it back checks the log's chain.
  const history = await readHistory(db, 0)
  expect(history.kills.map(({ id }) => id)).toEqual(['kill-1', 'kill-2'])
  expect(history.lastEntry).toMatchObject({ number: emptyAudit.number + 2 })
})
