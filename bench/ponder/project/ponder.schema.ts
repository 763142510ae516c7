import { onchainTable } from 'ponder'

export const kill = onchainTable('kill', (t) => ({
  id: t.text().primaryKey(),
  scope: t.integer().notNull(),
  subject: t.hex().notNull(),
  authority: t.hex().notNull(),
  rank: t.integer().notNull(),
  reason: t.integer().notNull(),
  sequence: t.bigint().notNull(),
  block: t.bigint().notNull(),
  txHash: t.hex().notNull(),
  /** CLOCK_MONOTONIC at which the handler was called, in ms. */
  handledAt: t.doublePrecision().notNull(),
}))
