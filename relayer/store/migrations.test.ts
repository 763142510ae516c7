import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Migrator } from 'kysely/migration'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeKill, ofOrder, settled } from '../../test/relayer/makeKill.ts'
import { type Database, databaseOver, openDatabase } from './database.ts'
import { readHistory } from './history.ts'
import { migrations } from './migrations.ts'
import { readPoints } from './points.ts'
import { readWorkloads } from './workloads.ts'

const shop = 'spiffe://killswitch.test/service/shop'
const olga = 'spiffe://killswitch.test/admin/olga'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killswitch-migrations-'))
  return () => rmSync(folder, { recursive: true, force: true })
})
let db: Database
afterEach(() => db.destroy())

test('a store of the first schema is brought up to date with its kills and points', async () => {
  const path = join(folder, 'relayer.db')
  const sqlite = new DatabaseSync(path)
  const old = databaseOver(sqlite)
  const first = '2026-11-20 initial'
  const provider = { getMigrations: async () => ({ ...migrations }) }
  expect((await new Migrator({ db: old, provider }).migrateTo(first)).error).toBeUndefined()
  const txHash = `0x${'77'.repeat(32)}` as const
  const kills = [
    makeKill(12, { ...settled, orphaned: { height: 5, txHash, at: 0 } }),
    makeKill(3, { ...settled, ...ofOrder(3, 600) }),
  ]
  const insertKill = sqlite.prepare(
    'INSERT INTO kills (id, scope, subject, open, seen_at, record) VALUES (?, ?, ?, 0, 0, ?)',
  )
  for (const kill of kills) insertKill.run(kill.id, kill.scope, kill.subject, JSON.stringify(kill))
  const insertPoint = sqlite.prepare('INSERT INTO enforcement_points VALUES (?, ?, ?, ?, ?)')
  insertPoint.run(shop, 5, 'e', 7, 8)
  insertPoint.run(olga, 6, null, 0, null)
  await old.destroy()

  db = await openDatabase(path)
  expect((await readHistory(db, 0)).kills).toEqual([kills[1], kills[0]])
  expect(
    await db.selectFrom('kills').select(['id', 'number', 'deadline', 'tx_hash']).orderBy('number').execute(),
  ).toEqual([
    { id: 'kill-3', number: 3, deadline: 600, tx_hash: null },
    { id: 'kill-12', number: 12, deadline: null, tx_hash: txHash },
  ])
  // All stay enrolled; only services are enforcement points.
  expect(await readWorkloads(db)).toEqual([
    { spiffeId: shop, enrolledAt: 5, withdrawnAt: null },
    { spiffeId: olga, enrolledAt: 6, withdrawnAt: null },
  ])
  expect(await readPoints(db)).toEqual([
    { spiffeId: shop, enrolledAt: 5, epoch: 'e', acknowledged: 7, acknowledgedAt: 8 },
  ])
})
