import { encodeFunctionData } from 'viem'
import type { Hex } from '../../protocol/hex.ts'
import type { Clock } from '../clock.ts'
import type { ChainLog } from './chainLog.ts'
import { ecdsaSigner } from './ecdsaSigner.ts'
import { InconsistentRpcError, isRevert } from './rpcErrors.ts'
import { createRpcPool } from './rpcPool.ts'
import { systemSchedule } from './schedule.ts'

const erc1271Abi = [
  {
    type: 'function',
    name: 'isValidSignature',
    stateMutability: 'view',
    inputs: [
      { name: 'hash', type: 'bytes32' },
      { name: 'signature', type: 'bytes' },
    ],
    outputs: [{ name: 'magicValue', type: 'bytes4' }],
  },
] as const

const erc1271MagicValue = '0x1626ba7e'
/** Longest wait for an RPC, in ms: a contract's signature is checked before a kill is enforced. */
const erc1271Timeout = 1_000

/** Whether an account's signature holds could not be found out; it may be right. */
export class SignatureUncheckedError extends Error {
  override readonly name = 'SignatureUncheckedError'
  readonly authority: Hex
  constructor(authority: Hex, cause: unknown) {
    super(
      `the signature is not ${authority}'s own; whether its contract accepts it could not be asked: no RPC answered. ` +
        'Send the order again, or send the kill as a transaction',
      { cause },
    )
    this.authority = authority
  }
}

export type SignatureVerifier = {
  /**
   * Whether `authority` signed `digest`, as the contract's `Signatures.isValid` has it: its ECDSA signature (65 bytes,
   * low s), checked here without an RPC, else one that its code accepts (ERC-1271) at the head of the chain.
   * @throws {SignatureUncheckedError} if only its code could tell and no RPC answers within 1 s
   */
  (authority: Hex, digest: Hex, signature: Hex): Promise<boolean>
  readonly close: () => void
}

export function createSignatureVerifier(options: {
  readonly rpcs: readonly string[]
  readonly chainId: number
  readonly clock: Clock
  readonly log: ChainLog
}): SignatureVerifier {
  const pool = createRpcPool({ ...options, schedule: systemSchedule, random: Math.random })

  const verify = async (authority: Hex, digest: Hex, signature: Hex): Promise<boolean> => {
    if (ecdsaSigner(digest, signature) === authority.toLowerCase()) return true
    const data = encodeFunctionData({
      abi: erc1271Abi,
      functionName: 'isValidSignature',
      args: [digest, signature],
    })
    try {
      return await pool.request({
        method: 'eth_call',
        params: [{ to: authority, data }, 'latest'],
        parse: (result) => accepts(result),
        timeout: erc1271Timeout,
      })
    } catch (error) {
      if (isRevert(error)) return false
      throw new SignatureUncheckedError(authority, error)
    }
  }
  return Object.assign(verify, { close: () => pool.close() })
}

/** As OpenZeppelin's SignatureChecker has it: the whole first word counts. An account without code answers `0x`. */
function accepts(result: unknown): boolean {
  if (typeof result !== 'string') throw new InconsistentRpcError('no result of a call', result)
  return result.toLowerCase().startsWith(erc1271MagicValue.padEnd(66, '0'))
}
