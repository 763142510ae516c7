import type { Access } from '../audit/accesses.ts'
import type { Confirmation, EnforcementPoint } from '../kill/points.ts'
import type { Database } from './database.ts'

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
  db: Database,
  point: EnforcementPoint,
  confirmations: readonly Confirmation[],
): Promise<void> {
  const values = {
    enrolled_at: point.enrolledAt,
    epoch: point.epoch,
    acknowledged: point.acknowledged,
    acknowledged_at: point.acknowledgedAt,
  }
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('enforcement_points')
      .values({ spiffe_id: point.spiffeId, ...values })
      .onConflict((c) => c.column('spiffe_id').doUpdateSet(values))
      .execute()
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
  })
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

export async function insertAccesses(
  db: Database,
  point: string,
  accesses: readonly Access[],
): Promise<void> {
  if (accesses.length === 0) return
  await db
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
