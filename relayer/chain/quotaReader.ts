import { decodeFunctionResult, encodeFunctionData } from 'viem'
import type { BlockMark } from '../../protocol/feed/message.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { Clock } from '../clock.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { createAgreement } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { createRpcPool } from './rpc/rpcPool.ts'

/** Nothing answers at the address as a Subscriptions contract would. */
export class NoSubscriptionsError extends Error {
  override readonly name = 'NoSubscriptionsError'
  readonly contract: Hex
  readonly value: unknown
  constructor(contract: Hex, value: unknown) {
    super(`there is no Subscriptions contract at ${contract} (it answers ${value}); check --subscriptions`)
    this.contract = contract
    this.value = value
  }
}

export type QuotaReader = {
  /**
   * How many agents the wallet may enrol, as a majority of the RPCs tells it at the relayer's grant point; as it was last
   * told, for an hour, while they do not; null after that. Never rejects.
   */
  quotaOf(owner: Hex): Promise<number | null>
  /** Why the last asking failed; null while all is well. */
  failure(): Error | null
  /** How often no quota was known. */
  unknown(): number
  close(): void
}

type Known = { readonly blockHash: string; readonly quota: number /** Monotonic ms. */; readonly at: number }

/** For each RPC, in ms: somebody waits for his SVID meanwhile. */
const callTimeout = 2_000
/** ms. Subscriptions run for weeks; a relayer that has not been told for that long does not know. */
const knownFor = 3_600_000
/** Wallets that are remembered at once; those asked for longest ago go first. */
const maxKnown = 10_000

/** Asks a Subscriptions contract for quotas, once for each wallet and grant point. */
export function createQuotaReader(options: {
  readonly rpcs: readonly string[]
  readonly chainId: number
  /** The Subscriptions contract. */
  readonly contract: Hex
  /** Where the relayer itself stands: what was bought counts from there on. */
  readonly grantPoint: () => BlockMark | null
  readonly clock: Clock
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}): QuotaReader {
  const { contract, grantPoint, clock, log } = options
  const schedule = options.schedule ?? systemSchedule
  const pool = createRpcPool({ ...options, schedule, random: Math.random })
  const agree = createAgreement(pool.rpcs, schedule, log)
  const known = new Map<Hex, Known>()
  const asked = new Map<string, Promise<number | null>>()
  let failure: Error | null = null
  let unknown = 0

  const parse = (result: unknown): number => {
    if (typeof result !== 'string' || !/^0x[0-9a-f]{64}$/i.test(result))
      throw new NoSubscriptionsError(contract, result)
    return decodeFunctionResult({ abi: subscriptionsAbi, functionName: 'quotaOf', data: result as Hex })
  }

  const remember = (owner: Hex, read: Known): void => {
    known.delete(owner)
    known.set(owner, read)
    for (const oldest of known.keys()) {
      if (known.size <= maxKnown) break
      known.delete(oldest)
    }
  }

  const ask = async (owner: Hex, blockHash: string): Promise<number | null> => {
    try {
      const data = encodeFunctionData({ abi: subscriptionsAbi, functionName: 'quotaOf', args: [owner] })
      const quota = await agree({
        method: 'eth_call',
        // By hash (EIP-1898): all answer for the same block, and none for one that a reorg has replaced.
        params: [{ to: contract, data }, { blockHash }],
        key: String,
        parse,
        timeout: callTimeout,
      })
      remember(owner, { blockHash, quota, at: clock.monotonic() })
      if (failure !== null) log.info({ contract }, 'quotas are read again')
      failure = null
      return quota
    } catch (error) {
      if (failure === null) log.error({ err: error, contract }, 'quotas cannot be read')
      failure = error as Error
      const had = known.get(owner)
      if (had !== undefined && clock.monotonic() - had.at <= knownFor) return had.quota
      unknown += 1
      log.warn({ owner }, 'an agent is let in although its owner’s quota is unknown')
      return null
    }
  }

  return {
    async quotaOf(owner) {
      const at = grantPoint()
      if (at === null) return null
      const had = known.get(owner)
      if (had?.blockHash === at.hash) return had.quota
      const key = `${owner}:${at.hash}`
      const asking =
        asked.get(key) ??
        ask(owner, at.hash).finally(() => {
          asked.delete(key)
        })
      asked.set(key, asking)
      return asking
    },
    failure: () => failure,
    unknown: () => unknown,
    close: pool.close,
  }
}
