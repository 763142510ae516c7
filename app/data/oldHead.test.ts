import { expect, test } from 'vitest'
import { isOldHead } from './oldHead.ts'

test.each([
  [59_999, false],
  [60_000, false],
  [60_001, true],
  // A local chain's clock can be ahead.
  [-3_600_000, false],
])('a head of %i ms ago: %s', (age, isOld) => {
  const time = 1_900_000_000
  expect(isOldHead(time, time * 1000 + age)).toBe(isOld)
})
