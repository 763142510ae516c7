import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  AuditChainBrokenError,
  type AuditEntry,
  type AuditFields,
  appendEntry,
  canonicalJson,
  checkEntries,
  emptyAudit,
} from './entry.ts'

// RFC 8785, section 3.2.3: members sorted by UTF-16 code units.
test('the sorting example of RFC 8785, section 3.2.3', () => {
  const input = {
    '€': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '😀': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    ö: 'Latin Small Letter O With Diaeresis',
  }
  expect(Object.values(JSON.parse(canonicalJson(input)) as object).sort()).toEqual(
    Object.values(input).sort(),
  )
  expect([...canonicalJson(input).matchAll(/:"([^"]+)"/g)].map((match) => match[1])).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

test('a fraction is refused', () => {
  expect(() => canonicalJson({ a: 0.5 })).toThrow(RangeError)
})

const fields = fc.record({
  action: fc.string(),
  actor: fc.string(),
  spiffeId: fc.option(fc.string()),
  time: fc.nat(),
  detail: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())),
})
const chain = (all: readonly AuditFields[]): AuditEntry[] => {
  const entries: AuditEntry[] = []
  for (const one of all) entries.push(appendEntry(entries.at(-1) ?? emptyAudit, one))
  return entries
}

test('a chain that was appended checks; altered, reordered or cut anywhere it does not', () => {
  fc.assert(
    fc.property(fc.array(fields, { minLength: 2, maxLength: 8 }), fc.nat(), (all, where) => {
      const entries = chain(all)
      expect(checkEntries(emptyAudit, entries).number).toBe(entries.length)
      const at = where % entries.length
      const entry = entries[at] as AuditEntry
      expect(() =>
        checkEntries(
          emptyAudit,
          entries.with(at, { ...entry, json: entry.json.replace('"actor":', '"Actor":') }),
        ),
      ).toThrow(AuditChainBrokenError)
      if (at + 1 < entries.length)
        expect(() => checkEntries(emptyAudit, entries.toSpliced(at, 1))).toThrow(AuditChainBrokenError)
      if (at > 0)
        expect(() => checkEntries(emptyAudit, entries.with(at, entries[at - 1] as AuditEntry))).toThrow(
          AuditChainBrokenError,
        )
    }),
  )
})
