import { keccak256 } from 'viem'
import { type TransactionKeeper, TransactionRefusedError } from '../../kill/chainPort.ts'
import type { RpcPool } from '../rpc/rpcPool.ts'
import { broadcast } from './broadcast.ts'
import { rawTransaction } from './rawTransaction.ts'

/** Keeps and repeats others' transactions, over the nodes of the pool. */
export const createTransactionKeeper = (pool: RpcPool): TransactionKeeper => ({
  async keep(txHash) {
    let failure: unknown = null
    for (const rpc of pool.rpcs) {
      try {
        const value = await rpc.request('eth_getTransactionByHash', [txHash])
        // One node may not have what another has.
        if (value !== null) return rawTransaction(value, txHash)
      } catch (error) {
        failure = error
      }
    }
    if (failure !== null) throw failure
    return null
  },

  async broadcast(raw) {
    const result = await broadcast(pool, raw)
    const txHash = keccak256(raw)
    switch (result.type) {
      case 'accepted':
        return
      case 'nonce too low':
        throw new TransactionRefusedError(
          txHash,
          false,
          'another transaction has its nonce; its sender must send the kill anew',
        )
      case 'underpriced':
        throw new TransactionRefusedError(
          txHash,
          true,
          'another transaction with its nonce waits, or its fee is too low for now',
        )
      case 'cannot pay':
        throw new TransactionRefusedError(txHash, true, 'its sender cannot pay for it')
      default:
        throw new TransactionRefusedError(txHash, true, result.why, result.cause)
    }
  },
})
