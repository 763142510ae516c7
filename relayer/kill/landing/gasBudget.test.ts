import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { createGasBudget } from './gasBudget.ts'

const hour = 3_600_000
const [alice, bob]: readonly [Hex, Hex] = ['0xa1', '0xb0']

test('whoever spends whenever there is some left gets in the long run what flows in, however dear each is', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.nat(hour), { maxLength: 200 }),
      (perHour, dearest, waits) => {
        const budget = createGasBudget(perHour)
        let now = 0
        let spent = 0
        for (const wait of waits) {
          now += wait
          if (budget.available(alice, now) <= 0) continue
          budget.spend(alice, dearest, now)
          spent += dearest
        }
        expect(spent).toBeLessThanOrEqual(perHour + (perHour * now) / hour + dearest)
      },
    ),
  )
})

test('it refills evenly and stays full, each wallet has its own, and what was not used is given back', () => {
  const budget = createGasBudget(20)
  budget.spend(alice, 30, 0)
  expect(budget.available(alice, 0)).toBe(-10)
  expect(budget.available(alice, hour / 2)).toBe(0)
  budget.spend(alice, -5, hour / 2)
  expect(budget.available(alice, hour / 2)).toBe(5)
  expect(budget.available(alice, 10 * hour)).toBe(20)
  expect(budget.available(bob, 0)).toBe(20)
})

test('a budget of nothing gives nothing', () => {
  expect(createGasBudget(0).available(alice, hour)).toBe(0)
})
