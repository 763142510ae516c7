import type { Transaction } from 'kysely'
import type { Database } from '../../relayer/store/database.ts'
import type { Schema } from '../../relayer/store/schema.ts'

/** What the store does to a process. */
export type StoreFaults = {
  /** Every write fails, as on a full disk. */
  failing: boolean
  /** At the next transaction the process dies: before its commit, so that nothing of it is left, or just after. */
  crashAt: 'before commit' | 'after commit' | null
}

/** The store refuses a write. */
export class DiskFullError extends Error {
  override readonly name = 'DiskFullError'
  constructor() {
    super('database or disk is full')
  }
}

const never = new Promise<never>(() => {})

/**
 * A process's view of its store. The store itself stands for the disk: what was committed outlives the process, what was
 * not is rolled back. A dead process writes nothing more.
 */
export function faultyStore(
  db: Database,
  faults: StoreFaults,
  process: { readonly isAlive: () => boolean; readonly die: () => void },
): Database {
  const execute = async <T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> => {
    const { crashAt } = faults
    faults.crashAt = null
    let result: T
    try {
      result = await db.transaction().execute(async (trx) => {
        const done = await work(trx)
        if (crashAt === 'before commit') process.die()
        if (!process.isAlive() || faults.failing) throw new DiskFullError()
        return done
      })
    } catch (error) {
      if (!process.isAlive()) return never
      throw error
    }
    if (crashAt === 'after commit') process.die()
    return process.isAlive() ? result : never
  }
  return new Proxy(db, {
    get(target, name) {
      if (name === 'transaction') return () => ({ execute })
      if (name === 'insertInto' && faults.failing) throw new DiskFullError()
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
