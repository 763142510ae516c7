import {
  concat,
  decodeFunctionData,
  formatTransaction,
  keccak256,
  numberToHex,
  pad,
  type RpcTransaction,
  type Signature,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem'
import type { Deployment } from '../../../protocol/deployment.ts'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../../protocol/order.ts'
import { Reason } from '../../../protocol/reason.ts'
import type { RegistryEvent } from '../../../protocol/registry.ts'
import { ownerTarget, Scope } from '../../../protocol/scope.ts'
import { ecdsaSigner } from '../ecdsaSigner.ts'

export type KilledEvent = RegistryEvent & { readonly type: 'Killed' }

type Call = { readonly functionName: string; readonly args: readonly unknown[] }

/** The signature that proves a kill is over an order, or (null) over the transaction itself. */
export type KillProof = { readonly order: KillOrder | null }

/**
 * What in a transaction, as any one node gives it, proves by a signature that the event's authority wanted this kill:
 * it carries the order of that digest with the authority's own signature, or it is the authority's own call of the
 * contract. Neither can be made up by a node. What an account signs by code (ERC-1271) or through another contract
 * proves nothing here.
 *
 * A proof says nothing of the authority's power over the subject, nor that the order still holds or the transaction
 * has succeeded.
 * @param transaction the answer to `eth_getTransactionByHash`
 * @returns null if nothing does
 */
export function proofOfKill(
  deployment: Deployment,
  event: KilledEvent,
  txHash: Hex,
  transaction: unknown,
): KillProof | null {
  try {
    const call = callOf(transaction)
    if (call === null) return null
    if (event.orderDigest !== null) {
      const order = carriedOrder(deployment, event, call)
      return order === null ? null : { order }
    }
    const isOwn = isOwnCall(event, call) && senderOf(deployment, txHash, transaction) === event.authority
    return isOwn ? { order: null } : null
  } catch {
    // Whatever is malformed proves nothing.
    return null
  }
}

function callOf(transaction: unknown): Call | null {
  const { input } = transaction as { readonly input?: unknown }
  if (typeof input !== 'string') return null
  return decodeFunctionData({ abi: killSwitchAbi, data: input as Hex }) as Call
}

/** The event's order, with the authority's own signature, in lower case as the event is; null if it is not in the call. */
function carriedOrder(deployment: Deployment, event: KilledEvent, call: Call): KillOrder | null {
  // `killBySig` and its like take one order and its signature, a batch takes a list of each.
  const [first, second] = call.args
  const orders = (Array.isArray(first) ? first : [first]) as readonly KillOrder[]
  const signatures = (Array.isArray(second) ? second : [second]) as readonly Hex[]
  for (const [i, order] of orders.entries()) {
    const signature = signatures[i]
    if (signature === undefined || killOrderDigest(deployment, order) !== event.orderDigest) continue
    const { scope, subject, reason, text, authority } = order
    const proves =
      authority.toLowerCase() === event.authority &&
      scope === event.scope &&
      subject.toLowerCase() === event.subject &&
      reason === event.reason &&
      text === event.text &&
      ecdsaSigner(event.orderDigest, signature) === event.authority
    return proves ? { ...order, authority: event.authority, subject: event.subject } : null
  }
  return null
}

function isOwnCall(event: KilledEvent, { functionName, args }: Call): boolean {
  switch (functionName) {
    case 'kill': {
      const [scope, subject, reason, text] = args as readonly [Scope, Hex, number, string]
      return (
        scope === event.scope &&
        subject.toLowerCase() === event.subject &&
        reason === event.reason &&
        text === event.text
      )
    }
    case 'emergencyKill': {
      const [wallet, reason, text] = args as readonly [Hex, number, string]
      return (
        event.scope === Scope.Owner &&
        ownerTarget(wallet).subject === event.subject &&
        reason === event.reason &&
        text === event.text
      )
    }
    case 'transferFrom':
    case 'safeTransferFrom': {
      const [from, , agentId] = args as readonly [Hex, Hex, bigint]
      return (
        event.scope === Scope.Agent &&
        BigInt(event.subject) === agentId &&
        from.toLowerCase() === event.authority &&
        event.reason === Reason.Transferred
      )
    }
    default:
      return false
  }
}

/** Who signed the transaction of this hash to the contract, on its chain; null if it is not of this hash, chain or contract. */
function senderOf(deployment: Deployment, txHash: Hex, transaction: unknown): Hex | null {
  const { type, chainId, to, nonce, value, gas, input, v, r, s, yParity, ...more } = formatTransaction(
    transaction as RpcTransaction,
  )
  if (to?.toLowerCase() !== deployment.contract || chainId !== deployment.chainId) return null
  const { gasPrice, accessList, maxFeePerGas, maxPriorityFeePerGas, maxFeePerBlobGas } = more
  const { blobVersionedHashes, authorizationList } = more
  const price =
    type === 'legacy' || type === 'eip2930' ? { gasPrice } : { maxFeePerGas, maxPriorityFeePerGas }
  const unsigned = {
    ...{ type, chainId, to, nonce, value, gas, data: input, ...price, accessList, maxFeePerBlobGas },
    ...{ blobVersionedHashes, authorizationList },
  } as TransactionSerializable
  const signature = (type === 'legacy' ? { r, s, v } : { r, s, yParity }) as Signature
  if (keccak256(serializeTransaction(unsigned, signature)) !== txHash) return null
  // EIP-155: v is 35 + 2 * chain id + parity.
  const parity = type === 'legacy' ? Number((v - 35n) % 2n) : yParity
  const bytes = concat([pad(r, { size: 32 }), pad(s, { size: 32 }), numberToHex(27 + parity, { size: 1 })])
  return ecdsaSigner(keccak256(serializeTransaction(unsigned)), bytes)
}
