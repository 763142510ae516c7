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
const messages = () =>
  db.selectFrom('feed_messages').select(['number', 'document']).orderBy('number').execute()

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
  expect(await messages()).toEqual([])
  await sql`DROP TRIGGER full`.execute(db)
  expect(await journal.commit(decision(2))).toMatchObject([{ number: 2 }])
  expect(await messages()).toMatchObject([
    { number: 1, document: expect.stringContaining('kill-1') },
    { number: 2, document: expect.stringContaining('kill-2') },
  ])
  // Reading it back checks the log's chain.
  const history = await readHistory(db, 0)
  expect(history.kills.map(({ id }) => id)).toEqual(['kill-1', 'kill-2'])
  expect(history.lastEntry).toMatchObject({ number: emptyAudit.number + 2 })
})
