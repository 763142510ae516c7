import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { emptyHash, type FeedMessage, messageHash } from '../../../protocol/feed/message.ts'
import { type AuditFields, checkEntries, emptyAudit } from '../../../relayer/audit/entry.ts'
import type { KillRecord } from '../../../relayer/kill/record.ts'
import { openDatabase } from '../../../relayer/store/database.ts'
import { type History, readHistory } from '../../../relayer/store/history.ts'

/** All that a stopped relayer's store says. */
export type StoreView = {
  readonly history: History
  readonly kills: ReadonlyMap<string, KillRecord>
  /** Hash by number, and number by killId of the kill messages. */
  readonly messages: ReadonlyMap<number, { readonly epoch: string; readonly hash: string }>
  readonly svids: ReadonlySet<string>
  readonly acknowledged: ReadonlyMap<string, { readonly epoch: string | null; readonly number: number }>
}

/**
 * Reads a copy of a store, as a start would, and holds it to what must always be so, wherever its relayer was killed:
 * the audit chain verifies, feed messages are linked and without gaps, each kill is announced and logged exactly once
 * and is the only one of its order.
 */
export async function viewStore(data: string): Promise<StoreView | null> {
  if (!existsSync(path.join(data, 'relayer.db'))) return null
  const copy = mkdtempSync(path.join(tmpdir(), 'killswitch-store-'))
  try {
    for (const name of ['relayer.db', 'relayer.db-wal', 'relayer.db-journal']) {
      const file = path.join(data, name)
      if (existsSync(file)) cpSync(file, path.join(copy, name))
    }
    const db = await openDatabase(path.join(copy, 'relayer.db'))
    try {
      const history = await readHistory(db, Date.now())
      const entries = await db.selectFrom('audit_entries').selectAll().orderBy('number').execute()
      checkEntries(emptyAudit, entries)
      const killEntries = entries.flatMap(({ json }) => {
        const { action, detail } = JSON.parse(json) as AuditFields
        return action === 'kill' ? [String(detail.killId)] : []
      })

      const messages = new Map<number, { epoch: string; hash: string }>()
      const announced: string[] = []
      let previous = emptyHash
      for (const row of await db.selectFrom('feed_messages').selectAll().orderBy('number').execute()) {
        const json = row.document.slice(0, row.document.indexOf('\n'))
        const message = JSON.parse(json) as FeedMessage
        assert.equal(row.number, messages.size + 1, 'feed messages are numbered without gaps')
        assert.equal(message.number, row.number)
        assert.equal(message.previous, previous, 'each feed message names the one before it')
        assert.equal(row.hash, messageHash(json))
        previous = row.hash
        messages.set(row.number, { epoch: message.epoch, hash: row.hash })
        if (message.type === 'kill') announced.push(message.row.killId)
      }

      const rows = await db.selectFrom('kills').select('record').orderBy('number').execute()
      const kills = new Map(
        rows.map(({ record }) => JSON.parse(record) as KillRecord).map((kill) => [kill.id, kill]),
      )
      const sorted = (ids: Iterable<string>) => [...ids].sort()
      assert.deepEqual(sorted(announced), sorted(kills.keys()), 'each kill is announced once')
      assert.deepEqual(sorted(killEntries), sorted(kills.keys()), 'each kill is logged once')
      const digests = [...kills.values()].flatMap(({ digest }) => digest ?? [])
      assert.equal(new Set(digests).size, digests.length, 'one kill per order')
      const landings = [...kills.values()].flatMap(({ landing }) =>
        landing === null ? [] : `${landing.blockHash}:${landing.logIndex}`,
      )
      assert.equal(new Set(landings).size, landings.length, 'one kill per log')

      const svids = await db.selectFrom('svids').select('serial').execute()
      const points = await db.selectFrom('enforcement_points').selectAll().execute()
      return {
        history,
        kills,
        messages,
        svids: new Set(svids.map(({ serial }) => serial)),
        acknowledged: new Map(
          points.map(({ spiffe_id, epoch, acknowledged }) => [spiffe_id, { epoch, number: acknowledged }]),
        ),
      }
    } finally {
      await db.destroy()
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
