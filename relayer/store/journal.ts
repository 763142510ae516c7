import type { Transaction } from 'kysely'
import type { Sign } from '../../protocol/feed/message.ts'
import { type AuditEntry, type AuditPosition, appendEntry } from '../audit/entry.ts'
import type { Clock } from '../clock.ts'
import {
  type FeedIdentity,
  type LastMessage,
  type SignedMessage,
  signAnnouncements,
} from '../feed/position.ts'
import { type Changes, type Journal, JournalFailedError } from '../kill/journalPort.ts'
import { isOpen } from '../kill/record.ts'
import type { Database } from './database.ts'
import { eventToJson } from './eventJson.ts'
import { insertAccesses, writePoint } from './points.ts'
import type { Schema } from './schema.ts'
import { insertSvid } from './svids.ts'

/** Rows of one INSERT: reports bring hundreds, and a statement for each would hold up the kills behind them. */
const entriesPerInsert = 100

type Prepared = {
  readonly changes: Changes
  readonly messages: readonly SignedMessage[]
  readonly entries: readonly AuditEntry[]
}

/** The kill road's journal over the store: row, audit entry, outbox and cursor in one durable transaction. */
export function createJournal(options: {
  readonly db: Database
  readonly feed: FeedIdentity
  readonly lastMessage: LastMessage
  readonly lastEntry: AuditPosition
  readonly sign: Sign
  readonly clock: Clock
}): Journal {
  const { db, feed, sign, clock } = options
  let { lastMessage, lastEntry } = options
  // What a failed write left; the next commit writes it first, so that numbers never have gaps.
  let unwritten: readonly Prepared[] = []

  return {
    async commit(changes) {
      const messages = signAnnouncements(feed, lastMessage, changes.announcements ?? [], clock.wall(), sign)
      const entries: AuditEntry[] = []
      for (const fields of changes.audit ?? []) {
        const entry = appendEntry(lastEntry, fields)
        entries.push(entry)
        lastEntry = entry
      }
      lastMessage = messages.at(-1) ?? lastMessage
      unwritten = [...unwritten, { changes, messages, entries }]
      try {
        await db.transaction().execute(async (trx) => {
          for (const prepared of unwritten) await write(trx, prepared)
        })
      } catch (cause) {
        throw new JournalFailedError(messages, cause)
      }
      unwritten = []
      return messages
    },
  }
}

async function write(trx: Transaction<Schema>, { changes, messages, entries }: Prepared): Promise<void> {
  for (const block of changes.droppedBlocks ?? []) {
    await trx.deleteFrom('blocks').where('hash', '=', block.hash).execute()
    await trx.deleteFrom('chain_events').where('block_hash', '=', block.hash).execute()
  }
  for (const block of changes.blocks ?? []) {
    await trx
      .insertInto('blocks')
      .values({ number: block.number, hash: block.hash, parent_hash: block.parentHash, time: block.time })
      .onConflict((c) => c.doNothing())
      .execute()
    for (const { logIndex, txHash, event } of block.events) {
      await trx
        .insertInto('chain_events')
        .values({
          block_hash: block.hash,
          log_index: logIndex,
          block_number: block.number,
          block_time: block.time,
          tx_hash: txHash,
          event: eventToJson(event),
          granted: 0,
        })
        .onConflict((c) => c.doNothing())
        .execute()
    }
  }
  if (changes.grantPoint !== undefined) {
    const { number } = changes.grantPoint
    await trx
      .updateTable('chain_events')
      .set({ granted: 1 })
      .where('block_number', '<=', number)
      .where('granted', '=', 0)
      .execute()
    await trx.deleteFrom('blocks').where('number', '<', number).execute()
  }
  for (const kill of changes.kills ?? []) {
    const values = {
      digest: kill.digest,
      scope: kill.scope,
      subject: kill.subject,
      open: isOpen(kill) ? 1 : 0,
      seen_at: Math.round(kill.seen.at),
      number: kill.feed.number,
      deadline: kill.order === null ? null : Number(kill.order.message.deadline),
      record: JSON.stringify(kill),
    }
    await trx
      .insertInto('kills')
      .values({ id: kill.id, ...values })
      .onConflict((c) => c.column('id').doUpdateSet(values))
      .execute()
  }
  for (const { row, finalAt } of changes.rows ?? []) {
    const values = { row: JSON.stringify(row), final_at: finalAt }
    await trx
      .insertInto('revocation_rows')
      .values({ scope: row.scope, subject: row.subject, ...values })
      .onConflict((c) => c.columns(['scope', 'subject']).doUpdateSet(values))
      .execute()
  }
  for (const { scope, subject } of changes.droppedRows ?? []) {
    await trx
      .deleteFrom('revocation_rows')
      .where('scope', '=', scope)
      .where('subject', '=', subject)
      .execute()
  }
  for (const svid of changes.svids ?? []) await insertSvid(trx, svid)
  for (const { point, confirmations } of changes.points ?? []) await writePoint(trx, point, confirmations)
  for (const { point, accesses } of changes.accesses ?? []) await insertAccesses(trx, point, accesses)
  for (const { number, document, hash } of messages) {
    await trx.insertInto('feed_messages').values({ number, document, hash }).execute()
  }
  for (let from = 0; from < entries.length; from += entriesPerInsert) {
    const values = entries
      .slice(from, from + entriesPerInsert)
      .map(({ number, json, hash }) => ({ number, json, hash }))
    await trx.insertInto('audit_entries').values(values).execute()
  }
}
