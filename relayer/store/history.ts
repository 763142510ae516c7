import type { Hex } from '../../protocol/hex.ts'
import { applyRegistryEvent, createRegistry, type MutableRegistry } from '../../protocol/registry.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import type { PointAccess } from '../audit/accesses.ts'
import { type AuditFields, type AuditPosition, checkEntries, emptyAudit } from '../audit/entry.ts'
import { accessIn } from '../audit/report.ts'
import { type LastMessage, noMessage } from '../feed/position.ts'
import type { ChainBlock, ChainBlockHeader } from '../kill/chainPort.ts'
import { settledAtHand } from '../kill/killState.ts'
import type { Confirmation } from '../kill/points.ts'
import type { KillRecord } from '../kill/record.ts'
import type { Database } from './database.ts'
import { eventFromJson } from './eventJson.ts'
import type { Schema } from './schema.ts'

/** All that a start reads back. */
export type History = {
  readonly registry: MutableRegistry
  /** Headers from the grant point to the last block taken, with their events. */
  readonly blocks: readonly ChainBlock[]
  readonly kills: readonly KillRecord[]
  readonly confirmations: readonly Confirmation[]
  readonly rows: readonly { readonly row: RevocationRow; readonly finalAt: number | null }[]
  readonly lastMessage: LastMessage
  readonly lastEntry: AuditPosition
  /** Those in the log's verified tail, oldest first. */
  readonly accesses: readonly PointAccess[]
}

/** How many of the last audit entries a start verifies. */
const auditTail = 1000

/** Reads the state back from the store. @param now ms @throws {AuditChainBrokenError} when the log's tail was altered */
export async function readHistory(db: Database, now: number): Promise<History> {
  const registry = createRegistry()
  const events = await db
    .selectFrom('chain_events')
    .selectAll()
    .orderBy('block_number')
    .orderBy('log_index')
    .execute()
  for (const row of events)
    if (row.granted === 1) applyRegistryEvent(registry, eventFromJson(row.event), row.block_time)

  const headers = await db.selectFrom('blocks').selectAll().orderBy('number').execute()
  const blocks = headers.map(
    (header): ChainBlock => ({
      ...headerOf(header),
      seenMonotonic: 0,
      events: events
        .filter((row) => row.granted === 0 && row.block_hash === header.hash)
        .map((row) => ({
          logIndex: row.log_index,
          txHash: row.tx_hash as Hex,
          event: eventFromJson(row.event),
        })),
    }),
  )

  const atHand = db
    .selectFrom('kills')
    .where((where) =>
      where.or([
        where('open', '=', 1),
        where('deadline', '>=', Math.floor(now / 1000)),
        where(
          'id',
          'in',
          where.selectFrom('kills').select('id').orderBy('number', 'desc').limit(settledAtHand),
        ),
      ]),
    )
  const kills = await atHand.select('record').orderBy('number').execute()
  const confirmations = await db
    .selectFrom('confirmations')
    .selectAll()
    .where('kill_id', 'in', atHand.select('id'))
    .execute()
  const rows = await db.selectFrom('revocation_rows').select(['row', 'final_at']).execute()
  const lastMessage = await db
    .selectFrom('feed_messages')
    .select(['number', 'hash'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  const tail = await db
    .selectFrom('audit_entries')
    .selectAll()
    .orderBy('number', 'desc')
    .limit(auditTail + 1)
    .execute()
  const [first, ...rest] = tail.reverse()
  const start = first === undefined ? emptyAudit : { number: first.number, hash: first.hash }
  const lastEntry =
    first?.number === 1 ? checkEntries(emptyAudit, [first, ...rest]) : checkEntries(start, rest)

  return {
    registry,
    blocks,
    kills: kills.map(({ record }) => JSON.parse(record) as KillRecord),
    confirmations: confirmations.map(confirmationOf),
    rows: rows.map((row) => ({ row: JSON.parse(row.row) as RevocationRow, finalAt: row.final_at })),
    lastMessage: lastMessage ?? noMessage,
    lastEntry,
    accesses: [first, ...rest].flatMap((entry) =>
      entry === undefined ? [] : (accessIn(JSON.parse(entry.json) as AuditFields) ?? []),
    ),
  }
}

/** A kill of any age, with its confirmations. */
export async function readKill(
  db: Database,
  id: string,
): Promise<{ readonly kill: KillRecord; readonly confirmations: readonly Confirmation[] } | null> {
  const row = await db.selectFrom('kills').select('record').where('id', '=', id).executeTakeFirst()
  if (row === undefined) return null
  const confirmations = await db.selectFrom('confirmations').selectAll().where('kill_id', '=', id).execute()
  return { kill: JSON.parse(row.record) as KillRecord, confirmations: confirmations.map(confirmationOf) }
}

/** The latest kill that an order made, of any age. */
export async function readKillOfOrder(db: Database, digest: Hex): Promise<KillRecord | null> {
  const row = await db
    .selectFrom('kills')
    .select('record')
    .where('digest', '=', digest)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? null : (JSON.parse(row.record) as KillRecord)
}

/** Whether a kill that the order of this digest, or this transaction, brought is final or withdrawn. */
export async function isKillSettled(db: Database, by: { digest: Hex } | { txHash: Hex }): Promise<boolean> {
  const settled = db.selectFrom('kills').select('id').where('open', '=', 0)
  const found =
    'digest' in by ? settled.where('digest', '=', by.digest) : settled.where('tx_hash', '=', by.txHash)
  return (await found.limit(1).executeTakeFirst()) !== undefined
}

const confirmationOf = (row: Schema['confirmations']): Confirmation => ({
  killId: row.kill_id,
  spiffeId: row.spiffe_id,
  moment: { at: row.at, monotonic: row.monotonic },
})

const headerOf = (row: {
  number: number
  hash: string
  parent_hash: string
  time: number
}): ChainBlockHeader => ({
  number: row.number,
  hash: row.hash as Hex,
  parentHash: row.parent_hash as Hex,
  time: row.time,
})
