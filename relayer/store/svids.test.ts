import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SvidRecord } from '../identity/svidRecord.ts'
import { type Database, openDatabase } from './database.ts'
import { readPlaces } from './places.ts'
import { insertSvids, validSvids } from './svids.ts'

let db: Database
beforeEach(async () => {
  db = await openDatabase(':memory:')
})
afterEach(() => db.destroy())

const uuidOf = (bearer: number) => `00000000-0000-8000-8000-${String(bearer).padStart(12, '0')}`
const svid = (
  serial: string,
  bearer: number,
  issuedAt: number,
  more: Partial<SvidRecord> = {},
): SvidRecord => ({
  serial,
  spiffeId: `spiffe://killswitch.local/worker/${uuidOf(bearer)}`,
  owner: `0x${'a1'.repeat(20)}`,
  generation: 1,
  issuedAt,
  expiresAt: issuedAt + 100,
  provedAt: issuedAt,
  certificate: '',
  ...more,
})
const insert = (...svids: readonly SvidRecord[]) => db.transaction().execute((trx) => insertSvids(trx, svids))
const serials = async () => (await validSvids(db, 0)).map(({ serial }) => serial).sort()

test('of the bearers of a commit those SVIDs are forgotten that have expired, and no others', async () => {
  await insert(svid('a1', 1, 1_000), svid('b1', 2, 1_000), svid('c1', 3, 1_000))
  await insert(svid('a2', 1, 1_050), svid('b2', 2, 1_060))
  expect(await serials()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1'])
  await insert(svid('a3', 1, 1_120), svid('b3', 2, 1_170))
  // Of the latter's expired ones too, once all of the commit were issued after them.
  expect(await serials()).toEqual(['a2', 'a3', 'b2', 'b3', 'c1'])
})

test('more SVIDs than one insert takes are all remembered', async () => {
  await insert(...Array.from({ length: 250 }, (_, bearer) => svid(`s${bearer}`, bearer, 1_000)))
  expect(await serials()).toHaveLength(250)
})

test('of two SVIDs in one commit the later may take the place of the earlier', async () => {
  const place = { quota: 1, displaced: null }
  await insert(
    svid('a', 1, 1_000, { place }),
    svid('b', 2, 1_000, { place: { ...place, displaced: uuidOf(1) } }),
  )
  expect((await readPlaces(db)).map(({ uuid }) => uuid)).toEqual([uuidOf(2)])
})
