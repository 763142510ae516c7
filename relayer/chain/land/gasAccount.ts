import { signRecoverable } from 'tiny-secp256k1'
import {
  bytesToHex,
  hexToBytes,
  keccak256,
  serializeTransaction,
  type TransactionSerializableEIP1559,
} from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import type { Hex } from '../../../protocol/hex.ts'

/** Whoever pays for landing orders. */
export type GasAccount = {
  readonly address: Hex
  readonly signTransaction: (transaction: TransactionSerializableEIP1559) => Promise<Hex>
}

/** Signs with libsecp256k1: in JavaScript a signature takes the kill road's thread some ms. @param key 32 bytes */
export function gasAccount(key: Hex): GasAccount {
  const secret = hexToBytes(key)
  return {
    address: privateKeyToAddress(key),
    async signTransaction(transaction) {
      const digest = keccak256(serializeTransaction(transaction), 'bytes')
      const { signature, recoveryId } = signRecoverable(digest, secret)
      return serializeTransaction(transaction, {
        r: bytesToHex(signature.subarray(0, 32)),
        s: bytesToHex(signature.subarray(32)),
        yParity: recoveryId,
      })
    },
  }
}
