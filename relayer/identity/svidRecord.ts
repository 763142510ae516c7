import type { Hex } from '../../protocol/hex.ts'

/** An SVID that was issued, as the store and the log know it; times in ms. */
export type SvidRecord = {
  readonly serial: string
  readonly spiffeId: string
  readonly owner: Hex | null
  readonly generation: number
  readonly issuedAt: number
  readonly expiresAt: number
  /** When possession of the registered key was last proved. */
  readonly provedAt: number
  /** PEM; empty when read back from the store, which does not keep it. */
  readonly certificate: string
  /** Where it takes a place of its owner's quota: the quota that was asked (null: none), and whose place it was before. */
  readonly place?: { readonly quota: number | null; readonly displaced: string | null }
}
