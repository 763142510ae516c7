import type { Transaction } from 'kysely'
import type { Hex } from '../../protocol/hex.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { Place } from '../identity/places.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'

/** Every place, in the order in which they were taken. */
export async function readPlaces(db: Database): Promise<readonly Place[]> {
  const rows = await db.selectFrom('places').select(['uuid', 'owner']).orderBy('taken_at').execute()
  return rows.map(({ uuid, owner }) => ({ uuid, owner: owner as Hex }))
}

/** Writes the place that an SVID takes, if it takes one, and forgets that of the agent that it displaces. */
export async function writePlace(
  trx: Transaction<Schema>,
  { spiffeId, owner, issuedAt, place }: SvidRecord,
): Promise<void> {
  if (place === undefined || owner === null) return
  if (place.displaced !== null) await trx.deleteFrom('places').where('uuid', '=', place.displaced).execute()
  const held = { owner, taken_at: issuedAt }
  await trx
    .insertInto('places')
    .values({ uuid: parseSpiffeId(spiffeId).name, ...held })
    .onConflict((c) => c.column('uuid').doUpdateSet(held))
    .execute()
}
