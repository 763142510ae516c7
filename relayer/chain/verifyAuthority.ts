import { encodeFunctionData } from 'viem'
import type { Hex } from '../../protocol/hex.ts'
import type { Clock } from '../clock.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { ecdsaSigner } from './ecdsaSigner.ts'
import { majorityOf } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { InconsistentRpcError, isRevert, rpcLabel } from './rpc/rpcErrors.ts'
import { createRpcPool } from './rpc/rpcPool.ts'

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
/** For all RPCs together, in ms: a contract's signature is checked before a kill is enforced. */
const erc1271Timeout = 1_000
/**
 * How long an account counts as one without code, in ms: about a block. A wrong signature in an owner's name need not
 * cost questions each time, and a wallet that is deployed meanwhile must not be refused for long.
 */
const codelessMemory = 15_000
/** Accounts that are remembered at once; the oldest go first. */
const maxCodeless = 1_024

/** Whether an account's signature holds could not be found out; it may be right. */
export class SignatureUncheckedError extends Error {
  override readonly name = 'SignatureUncheckedError'
  readonly authority: Hex
  constructor(authority: Hex, cause: unknown) {
    super(
      `the signature is not ${authority}'s own; whether its contract accepts it could not be found out: too few RPCs ` +
        `said the same within ${erc1271Timeout / 1000} s. Send the order again, or send the kill as a transaction`,
      { cause },
    )
    this.authority = authority
  }
}

export type SignatureVerifier = {
  /**
   * Whether `authority` signed `digest`, as the contract's `Signatures.isValid` has it: its ECDSA signature (65 bytes,
   * low s), checked here without an RPC, else one that its code accepts (ERC-1271) at the head of the chain. Two RPCs
   * (of one configured, that one) must say that it accepts, a majority of those configured that it refuses.
   * @throws {SignatureUncheckedError} if only its code could tell and too few RPCs say the same within 1 s
   */
  (authority: Hex, digest: Hex, signature: Hex): Promise<boolean>
  readonly close: () => void
}

type Verdict = 'accepted' | 'refused' | 'no code'

export function createSignatureVerifier(options: {
  readonly rpcs: readonly string[]
  readonly chainId: number
  readonly clock: Clock
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}): SignatureVerifier {
  const { clock, log } = options
  const schedule = options.schedule ?? systemSchedule
  const pool = createRpcPool({ ...options, schedule, random: Math.random })
  const toAccept = Math.min(2, pool.rpcs.length)
  const toRefuse = majorityOf(pool.rpcs.length)
  /** Monotonic ms until which an account is taken for one without code, oldest first. */
  const codeless = new Map<Hex, number>()

  const verdictOf = async (rpc: Rpc, authority: Hex, data: Hex): Promise<Verdict> => {
    try {
      return readVerdict(await rpc.request('eth_call', [{ to: authority, data }, 'latest'], erc1271Timeout))
    } catch (error) {
      if (isRevert(error)) return 'refused'
      log.debug({ rpc: rpcLabel(rpc.url), error }, 'RPC does not tell whether a contract accepts a signature')
      throw error
    }
  }

  /** @throws {SignatureUncheckedError} */
  const askAll = (authority: Hex, data: Hex): Promise<Verdict> =>
    new Promise((resolve, reject) => {
      const verdicts: Verdict[] = []
      let left = pool.rpcs.length
      let failure: unknown
      const count = (verdict: Verdict) => verdicts.filter((one) => one === verdict).length
      const cancel = schedule(erc1271Timeout, () => reject(new SignatureUncheckedError(authority, failure)))
      const settle = () => {
        if (count('accepted') >= toAccept) resolve('accepted')
        else if (count('no code') >= toRefuse) resolve('no code')
        else if (count('no code') + count('refused') >= toRefuse) resolve('refused')
        else if (left === 0) reject(new SignatureUncheckedError(authority, failure))
        else return
        cancel()
      }
      const ask = async (rpc: Rpc) => {
        try {
          verdicts.push(await verdictOf(rpc, authority, data))
        } catch (error) {
          failure = error
        }
        left -= 1
        settle()
      }
      for (const rpc of pool.rpcs) void ask(rpc)
    })

  const remember = (account: Hex) => {
    codeless.delete(account)
    codeless.set(account, clock.monotonic() + codelessMemory)
    for (const oldest of codeless.keys()) {
      if (codeless.size <= maxCodeless) break
      codeless.delete(oldest)
    }
  }

  const verify = async (authority: Hex, digest: Hex, signature: Hex): Promise<boolean> => {
    const account = authority.toLowerCase() as Hex
    if (ecdsaSigner(digest, signature) === account) return true
    if ((codeless.get(account) ?? Number.NEGATIVE_INFINITY) > clock.monotonic()) return false
    const data = encodeFunctionData({
      abi: erc1271Abi,
      functionName: 'isValidSignature',
      args: [digest, signature],
    })
    const verdict = await askAll(authority, data)
    if (verdict === 'no code') remember(account)
    return verdict === 'accepted'
  }
  return Object.assign(verify, { close: () => pool.close() })
}

/** As OpenZeppelin's SignatureChecker has it: the whole first word counts. An account without code answers `0x`. */
function readVerdict(result: unknown): Verdict {
  if (typeof result !== 'string') throw new InconsistentRpcError('no result of a call', result)
  if (result === '0x') return 'no code'
  return result.toLowerCase().startsWith(erc1271MagicValue.padEnd(66, '0')) ? 'accepted' : 'refused'
}
