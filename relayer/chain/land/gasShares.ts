import type { Hex } from '../../../protocol/hex.ts'

/** An order in a transaction: what it was expected to take, and whether it runs no code but the contract's. */
export type GasPart = { readonly digest: Hex; readonly gas: number; readonly plain: boolean }

/**
 * Shares what a transaction took among its orders. What it took beyond what was expected is due to those whose signer's
 * wallet had a say in it (ERC-1271): it may behave otherwise than when it was asked, and others must not pay for that.
 */
export function gasShares(gasUsed: number, parts: readonly GasPart[]): ReadonlyMap<Hex, number> {
  const expected = parts.reduce((sum, { gas }) => sum + gas, 0)
  const scale = expected > gasUsed ? gasUsed / expected : 1
  const excess = Math.max(0, gasUsed - expected)
  const unsure = parts.some(({ plain }) => !plain) ? parts.filter(({ plain }) => !plain) : parts
  return new Map(
    parts.map((part) => [
      part.digest,
      part.gas * scale + (unsure.includes(part) ? excess / unsure.length : 0),
    ]),
  )
}
