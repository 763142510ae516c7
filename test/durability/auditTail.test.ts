// A start reads the end of the audit log and refuses one that was altered, with one line that says what to do.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AuditPosition, appendEntry } from '../../relayer/audit/entry.ts'
import { openDatabase } from '../../relayer/store/database.ts'
import { readHistory } from '../../relayer/store/history.ts'
import { makeJournal } from '../relayer/makeJournal.ts'
import { spawnRelayer } from './support/relayerProcess.ts'

/** More than a start reads. */
const entries = 1_200
let data: string
let store: string
beforeEach(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'killswitch-audit-'))
  store = path.join(data, 'relayer.db')
  const db = await openDatabase(store)
  await makeJournal(db).commit({
    audit: Array.from({ length: entries }, (_, i) => ({
      action: 'access',
      actor: `agent ${i}`,
      spiffeId: null,
      time: i,
      detail: {},
    })),
  })
  await db.destroy()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const change = (sql: string, ...values: readonly (string | number)[]) => {
  const db = new DatabaseSync(store)
  db.prepare(sql).run(...values)
  db.close()
}
const read = async () => {
  const db = await openDatabase(store)
  try {
    return (await readHistory(db, 0)).lastEntry.number
  } finally {
    await db.destroy()
  }
}
/** An entry of somebody who can compute hashes but does not know what came before. */
const forged = (position: AuditPosition) =>
  appendEntry(position, { action: 'resume', actor: 'nobody', spiffeId: null, time: 0, detail: {} })

test('a whole log is read, also when only its end is left', async () => {
  expect(await read()).toBe(entries)
  change('DELETE FROM audit_entries WHERE number <= 300')
  expect(await read()).toBe(entries)
})

test.each<readonly [string, number, () => void]>([
  [
    'altered',
    1_100,
    () =>
      change(`UPDATE audit_entries SET json = replace(json, 'agent 1099', 'agent 7') WHERE number = 1100`),
  ],
  [
    'altered last',
    entries,
    () => change(`UPDATE audit_entries SET json = replace(json, 'agent', 'Agent') WHERE number = ?`, entries),
  ],
  ['that is no JSON', 1_100, () => change(`UPDATE audit_entries SET json = 'x' WHERE number = 1100`)],
  ['missing', 1_101, () => change('DELETE FROM audit_entries WHERE number = 1100')],
  [
    'written anew with its hash',
    1_101,
    () => {
      const { json, hash } = forged({ number: 1_099, hash: 'a'.repeat(64) })
      change('UPDATE audit_entries SET json = ?, hash = ? WHERE number = 1100', json, hash)
    },
  ],
  [
    'added at the end',
    entries + 1,
    () => {
      const { number, json, hash } = forged({ number: entries, hash: 'a'.repeat(64) })
      change('INSERT INTO audit_entries (number, json, hash) VALUES (?, ?, ?)', number, json, hash)
    },
  ],
  [
    'in the place of another',
    1_100,
    () => {
      change('UPDATE audit_entries SET number = 9999 WHERE number = 1100')
      change('UPDATE audit_entries SET number = 1100 WHERE number = 1101')
      change('UPDATE audit_entries SET number = 1101 WHERE number = 9999')
    },
  ],
])('an entry %s is found', async (_, number, tamper) => {
  tamper()
  // A forged entry is wrong itself or makes the next one wrong.
  await expect(read()).rejects.toMatchObject({ name: 'AuditChainBrokenError' })
  await expect(read()).rejects.toThrow(new RegExp(`^audit entry (${number}|${number - 1}) does not match`))
})

test('the relayer refuses to start with one line that says what to do', async () => {
  change('DELETE FROM audit_entries WHERE number = 1100')
  const { ended } = spawnRelayer({
    data,
    args: {
      rpc: 'http://127.0.0.1:1',
      contract: `0x${'c0'.repeat(20)}`,
      'chain-id': 1,
      'trust-domain': 'killswitch.test',
    },
  })
  expect(await ended).toEqual({
    how: 1,
    said: 'killswitch-relayer: audit entry 1101 does not match its hash or does not follow entry 1100; restore the store from a backup\n',
  })
})
