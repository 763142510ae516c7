import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import type { Rank } from '../../protocol/rank.ts'
import type { RegistryEvent } from '../../protocol/registry.ts'

/** A block's place in the chain; time in Unix seconds. */
export type ChainBlockHeader = {
  readonly number: number
  readonly hash: Hex
  readonly parentHash: Hex
  readonly time: number
}

/** One event of the contract with its place. */
export type ChainEvent = { readonly logIndex: number; readonly txHash: Hex; readonly event: RegistryEvent }

/** A block with the contract's events in it, in their order. */
export type ChainBlock = ChainBlockHeader & {
  readonly events: readonly ChainEvent[]
  /** Monotonic ms at which this node first saw the block's header. */
  readonly seenMonotonic: number
}

/**
 * Where a follower hands over what it sees. Each call is one transaction, effects and cursor together. It is durable,
 * or, while the store fails, kept in memory and written before whatever follows.
 */
export type ChainSink = {
  /**
   * Where to go on: the known headers from the grant point (first) to the last block taken, linked by parentHash;
   * empty on the first start.
   */
  load(): Promise<readonly ChainBlockHeader[]>
  /** Takes the next block or, while back-filling, several at once that follow each other in height (empty ones may be left out). */
  takeBlocks(blocks: readonly ChainBlock[]): Promise<void>
  /**
   * Takes blocks that are final already, as a back-fill does: like `takeBlocks` and `advanceGrantPoint` to the last of
   * them, in one transaction and with one message for each subject that they change.
   */
  takeFinal(blocks: readonly ChainBlock[]): Promise<void>
  /**
   * Takes the kills of a block that is not (or not yet) on the chain that is handed over: they act at once and count as
   * orphaned until a block that is taken holds them. Handed in again, or known otherwise, they change nothing.
   */
  takeKills(block: ChainBlock): Promise<void>
  /** Blocks that are no longer canonical, highest first; never at or below the grant point. */
  dropBlocks(blocks: readonly ChainBlockHeader[]): Promise<void>
  /** The grant point has reached this block, which was taken before. */
  advanceGrantPoint(block: ChainBlockHeader): Promise<void>
  /** A head that carries nothing new also shows that the relayer is not blind. Monotonic ms. */
  noteHead(block: ChainBlockHeader): void
}

export type SignedOrder = { readonly order: KillOrder; readonly signature: Hex; readonly digest: Hex }

/** How the contract refused, by its own error. */
export type Revert = { readonly name: string; readonly args: readonly unknown[] }

/** An order did not get on chain. */
export class OrderNotLandedError extends Error {
  override readonly name = 'OrderNotLandedError'
  readonly digest: Hex
  /** The contract's refusal; null if it was not asked or gave no reason. */
  readonly revert: Revert | null
  /** Whether it says something of this order, rather than of the relayer, its gas key or its RPCs. */
  readonly ofOrder: boolean
  readonly why: string
  constructor(digest: Hex, revert: Revert | null, ofOrder: boolean, why: string, cause?: unknown) {
    super(`order ${digest} is not on chain: ${why}`, { cause })
    this.digest = digest
    this.revert = revert
    this.ofOrder = ofOrder
    this.why = why
  }
}

/** An order that is to land now, with the transaction that last carried it. */
export type DueOrder = SignedOrder & { readonly rank: Rank; readonly sentTx: Hex | null }

/** Gas of one order's landing: `killBySig`, the first of its subject, as nodes estimate it. */
export const landingGas = 110_000

/**
 * What became of an order in one step. `gas`: what it is expected to take once it is sent, or its share of what a
 * mined transaction of ours took; none where there was no such transaction.
 */
export type LandingOutcome =
  | { readonly type: 'sent'; readonly digest: Hex; readonly txHash: Hex; readonly gas?: number }
  /** It is on chain, by whomever; the follower will see it, unless a reorg takes it back before. */
  | { readonly type: 'landed'; readonly digest: Hex; readonly gas?: number }
  /** Nothing can be done about it in this step, sent or not; it stays due. */
  | { readonly type: 'waits'; readonly digest: Hex; readonly why: string }
  | {
      readonly type: 'failed'
      readonly digest: Hex
      readonly error: OrderNotLandedError
      /** Whether a transaction with it was mined: the try was paid for. */
      readonly spent: boolean
      readonly gas?: number
    }

/** Puts orders on chain. */
export type OrderSender = {
  /**
   * Does what there is to do now for the orders that are due, the most important first: sends, replaces or sends again
   * the one outstanding transaction, or finds that it was mined. Calls must not overlap. Never rejects: what goes wrong
   * is the outcome of the orders that it concerns.
   */
  step(due: readonly DueOrder[]): Promise<readonly LandingOutcome[]>
}

/** Keeps and repeats the transactions of others. */
export type TransactionKeeper = {
  /** The signed transaction as it was sent, checked against its hash; null if no node knows it. */
  keep(txHash: Hex): Promise<Hex | null>
  /** Resolves once a node holds it. @throws {TransactionRefusedError} */
  broadcast(raw: Hex): Promise<void>
}

/** No node took a transaction. */
export class TransactionRefusedError extends Error {
  override readonly name = 'TransactionRefusedError'
  readonly txHash: Hex
  /** Whether a node may take it later. */
  readonly retryable: boolean
  constructor(txHash: Hex, retryable: boolean, why: string, cause?: unknown) {
    super(`no node took transaction ${txHash}: ${why}`, { cause })
    this.txHash = txHash
    this.retryable = retryable
  }
}
