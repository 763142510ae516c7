import type { Hex } from '../../protocol/hex.ts'
import type { KillRecord } from './record.ts'

/** An order that the chain does not have. */
export type OwedOrder = {
  readonly kill: KillRecord
  /** Whose gas budget it draws on; null for none. */
  readonly payer: Hex | null
  /** Whether its landing has been charged. */
  readonly charged: boolean
}

export type LandingPlan = {
  /** In the order in which they are to land. */
  readonly due: readonly OwedOrder[]
  readonly overBudget: readonly OwedOrder[]
}

/** By rank; within it the wallet's own order before one signed for it, so that no helper's key can hold up its owner's; then by age. */
const byImportance = (a: OwedOrder, b: OwedOrder): number =>
  b.kill.rank - a.kill.rank ||
  Number(b.kill.authority === b.payer) - Number(a.kill.authority === a.payer) ||
  a.kill.seen.at - b.kill.seen.at

/** Which orders are to land now, and which wait for their wallet's budget. */
export function planLanding(owed: readonly OwedOrder[], available: (payer: Hex) => number): LandingPlan {
  const left = new Map<Hex, number>()
  const due: OwedOrder[] = []
  const overBudget: OwedOrder[] = []
  for (const order of [...owed].sort(byImportance)) {
    const { payer, charged } = order
    if (payer !== null && !charged) {
      const remaining = left.get(payer) ?? available(payer)
      if (remaining < 1) {
        overBudget.push(order)
        continue
      }
      left.set(payer, remaining - 1)
    }
    due.push(order)
  }
  return { due, overBudget }
}
