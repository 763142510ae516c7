import type { Transaction } from 'kysely'
import type { Sign } from '../../protocol/feed/message.ts'
import { targetKey } from '../../protocol/scope.ts'
import { type AuditEntry, type AuditFields, type AuditPosition, appendEntry } from '../audit/entry.ts'
import type { Clock } from '../clock.ts'
import {
  type FeedIdentity,
  type LastMessage,
  type SignedMessage,
  signAnnouncements,
} from '../feed/position.ts'
import type { ChainBlockHeader } from '../kill/chainPort.ts'
import { type Changes, type Journal, JournalFailedError } from '../kill/journalPort.ts'
import { isOpen, type KillRecord, txHashOf } from '../kill/record.ts'
import type { Database } from './database.ts'
import { eventToJson } from './eventJson.ts'
import { parts } from './parts.ts'
import { writePoint } from './points.ts'
import type { Schema } from './schema.ts'
import { insertSvids } from './svids.ts'
import { writeWorkload } from './workloads.ts'

type Decision = { readonly changes: Changes; readonly messages: readonly SignedMessage[] }

/** Since when the store takes no writes, and what waits for it. */
export type Backlog = {
  /** ms */
  readonly since: number
  readonly why: string
  /** Decisions that are published but not written. */
  readonly decisions: number
}

/** Decisions of one transaction; more that wait are left to later commits, so that a kill waits for at most one such. */
const decisionsPerWrite = 100

/**
 * The kill road's journal over the store: row, audit entry, outbox and cursor in one durable transaction.
 *
 * While the store takes no writes, decisions (kills, what the chain says) are kept and later written in their order,
 * so that feed numbers have no gaps. Notes are not kept: who handed them in is told that they failed, and nothing
 * followed from them. Only how many entries the log lost that way is written. So what is kept grows with kills alone.
 */
export function createJournal(options: {
  readonly db: Database
  readonly feed: FeedIdentity
  readonly lastMessage: LastMessage
  readonly lastEntry: AuditPosition
  readonly sign: Sign
  readonly clock: Clock
  /** Told of the first write that fails, and when all is written again; must not throw. */
  readonly onFailure?: (cause: unknown) => void
  readonly onRecovery?: (lostEntries: number) => void
}): Journal & {
  /** Null while all is written. */
  backlog(): Backlog | null
} {
  const { db, feed, sign, clock } = options
  let { lastMessage, lastEntry } = options
  let unwritten: readonly Decision[] = []
  /** Kills whose latest record was in a note that failed. */
  const stale = new Map<string, KillRecord>()
  let failure: { readonly since: number; readonly why: string; readonly lostEntries: number } | null = null

  /** Writes the first decisions that wait, in one transaction. */
  const writeSome = async (count: number): Promise<void> => {
    const some = unwritten.slice(0, count)
    const isLast = some.length === unwritten.length
    let entry = lastEntry
    await db.transaction().execute(async (trx) => {
      for (const decision of some) entry = await write(trx, decision, entry)
      if (!isLast || failure === null) return
      const audit = failure.lostEntries === 0 ? [] : [lostEntries(failure, clock.wall())]
      entry = await write(trx, { changes: { kills: [...stale.values()], audit }, messages: [] }, entry)
    })
    lastEntry = entry
    unwritten = unwritten.slice(some.length)
    if (!isLast) return
    if (failure !== null) options.onRecovery?.(failure.lostEntries)
    failure = null
    stale.clear()
  }

  const give = (up: Decision): void => {
    if (isKept(up.changes)) return
    unwritten = unwritten.filter((decision) => decision !== up)
    for (const kill of up.changes.kills ?? []) stale.set(kill.id, kill)
    if (failure !== null)
      failure = { ...failure, lostEntries: failure.lostEntries + (up.changes.audit?.length ?? 0) }
  }

  return {
    async commit(changes) {
      const messages = signAnnouncements(feed, lastMessage, changes.announcements ?? [], clock.wall(), sign)
      lastMessage = messages.at(-1) ?? lastMessage
      const decision = { changes, messages }
      for (const { id } of changes.kills ?? []) stale.delete(id)
      if (changes.grantPoint !== undefined) unwritten = withoutSuperseded(unwritten, changes.grantPoint)
      unwritten = [...unwritten, decision]
      try {
        // One alone shows whether the store is back; on a full disk many would be written for nothing.
        if (failure !== null && unwritten.length > 1) await writeSome(1)
        await writeSome(decisionsPerWrite)
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause)
        if (failure === null) options.onFailure?.(cause)
        failure = { since: Math.round(clock.wall()), lostEntries: 0, ...failure, why }
        give(decision)
        throw new JournalFailedError(messages, cause)
      }
      if (!unwritten.includes(decision)) return messages
      const waiting = unwritten.length
      give(decision)
      throw new JournalFailedError(
        messages,
        new Error(`${waiting} earlier decisions are being written first`),
      )
    },

    backlog: () =>
      failure === null ? null : { since: failure.since, why: failure.why, decisions: unwritten.length },
  }
}

/** Whether it must be written some day: it is published, or the chain's cursor stands on it. */
const isKept = ({ announcements, rows, droppedRows, blocks, droppedBlocks, grantPoint }: Changes): boolean =>
  grantPoint !== undefined ||
  [announcements, rows, droppedRows, blocks, droppedBlocks].some((part) => (part?.length ?? 0) > 0)

