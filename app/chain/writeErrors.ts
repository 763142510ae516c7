import type { Hex } from '../../protocol/hex.ts'

/** A transaction is in a block, but did nothing. */
export class TransactionFailedError extends Error {
  override readonly name = 'TransactionFailedError'
  readonly txHash: Hex
  constructor(txHash: Hex) {
    super(`transaction ${txHash} failed: the chain's state changed after it was checked; try again`)
    this.txHash = txHash
  }
}

/** The wallet cannot pay for a transaction; amounts in wei. */
export class NoGasError extends Error {
  override readonly name = 'NoGasError'
  readonly balance: bigint
  readonly needed: bigint
  constructor(balance: bigint, needed: bigint) {
    super(`the wallet has ${balance} wei, the transaction needs about ${needed}`)
    this.balance = balance
    this.needed = needed
  }
}
