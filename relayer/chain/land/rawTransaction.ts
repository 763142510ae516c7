import { keccak256, type RpcTransaction, serializeTransaction } from 'viem'
import { formatTransaction } from 'viem/utils'
import type { Hex } from '../../../protocol/hex.ts'
import { InconsistentRpcError } from '../rpc/rpcErrors.ts'

/**
 * The signed transaction of `eth_getTransactionByHash`: rebuilt, since not every node gives the bytes.
 * @throws {InconsistentRpcError} if it does not have the hash that was asked for
 */
export function rawTransaction(value: unknown, hash: Hex): Hex {
  let raw: Hex
  try {
    const transaction = formatTransaction(value as RpcTransaction)
    const { r, s, v, yParity, to, ...rest } = transaction
    raw = serializeTransaction(
      { ...rest, to: to ?? undefined, data: transaction.input } as Parameters<typeof serializeTransaction>[0],
      { r, s, v, yParity } as Parameters<typeof serializeTransaction>[1],
    )
  } catch (cause) {
    throw new InconsistentRpcError(`no transaction (${(cause as Error).message.split('\n')[0]})`, hash)
  }
  if (keccak256(raw) !== hash) throw new InconsistentRpcError('transaction of another hash', hash)
  return raw
}
