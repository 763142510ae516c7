import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTokenBuckets } from './tokenBuckets.ts'

test('over any time a key gets at most its burst and its rate, and others are not touched', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2_000), { minLength: 1, maxLength: 200 }), (pauses) => {
      let now = 0
      const buckets = createTokenBuckets({ burst: 5, perSecond: 2, now: () => now })
      let taken = 0
      for (const pause of pauses) {
        now += pause
        if (buckets.take('greedy')) taken += 1
      }
      expect(taken).toBeLessThanOrEqual(5 + (now / 1000) * 2 + 1e-6)
      expect(buckets.take('other')).toBe(true)
    }),
  )
})

test('who asks slowly enough is never refused', () => {
  let now = 0
  const buckets = createTokenBuckets({ burst: 2, perSecond: 2, now: () => now })
  for (let i = 0; i < 100; i += 1) {
    now += 500
    expect(buckets.take('calm')).toBe(true)
  }
})

test('keys that were quiet are forgotten', () => {
  let now = 0
  const buckets = createTokenBuckets({ burst: 10, perSecond: 1, now: () => now })
  for (let i = 0; i < 1_000; i += 1) buckets.take(`stranger ${i}`)
  expect(buckets.size).toBe(1_000)
  now += 10_001
  buckets.take('one')
  expect(buckets.size).toBe(1)
})
