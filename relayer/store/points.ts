import type { Transaction } from 'kysely'
import type { Confirmation, EnforcementPoint } from '../kill/points.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

export async function readPoints(db: Database): Promise<readonly EnforcementPoint[]> {
  const rows = await db.selectFrom('enforcement_points').selectAll().execute()
  return rows.map((row) => ({
    spiffeId: row.spiffe_id,
    enrolledAt: row.enrolled_at,
    epoch: row.epoch,
    acknowledged: row.acknowledged,
    acknowledgedAt: row.acknowledged_at,
  }))
}

/** Writes where a point stands, with the kills that it has newly confirmed. */
export async function writePoint(
  trx: Transaction<Schema>,
  point: EnforcementPoint,
  confirmations: readonly Confirmation[],
): Promise<void> {
  const values = {
    epoch: point.epoch,
    acknowledged: point.acknowledged,
    acknowledged_at: point.acknowledgedAt,
  }
  // An update: a point whose enrolment was withdrawn meanwhile does not come back.
  await trx.updateTable('enforcement_points').set(values).where('spiffe_id', '=', point.spiffeId).execute()
  for (const { killId, spiffeId, moment } of confirmations) {
    await trx
      .insertInto('confirmations')
      .values({
        kill_id: killId,
        spiffe_id: spiffeId,
        at: Math.round(moment.at),
        monotonic: moment.monotonic,
      })
      .onConflict((c) => c.doNothing())
      .execute()
  }
}
