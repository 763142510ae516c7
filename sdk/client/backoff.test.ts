import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffDelay } from './backoff.ts'

test('delays stay within their bounds and spread over them evenly', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 200 }),
      (first, more, failures) => {
        const backoff = { first, longest: first + more }
        const bound = Math.min(backoff.longest, first * 2 ** (failures - 1))
        // 5,000 clients that draw evenly: each tenth of the time gets about a ninth of them, the first tenth nobody.
        const tenths = new Array<number>(10).fill(0)
        for (let client = 0; client < 5_000; client += 1) {
          const delay = backoffDelay(backoff, failures, client / 5_000)
          expect(delay).toBeLessThanOrEqual(bound)
          const tenth = Math.min(9, Math.floor((delay / bound) * 10))
          tenths[tenth] = (tenths[tenth] ?? 0) + 1
        }
        expect(Math.max(...tenths)).toBeLessThanOrEqual(600)
      },
    ),
    { numRuns: 20 },
  )
})
