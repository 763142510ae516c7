import { emptyAudit } from '../../relayer/audit/entry.ts'
import { noMessage } from '../../relayer/feed/position.ts'
import type { Database } from '../../relayer/store/database.ts'
import { createJournal } from '../../relayer/store/journal.ts'

/** A journal over an empty store, with signatures that are none. */
export const makeJournal = (db: Database) =>
  createJournal({
    db,
    feed: { relayer: 'r', deployment: 'd', epoch: 'e' },
    lastMessage: noMessage,
    lastEntry: emptyAudit,
    sign: () => new Uint8Array(64),
    clock: { wall: () => 0, monotonic: () => 0 },
  })
