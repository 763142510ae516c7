import type { Database } from './database.ts'

/** A value that is set once and must not change afterwards. */
export class SettingChangedError extends Error {
  override readonly name = 'SettingChangedError'
  readonly setting: string
  readonly stored: string
  readonly given: string
  constructor(setting: string, stored: string, given: string) {
    super(`the store belongs to ${setting} ${stored}, not ${given}; use another folder with --data`)
    this.setting = setting
    this.stored = stored
    this.given = given
  }
}

/** Reads a setting, writing it first where there is none. */
export async function settle(db: Database, name: string, value: () => string): Promise<string> {
  const stored = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  if (stored !== undefined) return stored.value
  const made = value()
  await db.insertInto('settings').values({ name, value: made }).execute()
  return made
}

/** @throws {SettingChangedError} when the store was made for another value */
export async function pin(db: Database, name: string, value: string): Promise<void> {
  const stored = await settle(db, name, () => value)
  if (stored !== value) throw new SettingChangedError(name, stored, value)
}

/** The largest value that a setting ever had, this one included: SVIDs of an earlier start may live longer than today's. */
export async function keepLargest(db: Database, name: string, value: number): Promise<number> {
  const stored = Number(await settle(db, name, () => String(value)))
  // A start writes nothing that need not be: it must work on a full disk.
  if (stored >= value) return stored
  await db
    .updateTable('settings')
    .set({ value: String(value) })
    .where('name', '=', name)
    .execute()
  return value
}
