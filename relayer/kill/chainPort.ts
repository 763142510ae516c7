import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
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

/** Where a follower hands over what it sees. Each call is one durable transaction: effects and cursor together. */
export type ChainSink = {
  /**
   * Where to go on: the known headers from the grant point (first) to the last block taken, linked by parentHash;
   * empty on the first start.
   */
  load(): Promise<readonly ChainBlockHeader[]>
  /** Takes the next block or, while back-filling, several at once that follow each other in height (empty ones may be left out). */
  takeBlocks(blocks: readonly ChainBlock[]): Promise<void>
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

/** Puts orders on chain. */
export type OrderSender = {
  /** Sends the order's transaction; resolves when a node has accepted it. Rejects with a typed error. */
  send(signed: SignedOrder): Promise<{ readonly txHash: Hex }>
}
