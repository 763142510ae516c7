import type { Transaction } from 'kysely'
import type { Hex } from '../../protocol/hex.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Database } from './database.ts'
import { writePlace } from './places.ts'
import type { Schema } from './schema.ts'

/** Remembers an SVID, with the place that it takes, and forgets those of its bearer that have expired; the certificate itself is not kept. */
export async function insertSvid(trx: Transaction<Schema>, svid: SvidRecord): Promise<void> {
  await trx
    .deleteFrom('svids')
    .where('spiffe_id', '=', svid.spiffeId)
    .where('expires_at', '<', svid.issuedAt)
    .execute()
  await trx
    .insertInto('svids')
    .values({
      serial: svid.serial,
      spiffe_id: svid.spiffeId,
      owner: svid.owner,
      generation: svid.generation,
      issued_at: svid.issuedAt,
      expires_at: svid.expiresAt,
      proved_at: svid.provedAt,
    })
    .execute()
  await writePlace(trx, svid)
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
