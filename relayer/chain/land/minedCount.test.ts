import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countMemory, minedCount } from './minedCount.ts'

test('fewer than half of the answers can neither raise nor lower it', () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc
        .integer({ min: 1, max: 5 })
        .chain((honest) => fc.tuple(fc.constant(honest), fc.array(fc.nat(2000), { maxLength: honest - 1 }))),
      (count, [honest, lies]) => {
        expect(minedCount([...lies, ...Array<number>(honest).fill(count)], 0, null, 0).count).toBe(count)
      },
    ),
  )
})

test('of two the higher counts with a receipt only: else a transaction would go out behind a gap', () => {
  expect(minedCount([4, 99], 0, null, 0).count).toBe(4)
  expect(minedCount([4, 99], 5, null, 0).count).toBe(5)
  expect(minedCount([4, 5, 99], 0, null, 0).count).toBe(5)
  expect(minedCount([4, 5, 99, 99], 0, null, 0).count).toBe(5)
})

test('a lower count is a lagging node at first, a reorg afterwards', () => {
  const known = minedCount([5], 0, null, 0)
  expect(minedCount([4], 0, known, countMemory)).toBe(known)
  expect(minedCount([4], 0, known, countMemory + 1).count).toBe(4)
  expect(minedCount([6], 0, known, 1)).toEqual({ count: 6, at: 1 })
  expect(minedCount([5], 0, known, 7)).toEqual({ count: 5, at: 7 })
})
