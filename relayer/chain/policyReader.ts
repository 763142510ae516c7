import type { ChainView } from '../../protocol/feed/message.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { PolicyEvent } from '../../protocol/policy/policies.ts'
import { decodePolicyLog } from '../../protocol/policy/policyLog.ts'
import type { Clock } from '../clock.ts'
import {
  emptyMirror,
  grantPolicies,
  type PolicyBlock,
  type PolicyMirror,
  takePolicies,
} from '../policy/mirror.ts'
import type { ChainLog } from './chainLog.ts'
import { createBlockReader } from './follow/blockReader.ts'
import { afterAnswer, afterRefusal, firstRange } from './follow/rangeSize.ts'
import { createAgreement } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { parseLogs, type RpcLog } from './rpc/rpcBlock.ts'
import { InconsistentRpcError, RpcResponseError, RpcUnavailableError } from './rpc/rpcErrors.ts'
import { createRpcPool } from './rpc/rpcPool.ts'
import { type Schedule, systemSchedule } from './schedule.ts'

export type PolicyReader = {
  /**
   * Reads on to the grant point and the head that the relayer has; at once where it is reading already. What fails leaves the
   * mirror as it was, and is tried again with the next call.
   */
  read(): Promise<void>
  mirror(): PolicyMirror
  /** Why the last reading failed; null while all is well. */
  failure(): Error | null
  close(): void
}

type EventBlock = { readonly block: PolicyBlock; readonly events: readonly PolicyEvent[] }

/**
 * Mirrors a KillPolicies contract. What is granted is read once and kept; what lies between the grant point and the head is
 * read anew each time, so that a reorg needs no undoing. All of it is what a majority of the RPCs tells alike.
 */
export function createPolicyReader(options: {
  readonly rpcs: readonly string[]
  readonly chainId: number
  /** The KillPolicies contract. */
  readonly contract: Hex
  /** The block of its deployment, or any earlier one. */
  readonly startBlock: number
  /** Where the relayer itself stands. */
  readonly view: () => Pick<ChainView, 'head' | 'grantPoint'>
  readonly clock: Clock
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}): PolicyReader {
  const { contract, view, log } = options
  const schedule = options.schedule ?? systemSchedule
  const pool = createRpcPool({ ...options, schedule, random: Math.random })
  const agree = createAgreement(pool.rpcs, schedule, log)
  const headers = createBlockReader(agree, contract)
  let granted = emptyMirror
  let seen = emptyMirror
  let upTo = options.startBlock - 1
  let size = firstRange
  let failure: Error | null = null
  let reading: Promise<void> | null = null

  async function blocksIn(from: number, to: number): Promise<readonly EventBlock[]> {
    const logs = await agree({
      method: 'eth_getLogs',
      params: [{ fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}`, address: contract }],
      key: (found: readonly RpcLog[]) =>
        found.map((one) => [one.blockHash, one.logIndex, ...one.topics, one.data].join()).join('\n'),
      parse(result) {
        const found = parseLogs(result)
        const strange = found.find(
          (one) => one.address !== contract || one.blockNumber < from || one.blockNumber > to,
        )
        if (strange !== undefined)
          throw new InconsistentRpcError(`asked for logs of ${contract} in blocks ${from} to ${to}`, strange)
        return found
      },
    })
    const byBlock = new Map<number, RpcLog[]>()
    for (const one of logs) byBlock.set(one.blockNumber, [...(byBlock.get(one.blockNumber) ?? []), one])
    return Promise.all(
      [...byBlock].map(async ([number, inBlock]) => {
        const { hash, time } = await headers.byNumber(number)
        const other = inBlock.find(({ blockHash }) => blockHash !== hash)
        if (other !== undefined)
          throw new InconsistentRpcError(`logs of block ${number} name ${other.blockHash}`, hash)
        return { block: { number, hash, time }, events: inBlock.map(decodePolicyLog) }
      }),
    )
  }

  const taken = (mirror: PolicyMirror, blocks: readonly EventBlock[]): PolicyMirror =>
    blocks.reduce((before, { block, events }) => takePolicies(before, block, events), mirror)

  async function readOn(): Promise<void> {
    const { head, grantPoint } = view()
    if (grantPoint === null) return
    while (upTo < grantPoint.number) {
      const last = Math.min(grantPoint.number, upTo + size.blocks)
      let blocks: readonly EventBlock[]
      try {
        blocks = await blocksIn(upTo + 1, last)
      } catch (error) {
        // Limits of ranges come as errors of every code.
        const mayBeTooLarge = error instanceof RpcResponseError || error instanceof RpcUnavailableError
        if (!mayBeTooLarge || last === upTo + 1) throw error
        size = afterRefusal({ ...size, blocks: last - upTo })
        continue
      }
      granted = grantPolicies(taken(granted, blocks), last)
      upTo = last
      size = afterAnswer(size)
    }
    seen =
      head !== null && head.number > upTo ? taken(granted, await blocksIn(upTo + 1, head.number)) : granted
  }

  return {
    read() {
      reading ??= readOn()
        .then(
          () => {
            if (failure !== null) log.info({ contract }, 'kill policies are read again')
            failure = null
          },
          (error: unknown) => {
            if (failure === null) log.error({ err: error, contract }, 'kill policies cannot be read')
            failure = error as Error
          },
        )
        .finally(() => {
          reading = null
        })
      return reading
    },
    mirror: () => seen,
    failure: () => failure,
    close: pool.close,
  }
}
