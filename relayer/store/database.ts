import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { makeFolder, syncFolder } from '../durableFolder.ts'
import { migrations } from './migrations.ts'
import type { Schema } from './schema.ts'

export type Database = Kysely<Schema>

/** The store cannot be opened. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
  readonly path: string
  constructor(path: string, cause: unknown) {
    super(
      `the store ${path} cannot be opened (${cause instanceof Error ? cause.message : String(cause)}); choose another folder with --data`,
      { cause },
    )
    this.path = path
  }
}

/**
 * Pages of the write-ahead log (16 MiB) from which on a commit also writes them into the database: a backstop for
 * back-fills, since a kill's commit is not to wait for that (`checkpoint`).
 */
const longestLog = 4_096

/**
 * Opens the SQLite store and brings its schema up to date. WAL with synchronous=FULL: a commit survives a power cut.
 * @param path of the database file, or ':memory:'
 * @throws {StoreUnavailableError}
 */
export async function openDatabase(path: string): Promise<Database> {
  let sqlite: DatabaseSync | undefined
  try {
    if (path !== ':memory:') makeFolder(dirname(path))
    sqlite = new DatabaseSync(path)
    if (path !== ':memory:') chmodSync(path, 0o600)
    // An exclusive lock: two relayers on one store would fork its feed and its log.
    sqlite.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 1000',
    )
    sqlite.exec(`PRAGMA wal_autocheckpoint = ${longestLog}`)
    // All of the schema or nothing: Kysely's migrator begins no transaction on SQLite, and what a kill or a power cut
    // left half made could never be opened again.
    sqlite.exec('BEGIN IMMEDIATE')
  } catch (cause) {
    sqlite?.close()
    throw new StoreUnavailableError(path, cause)
  }
  const db = databaseOver(sqlite)
  const { error } = await new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
  }).migrateToLatest()
  try {
    if (error !== undefined) throw error
    sqlite.exec('COMMIT')
    // Also what a start that was killed has left here without saying so to the disk: a key, above all.
    if (path !== ':memory:') syncFolder(dirname(path))
  } catch (cause) {
    await db.destroy()
    throw new StoreUnavailableError(path, cause)
  }
  return db
}

/** Writes what the write-ahead log holds into the database; some ms for each second of a busy relayer's writes. */
export async function checkpoint(db: Database): Promise<void> {
  await sql`PRAGMA wal_checkpoint(PASSIVE)`.execute(db)
}

/** Queries over an open SQLite database, whatever its schema. */
export const databaseOver = (sqlite: DatabaseSync): Database =>
  new Kysely<Schema>({ dialect: new SqliteDialect({ database: sqliteShim(sqlite) }) })

/** What Kysely's dialect asks of better-sqlite3, over node:sqlite, with prepared statements kept. */
function sqliteShim(sqlite: DatabaseSync) {
  const statements = new Map<string, StatementSync>()
  const prepared = (sql: string): StatementSync => {
    const had = statements.get(sql)
    if (had !== undefined) return had
    const statement = sqlite.prepare(sql)
    // Statements with inlined lists differ in length without bound; keep only so many.
    if (statements.size < 500) statements.set(sql, statement)
    return statement
  }
  return {
    close: () => sqlite.close(),
    prepare(sql: string) {
      const statement = prepared(sql)
      const bound = (parameters: readonly unknown[]) => parameters as SQLInputValue[]
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...bound(parameters)),
        run(parameters: readonly unknown[]) {
          // A full or failing disk has rolled back already; a second time is an error that would hide the first.
          if (sql === 'rollback' && !sqlite.isTransaction) return { changes: 0, lastInsertRowid: 0 }
          return statement.run(...bound(parameters))
        },
        iterate: (parameters: readonly unknown[]) => statement.iterate(...bound(parameters)),
      }
    },
  }
}
