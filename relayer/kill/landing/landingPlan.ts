import type { Hex } from '../../../protocol/hex.ts'
import { landingGas } from '../chainPort.ts'
import type { KillRecord } from '../record.ts'

/** An order that the chain does not have. */
export type OwedOrder = {
  readonly kill: KillRecord
  /** Whose gas budget it draws on; null for none. */
  readonly payer: Hex | null
  /** Whether its landing has been charged. */
  readonly charged: boolean
  /** How often it could not be sent. */
  readonly failures: number
}

/** Gas that is left. */
export type GasLeft = {
  readonly ofPayer: (payer: Hex) => number
  /** For all orders that have a payer together. */
  readonly ofAll: number
}

export type LandingPlan = {
  /** In the order in which they are to land. */
  readonly due: readonly OwedOrder[]
  readonly overBudget: readonly OwedOrder[]
  readonly overCeiling: readonly OwedOrder[]
}

const untriedFirst = (a: OwedOrder, b: OwedOrder): number => Number(a.failures > 0) - Number(b.failures > 0)
const byAge = (a: OwedOrder, b: OwedOrder): number => a.kill.seen.at - b.kill.seen.at

/** Of one payer: its own order before one signed for it, so that no helper's key can hold up its owner's. */
const amongOnes = (a: OwedOrder, b: OwedOrder): number =>
  b.kill.rank - a.kill.rank ||
  Number(b.kill.authority === b.payer) - Number(a.kill.authority === a.payer) ||
  untriedFirst(a, b) ||
  byAge(a, b)

/** By rank; within it in rounds that have one order of each payer, so that no flood of orders holds up another's one. */
function byImportance(owed: readonly OwedOrder[]): readonly OwedOrder[] {
  const rounds = new Map<string, number>()
  return [...owed]
    .sort(amongOnes)
    .map((order) => {
      const { kill, payer } = order
      const key = `${kill.rank}:${payer ?? kill.authority}`
      const round = rounds.get(key) ?? 0
      rounds.set(key, round + 1)
      return { order, round }
    })
    .sort(
      (a, b) =>
        b.order.kill.rank - a.order.kill.rank ||
        a.round - b.round ||
        untriedFirst(a.order, b.order) ||
        byAge(a.order, b.order),
    )
    .map(({ order }) => order)
}

/** Which orders are to land now, and which wait for their wallet's budget, or for what all wallets may use together. */
export function planLanding(owed: readonly OwedOrder[], left: GasLeft): LandingPlan {
  const ofPayer = new Map<Hex, number>()
  let ofAll = left.ofAll
  const due: OwedOrder[] = []
  const overBudget: OwedOrder[] = []
  const overCeiling: OwedOrder[] = []
  for (const order of byImportance(owed)) {
    const { payer, charged } = order
    if (payer !== null && !charged) {
      const remaining = ofPayer.get(payer) ?? left.ofPayer(payer)
      const waits = remaining < landingGas ? overBudget : ofAll < landingGas ? overCeiling : null
      if (waits !== null) {
        waits.push(order)
        continue
      }
      ofPayer.set(payer, remaining - landingGas)
      ofAll -= landingGas
    }
    due.push(order)
  }
  return { due, overBudget, overCeiling }
}
