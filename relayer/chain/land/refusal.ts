import { decodeErrorResult } from 'viem'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { OrderNotLandedError, type Revert } from '../../kill/chainPort.ts'
import type { RpcResponseError } from '../rpc/rpcErrors.ts'

/** Refusals that end by themselves, for the words only: any is tried again, since a node may be wrong about it. */
const passingReverts: ReadonlySet<string> = new Set(['InvalidOrderTimes', 'InsufficientGas'])

/** The contract's own error; null for bytes that are none. */
export function revertOf(data: Hex): Revert | null {
  try {
    const { errorName, args } = decodeErrorResult({ abi: killSwitchAbi, data })
    return { name: errorName, args: (args as readonly unknown[] | undefined) ?? [] }
  } catch {
    return null
  }
}

/** Nodes give the revert's bytes as `data`, or one level further down. */
export function revertDataOf(error: RpcResponseError): Hex {
  const { data } = error
  const inner = typeof data === 'object' && data !== null ? (data as { data?: unknown }).data : data
  return typeof inner === 'string' && /^0x([0-9a-f]{2})*$/i.test(inner) ? (inner as Hex) : '0x'
}

/** The contract's refusal. Of an unnamed one the signer's wallet ran out of gas, or worse. */
export function refusalOf(digest: Hex, revert: Revert | null, cause?: unknown): OrderNotLandedError {
  if (revert === null) {
    return new OrderNotLandedError(
      digest,
      null,
      true,
      'the contract refuses it without a reason; it is tried again',
      cause,
    )
  }
  const passing = passingReverts.has(revert.name)
  return new OrderNotLandedError(
    digest,
    revert,
    true,
    `the contract refuses it: ${revert.name}(${revert.args.map(String).join(', ')}); ${
      passing
        ? 'it is tried again'
        : 'sign a new order that it accepts, this one is tried again until its deadline'
    }`,
    cause,
  )
}
