import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import { type KillRecord, txHashOf } from '../kill/record.ts'
import type { Schema } from './schema.ts'

const initial: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db
    await schema
      .createTable('settings')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('value', 'text', (c) => c.notNull())
      .execute()
    await schema
      .createTable('blocks')
      .addColumn('number', 'bigint', (c) => c.primaryKey())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('parent_hash', 'text', (c) => c.notNull())
      .addColumn('time', 'bigint', (c) => c.notNull())
      .execute()
    await schema
      .createTable('chain_events')
      .addColumn('block_hash', 'text', (c) => c.notNull())
      .addColumn('log_index', 'integer', (c) => c.notNull())
      .addColumn('block_number', 'bigint', (c) => c.notNull())
      .addColumn('block_time', 'bigint', (c) => c.notNull())
      .addColumn('tx_hash', 'text', (c) => c.notNull())
      .addColumn('event', 'text', (c) => c.notNull())
      .addColumn('granted', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('chain_events_key', ['block_hash', 'log_index'])
      .execute()
    await schema
      .createIndex('chain_events_order')
      .on('chain_events')
      .columns(['block_number', 'log_index'])
      .execute()
    await schema
      .createTable('kills')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('digest', 'text')
      .addColumn('scope', 'integer', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('open', 'integer', (c) => c.notNull())
      .addColumn('seen_at', 'bigint', (c) => c.notNull())
      .addColumn('record', 'text', (c) => c.notNull())
      .execute()
    await schema.createIndex('kills_by_time').on('kills').column('seen_at').execute()
    await schema
      .createTable('confirmations')
      .addColumn('kill_id', 'text', (c) => c.notNull())
      .addColumn('spiffe_id', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('monotonic', 'real', (c) => c.notNull())
      .addPrimaryKeyConstraint('confirmations_key', ['kill_id', 'spiffe_id'])
      .execute()
    await schema
      .createTable('revocation_rows')
      .addColumn('scope', 'integer', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('row', 'text', (c) => c.notNull())
      .addColumn('final_at', 'bigint')
      .addPrimaryKeyConstraint('revocation_rows_key', ['scope', 'subject'])
      .execute()
    for (const name of ['feed_messages', 'audit_entries'] as const) {
      await schema
        .createTable(name)
        .addColumn('number', 'bigint', (c) => c.primaryKey())
        .addColumn(name === 'feed_messages' ? 'document' : 'json', 'text', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .execute()
    }
    await schema
      .createTable('svids')
      .addColumn('serial', 'text', (c) => c.primaryKey())
      .addColumn('spiffe_id', 'text', (c) => c.notNull())
      .addColumn('owner', 'text')
      .addColumn('generation', 'bigint', (c) => c.notNull())
      .addColumn('issued_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addColumn('proved_at', 'bigint', (c) => c.notNull())
      .execute()
    await schema.createIndex('svids_by_identity').on('svids').columns(['spiffe_id', 'expires_at']).execute()
    await schema
      .createTable('enrolments')
      .addColumn('token_hash', 'text', (c) => c.primaryKey())
      .addColumn('spiffe_id', 'text', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addColumn('used_at', 'bigint')
      .execute()
    await schema
      .createTable('enforcement_points')
      .addColumn('spiffe_id', 'text', (c) => c.primaryKey())
      .addColumn('enrolled_at', 'bigint', (c) => c.notNull())
      .addColumn('epoch', 'text')
      .addColumn('acknowledged', 'bigint', (c) => c.notNull())
      .addColumn('acknowledged_at', 'bigint')
      .execute()
    await schema
      .createTable('accesses')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('point', 'text', (c) => c.notNull())
      .addColumn('spiffe_id', 'text', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('method', 'text', (c) => c.notNull())
      .addColumn('path', 'text', (c) => c.notNull())
      .addColumn('status', 'integer', (c) => c.notNull())
      .addColumn('outcome', 'text', (c) => c.notNull())
      .addColumn('count', 'bigint', (c) => c.notNull())
      .execute()
    await schema.createIndex('accesses_by_identity').on('accesses').columns(['spiffe_id', 'at']).execute()
  },
}

const killsByNumber: Migration = {
  async up(db: Kysely<unknown>) {
    const { schema } = db
    await schema
      .alterTable('kills')
      .addColumn('number', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute()
    await schema.alterTable('kills').addColumn('deadline', 'bigint').execute()
    const kills = db as Kysely<Pick<Schema, 'kills'>>
    for (const { id, record } of await kills.selectFrom('kills').select(['id', 'record']).execute()) {
      const { feed, order } = JSON.parse(record) as KillRecord
      await kills
        .updateTable('kills')
        .set({ number: feed.number, deadline: order === null ? null : Number(order.message.deadline) })
        .where('id', '=', id)
        .execute()
    }
    await schema.dropIndex('kills_by_time').execute()
    await schema.createIndex('kills_by_digest').on('kills').column('digest').execute()
    await schema.createIndex('kills_by_number').on('kills').column('number').execute()
  },
}

/** Enrolled workloads apart from enforcement points, of which only services are. */
const workloads: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('workloads')
      .addColumn('spiffe_id', 'text', (c) => c.primaryKey())
      .addColumn('enrolled_at', 'bigint', (c) => c.notNull())
      .addColumn('withdrawn_at', 'bigint')
      .execute()
    const tables = db as Kysely<Pick<Schema, 'workloads' | 'enforcement_points'>>
    const points = await tables
      .selectFrom('enforcement_points')
      .select(['spiffe_id', 'enrolled_at'])
      .execute()
    for (const point of points) {
      await tables
        .insertInto('workloads')
        .values({ ...point, withdrawn_at: null })
        .execute()
      if (parseSpiffeId(point.spiffe_id).type === 'service') continue
      await tables.deleteFrom('enforcement_points').where('spiffe_id', '=', point.spiffe_id).execute()
    }
  },
}

const svidsByExpiry: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex('svids_by_expiry').on('svids').column('expires_at').execute()
  },
}

/** Kills by their transactions, which bring a kill once. */
const killsByTransaction: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('kills').addColumn('tx_hash', 'text').execute()
    const kills = db as Kysely<Pick<Schema, 'kills'>>
    for (const { id, record } of await kills.selectFrom('kills').select(['id', 'record']).execute()) {
      await kills
        .updateTable('kills')
        .set({ tx_hash: txHashOf(JSON.parse(record) as KillRecord) })
        .where('id', '=', id)
        .execute()
    }
    await db.schema.createIndex('kills_by_transaction').on('kills').column('tx_hash').execute()
  },
}

/** The audit log has them; a second copy with an index doubled the time that a report took from the kills behind it. */
const noAccesses: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.dropTable('accesses').execute()
  },
}

