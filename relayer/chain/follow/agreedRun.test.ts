import fc from 'fast-check'
import { expect, test } from 'vitest'
import { majorityOf } from '../rpc/majority.ts'
import { agreedRun, type ToldBlock } from './agreedRun.ts'

const hashOf = (id: number) => `0x${id.toString(16).padStart(64, '0')}` as const

/** The blocks of a branch above height 0, by their names; equal paths have equal hashes. */
const branchOf = (names: string, seen = 0, lie = ''): readonly ToldBlock[] => {
  const ids = Array.from(names, (_, i) =>
    Number.parseInt(Buffer.from(names.slice(0, i + 1)).toString('hex'), 16),
  )
  return ids.map((id, i) => ({
    number: i + 1,
    hash: hashOf(id),
    parentHash: hashOf(ids[i - 1] ?? 0),
    time: i,
    events: [],
    seenMonotonic: seen,
    told: `${id}${names[i] === lie ? '?' : ''}`,
  }))
}
const namesOf = (run: readonly ToldBlock[]) =>
  Buffer.from((run.at(-1)?.hash ?? '0x').slice(2).replace(/^(00)+/, ''), 'hex').toString()

test('a majority is more than half of those configured', () => {
  expect([1, 2, 3, 4, 5].map(majorityOf)).toEqual([1, 2, 2, 3, 3])
})

test('what a majority tells alike is taken, as far as it goes', () => {
  expect(namesOf(agreedRun([branchOf('abc')], 1))).toBe('abc')
  expect(namesOf(agreedRun([branchOf('abc'), branchOf('abx'), []], 2))).toBe('ab')
  expect(namesOf(agreedRun([branchOf('abc'), branchOf('xyz'), branchOf('xy')], 2))).toBe('xy')
  expect(agreedRun([branchOf('abc'), branchOf('xyz'), []], 2)).toEqual([])
  // Alike in all but the events of b.
  expect(namesOf(agreedRun([branchOf('abc'), branchOf('abc', 0, 'b')], 2))).toBe('a')
})

test('a block counts as seen from its first sight on', () => {
  const run = agreedRun([branchOf('ab', 9), branchOf('ab', 4), []], 2)
  expect(run.map(({ seenMonotonic }) => seenMonotonic)).toEqual([4, 4])
})

const names = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 })

test('nothing that a minority makes up is ever taken, nothing that a majority tells is held up', () => {
  fc.assert(
    fc.property(names, fc.array(names, { maxLength: 4 }), fc.nat(9), (truth, lies, more) => {
      // More honest ones than liars; the honest ones lag by nothing.
      const honest = Array.from({ length: lies.length + 1 + (more % 2) }, () => branchOf(truth))
      const liars = lies.map((lie) => branchOf(lie))
      const run = agreedRun([...liars, ...honest], majorityOf(liars.length + honest.length))
      expect(namesOf(run)).toBe(truth)
    }),
  )
})