/**
 * What waits, without what a later grant point makes needless: earlier grant points, and empty blocks below it. A
 * store that has taken only part of the rest has a gap among final blocks, as after a back-fill.
 */
function withoutSuperseded(waiting: readonly Decision[], to: ChainBlockHeader): readonly Decision[] {
  return waiting.flatMap(({ changes, messages }) => {
    const { grantPoint: _, blocks, ...rest } = changes
    const needed = (blocks ?? []).filter(({ number, events }) => number >= to.number || events.length > 0)
    const left = { ...rest, blocks: needed }
    const isEmpty = !isKept(left) && (left.audit ?? []).length === 0 && (left.kills ?? []).length === 0
    return isEmpty ? [] : [{ changes: left, messages }]
  })
}

const lostEntries = (
  { since, lostEntries: count }: { readonly since: number; readonly lostEntries: number },
  now: number,
): AuditFields => ({
  action: 'entries lost',
  actor: 'relayer',
  spiffeId: null,
  time: Math.round(now),
  detail: { count, since },
})

/** @returns the last audit entry */
async function write(
  trx: Transaction<Schema>,
  { changes, messages }: Decision,
  lastEntry: AuditPosition,
): Promise<AuditPosition> {
  for (const block of changes.droppedBlocks ?? []) {
    await trx.deleteFrom('blocks').where('hash', '=', block.hash).execute()
    await trx.deleteFrom('chain_events').where('block_hash', '=', block.hash).execute()
  }
  const blocks = changes.blocks ?? []
  for (const part of parts(blocks)) {
    await trx
      .insertInto('blocks')
      .values(
        part.map(({ number, hash, parentHash, time }) => ({ number, hash, parent_hash: parentHash, time })),
      )
      .onConflict((c) => c.doNothing())
      .execute()
  }
  const events = blocks.flatMap((block) =>
    block.events.map(({ logIndex, txHash, event }) => ({
      block_hash: block.hash,
      log_index: logIndex,
      block_number: block.number,
      block_time: block.time,
      tx_hash: txHash,
      event: eventToJson(event),
      granted: 0,
    })),
  )
  for (const part of parts(events)) {
    await trx
      .insertInto('chain_events')
      .values(part)
      .onConflict((c) => c.doNothing())
      .execute()
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
  const kills = (changes.kills ?? []).map((kill) => ({
    id: kill.id,
    digest: kill.digest,
    scope: kill.scope,
    subject: kill.subject,
    open: isOpen(kill) ? 1 : 0,
    seen_at: Math.round(kill.seen.at),
    number: kill.feed.number,
    deadline: kill.order === null ? null : Number(kill.order.message.deadline),
    tx_hash: txHashOf(kill),
    record: JSON.stringify(kill),
  }))
  for (const part of parts(lastOf(kills, ({ id }) => id))) {
    await trx
      .insertInto('kills')
      .values(part)
      .onConflict((c) =>
        c.column('id').doUpdateSet((row) => ({
          digest: row.ref('excluded.digest'),
          scope: row.ref('excluded.scope'),
          subject: row.ref('excluded.subject'),
          open: row.ref('excluded.open'),
          seen_at: row.ref('excluded.seen_at'),
          number: row.ref('excluded.number'),
          deadline: row.ref('excluded.deadline'),
          tx_hash: row.ref('excluded.tx_hash'),
          record: row.ref('excluded.record'),
        })),
      )
      .execute()
  }
  const rows = lastOf(changes.rows ?? [], ({ row }) => targetKey(row)).map(({ row, finalAt }) => ({
    scope: row.scope,
    subject: row.subject,
    row: JSON.stringify(row),
    final_at: finalAt,
  }))
  for (const part of parts(rows)) {
    await trx
      .insertInto('revocation_rows')
      .values(part)
      .onConflict((c) =>
        c.columns(['scope', 'subject']).doUpdateSet((row) => ({
          row: row.ref('excluded.row'),
          final_at: row.ref('excluded.final_at'),
        })),
      )
      .execute()
  }
  for (const { scope, subject } of changes.droppedRows ?? []) {
    await trx
      .deleteFrom('revocation_rows')
      .where('scope', '=', scope)
      .where('subject', '=', subject)
      .execute()
  }
  await insertSvids(trx, changes.svids ?? [])
  for (const { workload, point } of changes.workloads ?? []) await writeWorkload(trx, workload, point)
  for (const { point, confirmations } of changes.points ?? []) await writePoint(trx, point, confirmations)
  for (const part of parts(messages)) {
    await trx
      .insertInto('feed_messages')
      .values(part.map(({ number, document, hash }) => ({ number, document, hash })))
      .execute()
  }
  const entries: AuditEntry[] = []
  for (const fields of changes.audit ?? []) entries.push(appendEntry(entries.at(-1) ?? lastEntry, fields))
  for (const part of parts(entries)) {
    await trx
      .insertInto('audit_entries')
      .values(part.map(({ number, json, hash }) => ({ number, json, hash })))
      .execute()
  }
  return entries.at(-1) ?? lastEntry
}

/** The last of each key: one INSERT must not change a row twice. */
const lastOf = <T>(rows: readonly T[], key: (row: T) => string): readonly T[] => [
  ...new Map(rows.map((row) => [key(row), row])).values(),
]
