import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, openDatabase } from './database.ts'
import { keepLargest, pin, SettingChangedError } from './settings.ts'

let db: Database
beforeEach(async () => {
  db = await openDatabase(':memory:')
})
afterEach(() => db.destroy())

test('the largest value ever given is kept', async () => {
  expect(await keepLargest(db, 'longest SVID life', 300_000)).toBe(300_000)
  expect(await keepLargest(db, 'longest SVID life', 60_000)).toBe(300_000)
  expect(await keepLargest(db, 'longest SVID life', 900_000)).toBe(900_000)
  expect(await keepLargest(db, 'longest SVID life', 60_000)).toBe(900_000)
})

test('a pinned value stays', async () => {
  await pin(db, 'trust domain', 'a')
  await pin(db, 'trust domain', 'a')
  await expect(pin(db, 'trust domain', 'b')).rejects.toBeInstanceOf(SettingChangedError)
})
