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

/** Another transaction of the wallet took its place: it was cancelled, or something else was sent instead. */
export class TransactionReplacedError extends Error {
  override readonly name = 'TransactionReplacedError'
  readonly txHash: Hex
  readonly replacement: Hex
  constructor(txHash: Hex, replacement: Hex) {
    super(
      `transaction ${txHash} was replaced in the wallet by ${replacement}; it never takes effect, send it again`,
    )
    this.txHash = txHash
    this.replacement = replacement
  }
}

/** The wallet was locked or disconnected between what the page showed and the press. */
export class WalletGoneError extends Error {
  override readonly name = 'WalletGoneError'
  constructor() {
    super('no wallet is connected; unlock it or connect one, then try again')
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
