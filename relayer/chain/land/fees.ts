/** What a transaction offers for each unit of gas, in wei (EIP-1559). */
export type Fees = { readonly maxFee: bigint; readonly tip: bigint }

export const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** At least one tenth more is what nodes ask of a replacement; an eighth leaves room for their rounding. */
const raised = (fee: bigint): bigint => largest(fee + 1n, (fee * 9n + 7n) / 8n)
const leastRaised = (fee: bigint): bigint => largest(fee + 1n, (fee * 11n + 9n) / 10n)

/**
 * The fees of a first try. Twice the base fee outlives five full blocks.
 * @param cap the most that is ever offered; a tenth of it as a first tip, since nothing vouches for what a node suggests
 */
export function firstFees(baseFee: bigint, suggestedTip: bigint, cap: bigint): Fees {
  const tip = least(suggestedTip, cap / 10n)
  return { maxFee: least(2n * baseFee + tip, cap), tip }
}

/** The fees with which nodes take a transaction in the place of one with `old`; null where the cap forbids it. */
export function replacementFees(old: Fees, fresh: Fees, cap: bigint): Fees | null {
  const maxFee = least(largest(fresh.maxFee, raised(old.maxFee)), cap)
  const tip = least(largest(fresh.tip, raised(old.tip)), maxFee)
  return maxFee >= leastRaised(old.maxFee) && tip >= leastRaised(old.tip) ? { maxFee, tip } : null
}
