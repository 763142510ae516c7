import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import type { Fees } from './fees.ts'
import type { ReadyOrder } from './landingBatch.ts'

/** One version of the outstanding transaction. */
export type SentTransaction = {
  readonly hash: Hex
  readonly raw: Hex
  /** Orders that it carries. */
  readonly digests: readonly Hex[]
  /** What is known of them; nothing of those of before a restart. */
  readonly orders: readonly ReadyOrder[]
  /** The most gas that it may take. */
  readonly gas: bigint
  readonly fees: Fees
}

/**
 * The gas key's one outstanding transaction: all its versions have the lowest nonce that is not mined, so at most one
 * of them is ever mined, and none waits behind another.
 */
export type Flight = {
  readonly nonce: number
  /** Newest last; any of them may be mined. */
  readonly versions: readonly [...SentTransaction[], SentTransaction]
  /** The head's number, and monotonic ms, when the newest was sent. */
  readonly since: { readonly block: number; readonly monotonic: number }
}

export type FlightView = {
  /** Transactions of the gas key that are mined: the lowest free nonce. */
  readonly mined: number
  readonly head: { readonly number: number; readonly baseFee: bigint }
  /** Whether every node that answered has the newest version. */
  readonly known: boolean
  /** Highest rank of the due orders that the newest version carries; None if it carries none. */
  readonly carried: Rank
  /** Highest rank of the due orders that it does not carry. */
  readonly waiting: Rank
  /** Monotonic ms. */
  readonly now: number
}

export type FlightDecision =
  /** One of its versions, or another transaction with its nonce, is mined. */
  | 'mined'
  /** The chain took back earlier transactions: nothing with this nonce can be mined for now. */
  | 'gap'
  | 'replace'
  | 'rebroadcast'
  | 'wait'

/** A transaction that so many blocks, and at least so long (ms), have passed by is stuck. A halted chain passes none. */
export const stuckBlocks = 3
export const stuckAfter = 10_000

export const newest = (flight: Flight): SentTransaction =>
  flight.versions[flight.versions.length - 1] as SentTransaction

/** What is to be done about the outstanding transaction. */
export function decide(flight: Flight, view: FlightView): FlightDecision {
  const { mined, head, known, carried, waiting, now } = view
  if (mined > flight.nonce) return 'mined'
  if (mined < flight.nonce) return 'gap'
  if (waiting > carried) return 'replace'
  if (carried === Rank.None) return 'wait'
  const passedBy = head.number - flight.since.block >= stuckBlocks
  const stuck = passedBy && now - flight.since.monotonic >= stuckAfter
  if (stuck || head.baseFee > newest(flight).fees.maxFee) return 'replace'
  return known ? 'wait' : 'rebroadcast'
}
