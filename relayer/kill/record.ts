import type { Hex } from '../../protocol/hex.ts'
import type { Rank } from '../../protocol/rank.ts'
import type { Target } from '../../protocol/scope.ts'

/** Where a kill stands in the chain. */
export type Landing = {
  readonly blockNumber: number
  readonly blockHash: Hex
  readonly logIndex: number
  readonly txHash: Hex
  readonly sequence: number
}

/** A moment on both clocks, in ms. */
export type Moment = { readonly at: number; readonly monotonic: number }

/**
 * One kill from first sight to finality, whatever its origin. An order and the log in which it lands are one kill.
 * It is an origin of its subject's row until it is final or withdrawn.
 */
export type KillRecord = Target & {
  readonly id: string
  readonly authority: Hex
  readonly rank: Rank
  readonly reason: number
  readonly text: string
  /** EIP-712 digest of its order, also when it was first seen landing in a block; null for a transaction. */
  readonly digest: Hex | null
  /** The signed order, integers as decimal strings; null when first seen in a block. */
  readonly order: StoredOrder | null
  readonly seen: Moment
  readonly durable: Moment | null
  readonly published: Moment | null
  /** Number of its `kill` message, and the epoch in which it was first published. */
  readonly feed: { readonly epoch: string; readonly number: number }
  /** The transaction with which this relayer sent the order. */
  readonly sentTx: Hex | null
  readonly sendError: string | null
  readonly landing: Landing | null
  /** When it was first on chain. */
  readonly onChain: Moment | null
  /** The block that held it before a reorg; see `withdrawalOf` for when that withdraws it. */
  readonly orphaned: Orphaned | null
  /** The signed transaction that brought it, kept until it is final; not for orders that this relayer lands. */
  readonly rawTx?: Hex
  /** The last try to send its transaction again. */
  readonly rebroadcast?: Rebroadcast
  readonly final: Moment | null
  readonly withdrawn: Moment | null
  readonly withdrawnBecause?: WithdrawalReason
}

/** Why a kill was withdrawn: its order was burnt, a resume made its order void, or a reorg dropped it for good. */
export type WithdrawalReason = 'burnt' | 'superseded' | 'dropped by a reorg'

/** At `at` (ms), the block at `height` that held it was dropped, or seen and not taken. */
export type Orphaned = { readonly height: number; readonly txHash: Hex; readonly at: number }

/** At `at` (ms), a transaction was sent again; `error` says why no node took it. */
export type Rebroadcast = {
  readonly txHash: Hex
  readonly at: number
  readonly error: string | null
  /** Whether no more can be done: a node holds it, or none ever will. */
  readonly done: boolean
}

export type StoredOrder = {
  readonly digest: Hex
  readonly signature: Hex
  readonly message: {
    readonly authority: Hex
    readonly scope: number
    readonly subject: Hex
    readonly reason: number
    readonly text: string
    readonly issuedAt: string
    readonly deadline: string
    readonly nonce: string
  }
}

/** Whether the kill still holds its subject's row provisional. */
export const isOpen = (kill: KillRecord): boolean => kill.final === null && kill.withdrawn === null

/** The transaction that brought it to the chain, or would have before a reorg. */
export const txHashOf = ({ landing, orphaned }: Pick<KillRecord, 'landing' | 'orphaned'>): Hex | null =>
  landing?.txHash ?? orphaned?.txHash ?? null

export type KillState = 'enforced' | 'on chain' | 'final' | 'withdrawn'

export function killState(kill: KillRecord): KillState {
  if (kill.withdrawn !== null) return 'withdrawn'
  if (kill.final !== null) return 'final'
  return kill.landing === null ? 'enforced' : 'on chain'
}