/** Agents that have an SVID when quotas come keep their place, whatever their owner's quota. */
const places: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('places')
      .addColumn('uuid', 'text', (c) => c.primaryKey())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('taken_at', 'bigint', (c) => c.notNull())
      .execute()
    const tables = db as Kysely<Pick<Schema, 'svids' | 'places'>>
    const svids = await tables
      .selectFrom('svids')
      .select(['spiffe_id', 'owner', 'issued_at'])
      .orderBy('issued_at')
      .execute()
    for (const { spiffe_id, owner, issued_at } of svids) {
      if (owner === null) continue
      const held = { owner, taken_at: issued_at }
      await tables
        .insertInto('places')
        .values({ uuid: parseSpiffeId(spiffe_id).name, ...held })
        .onConflict((c) => c.column('uuid').doUpdateSet(held))
        .execute()
    }
  },
}

/** In the order of their names; never edit one that has been released. */
export const migrations: Readonly<Record<string, Migration>> = {
  '2026-11-20 initial': initial,
  '2026-11-21 kills by number': killsByNumber,
  '2026-11-21 workloads': workloads,
  '2026-11-22 kills by transaction': killsByTransaction,
  '2026-11-22 svids by expiry': svidsByExpiry,
  '2026-11-23 accesses in the log alone': noAccesses,
  '2026-11-24 places': places,
}
