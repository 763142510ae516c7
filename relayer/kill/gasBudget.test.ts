import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { createGasBudget } from './gasBudget.ts'

const hour = 3_600_000
const [alice, bob]: readonly [Hex, Hex] = ['0xa1', '0xb0']

test('whoever spends whenever there is some left gets at most a full bucket and what flows in', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.nat(hour), { maxLength: 200 }),
      (perHour, waits) => {
        const budget = createGasBudget(perHour)
        let now = 0
        let spent = 0
        for (const wait of waits) {
          now += wait
          if (budget.available(alice, now) < 1) continue
          budget.spend(alice, now)
          spent += 1
        }
        expect(spent).toBeLessThanOrEqual(perHour + (perHour * now) / hour)
      },
    ),
  )
})

test('it refills evenly and stays full, and each wallet has its own', () => {
  const budget = createGasBudget(20)
  for (let spent = 0; spent < 20; spent += 1) budget.spend(alice, 0)
  expect(budget.available(alice, hour / 20 - 1)).toBe(0)
  expect(budget.available(alice, hour / 20)).toBe(1)
  expect(budget.available(alice, 10 * hour)).toBe(20)
  expect(budget.available(bob, 0)).toBe(20)
})

test('a budget of nothing gives nothing', () => {
  expect(createGasBudget(0).available(alice, hour)).toBe(0)
})
