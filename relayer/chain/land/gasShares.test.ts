import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { gasShares } from './gasShares.ts'

const parts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 500_000 }), fc.boolean()), { minLength: 1, maxLength: 30 })
  .map((all) => all.map(([gas, plain], id) => ({ digest: `0x${id}` as Hex, gas, plain })))

test('all that a transaction took is shared, and a plain order beside a wallet never pays more than expected', () => {
  fc.assert(
    fc.property(fc.integer({ min: 21_000, max: 16_000_000 }), parts, (gasUsed, orders) => {
      const shares = gasShares(gasUsed, orders)
      expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeCloseTo(gasUsed, 3)
      if (orders.every(({ plain }) => plain)) return
      for (const { digest, gas, plain } of orders)
        if (plain) expect(shares.get(digest)).toBeLessThanOrEqual(gas)
    }),
  )
})

test('the wallet that took more than it said when asked pays for it', () => {
  const shares = gasShares(600_000, [
    { digest: '0x01', gas: 80_000, plain: true },
    { digest: '0x02', gas: 80_000, plain: false },
  ])
  expect([...shares]).toEqual([
    ['0x01', 80_000],
    ['0x02', 520_000],
  ])
})
