import fc from 'fast-check'
import { expect, test } from 'vitest'
import { afterAnswer, afterRefusal, firstRange, largestRange } from './rangeSize.ts'

test('whatever the limit, the size settles below it, near it, and a single block is always tried', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), (limit) => {
      let size = firstRange
      let refusals = 0
      for (let i = 0; i < 60; i++) {
        if (size.blocks > limit) refusals++
        size = size.blocks > limit ? afterRefusal(size) : afterAnswer(size)
        expect(size.blocks).toBeGreaterThanOrEqual(1)
        expect(size.blocks).toBeLessThanOrEqual(largestRange)
      }
      expect(size.blocks).toBeLessThanOrEqual(limit)
      expect(size.blocks).toBeGreaterThanOrEqual(Math.min(limit, largestRange) / 2)
      expect(refusals).toBeLessThan(30)
    }),
  )
})
