import type { Transaction } from 'kysely'
import type { Workload } from '../identity/workload.ts'
import type { EnforcementPoint } from '../kill/points.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

export async function readWorkloads(db: Database): Promise<readonly Workload[]> {
  const rows = await db.selectFrom('workloads').selectAll().execute()
  return rows.map((row) => ({
    spiffeId: row.spiffe_id,
    enrolledAt: row.enrolled_at,
    withdrawnAt: row.withdrawn_at,
  }))
}

/** Marks a token as used. @returns false if it was used before */
export async function takeToken(
  db: Database,
  tokenHash: string,
  spiffeId: string,
  expiresAt: number,
  now: number,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('enrolments')
    .values({ token_hash: tokenHash, spiffe_id: spiffeId, expires_at: expiresAt, used_at: now })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Writes an enrolment, with its enforcement point if it is one, or its withdrawal, with which the point goes. */
export async function writeWorkload(
  trx: Transaction<Schema>,
  { spiffeId, enrolledAt, withdrawnAt }: Workload,
  point: EnforcementPoint | null,
): Promise<void> {
  const times = { enrolled_at: enrolledAt, withdrawn_at: withdrawnAt }
  await trx
    .insertInto('workloads')
    .values({ spiffe_id: spiffeId, ...times })
    .onConflict((c) => c.column('spiffe_id').doUpdateSet(times))
    .execute()
  if (withdrawnAt !== null)
    await trx.deleteFrom('enforcement_points').where('spiffe_id', '=', spiffeId).execute()
  if (point === null) return
  await trx
    .insertInto('enforcement_points')
    .values({
      spiffe_id: spiffeId,
      enrolled_at: point.enrolledAt,
      epoch: point.epoch,
      acknowledged: point.acknowledged,
      acknowledged_at: point.acknowledgedAt,
    })
    .onConflict((c) => c.column('spiffe_id').doNothing())
    .execute()
}
