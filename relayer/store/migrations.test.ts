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
import { readPlaces } from './places.ts'
import { readPoints } from './points.ts'
import { readWorkloads } from './workloads.ts'

const shop = 'spiffe://killswitch.test/service/shop'
const uuid = '01234567-89ab-8def-8123-456789abcdef'
const worker = `spiffe://killswitch.test/worker/${uuid}`
const [alice, bob] = [`0x${'a1'.repeat(20)}`, `0x${'b0'.repeat(20)}`]
const olga = 'spiffe://killswitch.test/admin/olga'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'killswitch-migrations-'))
  return () => rmSync(folder, { recursive: true, force: true })
})
let db: Database
afterEach(() => db.destroy())

test('a store of the first schema is brought up to date with its kills, points and places', async () => {
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
  const insertSvid = sqlite.prepare('INSERT INTO svids VALUES (?, ?, ?, 1, ?, 9, 9)')
  insertSvid.run('1', worker, alice, 7)
  insertSvid.run('2', shop, null, 7)
  insertSvid.run('3', worker, bob, 8)
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
  // Agents keep the places that they had before there were any, with their latest owner.
  expect(await readPlaces(db)).toEqual([{ uuid, owner: bob }])
})
