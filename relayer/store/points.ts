import type { Transaction } from 'kysely'
import type { Access } from '../audit/accesses.ts'
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

export async function insertAccesses(
  trx: Transaction<Schema>,
  point: string,
  accesses: readonly Access[],
): Promise<void> {
  if (accesses.length === 0) return
  await trx
    .insertInto('accesses')
    .values(
      accesses.map((access) => ({
        point,
        spiffe_id: access.spiffeId,
        at: access.at,
        method: access.method,
        path: access.path,
        status: access.status,
        outcome: access.outcome,
        count: access.count,
      })),
    )
    .execute()
}

/** The latest reported accesses by an identity, newest first, with the point that reported each. */
export async function recentAccesses(
  db: Database,
  spiffeId: string,
  limit: number,
): Promise<readonly (Access & { readonly point: string })[]> {
  const rows = await db
    .selectFrom('accesses')
    .selectAll()
    .where('spiffe_id', '=', spiffeId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id: _, spiffe_id, ...rest }) => ({ spiffeId: spiffe_id, ...rest }))
}
