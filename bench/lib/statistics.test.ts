import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, quantile } from './statistics.ts'

// Without -0, which sorts anywhere beside 0.
const value = fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((one) => one + 0)
const values = fc.array(value, { minLength: 1, maxLength: 300 })

describe('quantile', () => {
  it('is a measured value, with at least that share at or below it and less than that below', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (all, share) => {
        const found = quantile(all, share)
        expect(all).toContain(found)
        expect(all.filter((one) => one <= found).length).toBeGreaterThanOrEqual(share * all.length - 1e-6)
        expect(all.filter((one) => one < found).length).toBeLessThan(share * all.length)
      }),
    )
  })

  it('of a hundred values is the ninety-ninth, and of few the largest', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(quantile(hundred, 0.99)).toBe(99)
    expect(quantile([3, 1, 2], 0.99)).toBe(3)
    expect(quantile([], 0.5)).toBeNaN()
  })
})

describe('median', () => {
  it('does not depend on the order and lies in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    fc.assert(
      fc.property(values, (all) => {
        expect(median(all)).toBe(median(all.toReversed()))
      }),
    )
  })
})
