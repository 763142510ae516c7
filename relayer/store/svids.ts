import type { Transaction } from 'kysely'
import type { Hex } from '../../protocol/hex.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Database } from './database.ts'
import { parts } from './parts.ts'
import { writePlace } from './places.ts'
import type { Schema } from './schema.ts'

/** Remembers SVIDs, with the places that they take, and forgets those of their bearers that have expired; the certificates themselves are not kept. */
export async function insertSvids(trx: Transaction<Schema>, svids: readonly SvidRecord[]): Promise<void> {
  for (const part of parts(svids)) {
    await trx
      .deleteFrom('svids')
      .where(
        'spiffe_id',
        'in',
        part.map(({ spiffeId }) => spiffeId),
      )
      .where('expires_at', '<', Math.min(...part.map(({ issuedAt }) => issuedAt)))
      .execute()
    await trx
      .insertInto('svids')
      .values(
        part.map((svid) => ({
          serial: svid.serial,
          spiffe_id: svid.spiffeId,
          owner: svid.owner,
          generation: svid.generation,
          issued_at: svid.issuedAt,
          expires_at: svid.expiresAt,
          proved_at: svid.provedAt,
        })),
      )
      .execute()
  }
  // One by one: of two in one commit the later may take the place of the earlier.
  for (const svid of svids) await writePlace(trx, svid)
}

/** The latest SVID of each identity that was proved after `provedAfter` (ms). */
export async function latestSvids(db: Database, provedAfter: number): Promise<readonly SvidRecord[]> {
  const rows = await db
    .selectFrom('svids')
    .selectAll()
    .where('proved_at', '>', provedAfter)
    .orderBy('issued_at')
    .execute()
  return rows.map(svidOf)
}

/** Every SVID that is still valid. @param now ms */
export async function validSvids(db: Database, now: number): Promise<readonly SvidRecord[]> {
  const rows = await db.selectFrom('svids').selectAll().where('expires_at', '>', now).execute()
  return rows.map(svidOf)
}

const svidOf = (row: Schema['svids']): SvidRecord => ({
  serial: row.serial,
  spiffeId: row.spiffe_id,
  owner: row.owner as Hex | null,
  generation: row.generation,
  issuedAt: row.issued_at,
  expiresAt: row.expires_at,
  provedAt: row.proved_at,
  certificate: '',
})

/** Forgets SVIDs that neither a list nor a renewal can need any more. @param before ms */
export async function forgetSvids(db: Database, before: number): Promise<void> {
  await db.deleteFrom('svids').where('expires_at', '<', before).where('proved_at', '<', before).execute()
}
