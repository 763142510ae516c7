import type { EnforcementPoint } from '../kill/points.ts'
import type { Database } from './database.ts'

/** A workload that an operator enrolled; times in ms. */
export type Workload = {
  readonly spiffeId: string
  readonly enrolledAt: number
  readonly withdrawnAt: number | null
}

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

/** Writes a workload's enrolment, with its enforcement point if it is one. */
export async function writeEnrolment(
  db: Database,
  { spiffeId, enrolledAt }: Workload,
  point: EnforcementPoint | null,
): Promise<void> {
  const values = { enrolled_at: enrolledAt, withdrawn_at: null }
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('workloads')
      .values({ spiffe_id: spiffeId, ...values })
      .onConflict((c) => c.column('spiffe_id').doUpdateSet(values))
      .execute()
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
  })
}

/** Withdraws an enrolment; its enforcement point goes with it. @param at ms */
export async function writeWithdrawal(db: Database, spiffeId: string, at: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx.updateTable('workloads').set({ withdrawn_at: at }).where('spiffe_id', '=', spiffeId).execute()
    await trx.deleteFrom('enforcement_points').where('spiffe_id', '=', spiffeId).execute()
  })
}
