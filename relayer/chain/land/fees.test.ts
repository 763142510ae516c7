import fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstFees, replacementFees } from './fees.ts'

const wei = fc.bigInt(0n, 10n ** 13n)
const feesOf = fc.tuple(wei, wei).map(([tip, more]) => ({ tip, maxFee: tip + more }))

test('a first offer never exceeds the cap and survives a doubled base fee below it', () => {
  fc.assert(
    fc.property(wei, wei, wei, (base, tip, cap) => {
      const fees = firstFees(base, tip, cap)
      expect(fees.maxFee <= cap && fees.tip <= fees.maxFee).toBe(true)
      if (fees.maxFee < cap) expect(fees.maxFee).toBe(2n * base + fees.tip)
    }),
  )
})

test('a replacement is one that nodes take, within the cap, or none', () => {
  fc.assert(
    fc.property(feesOf, feesOf, wei, (old, fresh, cap) => {
      const next = replacementFees(old, fresh, cap)
      if (next === null) {
        // Not even the least raise of both has room.
        const least = (fee: bigint) => (fee * 11n + 9n) / 10n
        expect(least(old.maxFee) > cap || least(old.tip) > cap || old.maxFee >= cap).toBe(true)
        return
      }
      expect(next.maxFee <= cap && next.tip <= next.maxFee).toBe(true)
      // geth: strictly more, and at least a tenth more, of both.
      expect(next.maxFee > old.maxFee && next.maxFee * 10n >= old.maxFee * 11n).toBe(true)
      expect(next.tip > old.tip && next.tip * 10n >= old.tip * 11n).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('raising reaches the cap exactly, then stops', () => {
  let fees = { maxFee: 1n, tip: 0n }
  for (
    let next = replacementFees(fees, fees, 1_000n);
    next !== null;
    next = replacementFees(fees, fees, 1_000n)
  )
    fees = next
  expect(fees.maxFee).toBeGreaterThan(900n)
  expect(replacementFees({ maxFee: 100n, tip: 1n }, { maxFee: 100n, tip: 1n }, 111n)).toEqual({
    maxFee: 111n,
    tip: 2n,
  })
  expect(replacementFees({ maxFee: 100n, tip: 1n }, { maxFee: 100n, tip: 1n }, 109n)).toBe(null)
})
