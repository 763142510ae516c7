import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RevocationRow } from '../revocation.ts'
import { Scope, targetKey } from '../scope.ts'
import { createDigestedTable, tableDigest } from './tableDigest.ts'

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

const nothing = sha256('')

/** docs/protocol.md, Feed, read literally and with another library. */
function reference(rows: readonly RevocationRow[]): string {
  const buckets = Array.from({ length: 4096 }, (_, bucket) => {
    const inside = rows
      .filter((row) => Number.parseInt(row.subject.slice(-3), 16) === bucket)
      .sort((a, b) => (targetKey(a) < targetKey(b) ? -1 : 1))
    if (inside.length === 0) return nothing
    const lines = inside.map((row) => {
      const { scope, subject, provisional, finalSequence, rank, reason, text, killId } = row
      return JSON.stringify({ scope, subject, provisional, finalSequence, rank, reason, text, killId })
    })
    return sha256(lines.join('\n'))
  })
  const groups = Array.from({ length: 64 }, (_, i) =>
    sha256(Buffer.concat(buckets.slice(i * 64, i * 64 + 64))),
  )
  return sha256(Buffer.concat(groups)).toString('base64url')
}

// Few subjects, some in one bucket and group: changes of the same row and collisions are common.
const row = fc
  .record({
    scope: fc.constantFrom(Scope.Agent, Scope.Owner),
    end: fc.constantFrom('001', '03f', '040'),
    twin: fc.nat(1),
    provisional: fc.boolean(),
    finalSequence: fc.nat(2),
    text: fc.constantFrom('', 'ü'),
  })
  .map(
    ({ scope, end, twin, provisional, finalSequence, text }): RevocationRow => ({
      killId: 'k',
      text,
      reason: 1,
      rank: 2,
      finalSequence,
      provisional,
      subject: `0x${String(twin).padStart(61, '0')}${end}`,
      scope,
    }),
  )

test('the digest after any changes is that of the page for the rows that are left', () => {
  const change = fc.record({ row, removed: fc.boolean(), asked: fc.boolean(), steps: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const table = createDigestedTable()
      for (const { row: changed, removed, asked, steps } of changes) {
        if (removed) table.delete(targetKey(changed))
        else table.set(changed)
        for (let step = 0; step < steps; step++) table.hashSome()
        if (asked) expect(table.digest()).toBe(reference([...table.rows()]))
      }
      const left = [...table.rows()]
      expect(table.digest()).toBe(reference(left))
      expect(tableDigest(left.reverse())).toBe(table.digest())
    }),
    { numRuns: 60 },
  )
})
