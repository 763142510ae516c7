import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { type OwedOrder, planLanding } from './landingPlan.ts'
import type { KillRecord } from './record.ts'

const owedOf = (
  id: number,
  rank: Rank,
  payer: Hex | null,
  authority: Hex,
  charged: boolean,
  at: number,
): OwedOrder => ({
  kill: { id: String(id), rank, authority, seen: { at, monotonic: at } } as KillRecord,
  payer,
  charged,
})
const wallet = fc.constantFrom<Hex>('0xa1', '0xb0', '0xc0')
const owedArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), wallet, wallet, fc.boolean(), fc.nat(20)), {
    maxLength: 60,
  })
  .map((all) =>
    all.map(([rank, payer, authority, charged, at], id) =>
      owedOf(id, rank as Rank, rank >= Rank.Council ? null : payer, authority, charged, at),
    ),
  )

test('nothing is lost; ranks go first; budgets hold, and hold back neither the charged nor Council and Governance', () => {
  fc.assert(
    fc.property(owedArbitrary, fc.dictionary(wallet, fc.nat(5)), (owed, budgets) => {
      const { due, overBudget } = planLanding(owed, (payer) => budgets[payer] ?? 0)
      expect(new Set([...due, ...overBudget])).toEqual(new Set(owed))
      expect(due.length + overBudget.length).toBe(owed.length)
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
      expect(overBudget.some(({ charged, kill }) => charged || kill.rank >= Rank.Council)).toBe(false)
    }),
  )
})

test("a helper's flood takes neither the budget nor the place of its owner's order", () => {
  const flood = Array.from({ length: 30 }, (_, id) => owedOf(id, Rank.Owner, '0xa1', '0xb0', false, id))
  const own = owedOf(99, Rank.Owner, '0xa1', '0xa1', false, 1_000)
  const { due } = planLanding([...flood, own], () => 1)
  expect(due).toEqual([own])
})
