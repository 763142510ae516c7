import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  afterAnswer,
  afterRefusal,
  firstRange,
  largestRange,
  type RangeSize,
  refusalMemory,
} from './rangeSize.ts'

const next = (size: RangeSize, limit: number): RangeSize =>
  size.blocks > limit ? afterRefusal(size) : afterAnswer(size)

test('whatever the limit, the size settles near it and is then seldom refused', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (limit) => {
      let size = firstRange
      for (let i = 0; i < 40; i++) size = next(size, limit)
      let refusals = 0
      let answered = 0
      for (let i = 0; i < 10 * refusalMemory; i++) {
        expect(size.blocks).toBeGreaterThanOrEqual(1)
        expect(size.blocks).toBeLessThanOrEqual(largestRange)
        if (size.blocks > limit) refusals++
        else answered += size.blocks
        size = next(size, limit)
      }
      expect(refusals).toBeLessThanOrEqual(40)
      expect(answered).toBeGreaterThan(4 * refusalMemory * Math.min(limit, largestRange))
    }),
  )
})

test('an outage that had made it small is forgotten', () => {
  let size: RangeSize = { blocks: 1, refused: 2, answers: 0 }
  for (let i = 0; i < 2 * refusalMemory; i++) size = afterAnswer(size)
  expect(size.blocks).toBe(largestRange)
})
