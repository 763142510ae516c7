import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import { landingGas } from '../chainPort.ts'
import type { KillRecord } from '../record.ts'
import { type OwedOrder, planLanding } from './landingPlan.ts'

const owedOf = (
  id: number,
  rank: Rank,
  payer: Hex | null,
  authority: Hex,
  charged: boolean,
  at: number,
  failures = 0,
): OwedOrder => ({
  kill: { id: String(id), rank, authority, seen: { at, monotonic: at } } as KillRecord,
  payer,
  charged,
  failures,
})
const wallet = fc.constantFrom<Hex>('0xa1', '0xb0', '0xc0')
const owedArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), wallet, wallet, fc.boolean(), fc.nat(20), fc.nat(2)), {
    maxLength: 60,
  })
  .map((all) =>
    all.map(([rank, payer, authority, charged, at, failures], id) =>
      owedOf(id, rank as Rank, rank >= Rank.Council ? null : payer, authority, charged, at, failures),
    ),
  )
const noCeiling = Number.POSITIVE_INFINITY

test('nothing is lost; ranks go first; budgets hold, and hold back neither the charged nor Council and Governance', () => {
  fc.assert(
    fc.property(owedArbitrary, fc.dictionary(wallet, fc.nat(5)), fc.nat(12), (owed, budgets, ceiling) => {
      const { due, overBudget, overCeiling } = planLanding(owed, {
        ofPayer: (payer) => (budgets[payer] ?? 0) * landingGas,
        ofAll: ceiling * landingGas,
      })
      expect(new Set([...due, ...overBudget, ...overCeiling])).toEqual(new Set(owed))
      expect(due.length + overBudget.length + overCeiling.length).toBe(owed.length)
      due.forEach((one, index) => {
        const next = due[index + 1]
        if (next !== undefined) expect(one.kill.rank).toBeGreaterThanOrEqual(next.kill.rank)
      })
      for (const payer of ['0xa1', '0xb0', '0xc0'] as const) {
        const charging = due.filter((one) => one.payer === payer && !one.charged).length
        expect(charging).toBeLessThanOrEqual(budgets[payer] ?? 0)
        // What waits waits for want of budget alone.
        if (overBudget.some((one) => one.payer === payer)) expect(charging).toBe(budgets[payer] ?? 0)
      }
      const waiting = [...overBudget, ...overCeiling]
      expect(waiting.some(({ charged, kill }) => charged || kill.rank >= Rank.Council)).toBe(false)
      const charging = due.filter(({ payer, charged }) => payer !== null && !charged).length
      expect(charging).toBeLessThanOrEqual(ceiling)
      if (overCeiling.length > 0) expect(charging).toBe(ceiling)
    }),
  )
})

test("a helper's flood takes neither the budget nor the place of its owner's order", () => {
  const flood = Array.from({ length: 30 }, (_, id) => owedOf(id, Rank.Owner, '0xa1', '0xb0', false, id))
  const own = owedOf(99, Rank.Owner, '0xa1', '0xa1', false, 1_000)
  const { due } = planLanding([...flood, own], { ofPayer: () => landingGas, ofAll: noCeiling })
  expect(due).toEqual([own])
})

const idsOf = (owed: readonly OwedOrder[]) =>
  planLanding(owed, { ofPayer: () => noCeiling, ofAll: noCeiling }).due.map(({ kill }) => kill.id)

test("a wallet's flood of older orders, whether they fail or not, holds up nobody else's one", () => {
  const flood = Array.from({ length: 100 }, (_, id) =>
    owedOf(id, Rank.Owner, '0xa1', '0xa1', false, id, id % 2),
  )
  const other = owedOf(777, Rank.Owner, '0xb0', '0xb0', false, 1_000)
  expect(idsOf([...flood, other]).indexOf('777')).toBeLessThanOrEqual(1)
})

test('what has failed before goes after what was never tried, however old it is', () => {
  const failed = owedOf(1, Rank.Owner, '0xa1', '0xa1', false, 1, 3)
  expect(idsOf([failed, owedOf(2, Rank.Owner, '0xa1', '0xa1', false, 2)])).toEqual(['2', '1'])
  expect(idsOf([failed, owedOf(2, Rank.Owner, '0xb0', '0xb0', false, 2)])).toEqual(['2', '1'])
})
