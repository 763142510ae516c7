import type { Hex } from '../../protocol/hex.ts'
import type { PolicyEvent } from '../../protocol/policy/policies.ts'
import { decodePolicyLog } from '../../protocol/policy/policyLog.ts'
import type { PolicyBlock } from '../policy/mirror.ts'
import type { Schedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { createBlockReader } from './follow/blockReader.ts'
import { createAgreement } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { parseHeader, parseLogs, type RpcHeader, type RpcLog } from './rpc/rpcBlock.ts'
import { InconsistentRpcError } from './rpc/rpcErrors.ts'

/** A block with events of the contract. */
export type EventBlock = { readonly block: PolicyBlock; readonly events: readonly PolicyEvent[] }

/** The blocks with events of a range, lowest first, and the last block of the range. */
export type PolicyRange = { readonly end: PolicyBlock; readonly blocks: readonly EventBlock[] }

type Told = { readonly end: RpcHeader; readonly logs: readonly RpcLog[] }

/**
 * Asks each node for the end of the range before the logs: one that has not reached it has no logs of it either and says so
 * by an empty list, which must not count.
 */
const withEnd = (rpc: Rpc): Rpc => ({
  ...rpc,
  async request(method, params, timeout) {
    if (method !== 'eth_getLogs') return rpc.request(method, params, timeout)
    const [{ toBlock }] = params as readonly [{ readonly toBlock: Hex }]
    const end = await rpc.request('eth_getBlockByNumber', [toBlock, false], timeout)
    return { end, logs: end === null ? [] : await rpc.request(method, params, timeout) }
  },
})

/**
 * @returns reads the events of a KillPolicies contract in blocks `from` to `to` (inclusive), as a majority of the RPCs tells
 * them alike
 */
export function createPolicyRangeReader(
  rpcs: readonly Rpc[],
  contract: Hex,
  schedule: Schedule,
  log: ChainLog,
): (from: number, to: number) => Promise<PolicyRange> {
  const agree = createAgreement(rpcs.map(withEnd), schedule, log)
  const headers = createBlockReader(agree, contract)

  const parse = (result: unknown, from: number, to: number): Told => {
    const raw = result as { readonly end: unknown; readonly logs: unknown }
    if (raw.end === null) throw new InconsistentRpcError(`asked for logs up to block ${to}`, null)
    const end = parseHeader(raw.end)
    if (end.number !== to) throw new InconsistentRpcError(`asked for block ${to}`, end)
    const logs = parseLogs(raw.logs)
    const strange = logs.find((one, i) => {
      const before = logs[i - 1]
      return (
        one.address !== contract ||
        one.blockNumber < from ||
        one.blockNumber > to ||
        (one.blockNumber === to && one.blockHash !== end.hash) ||
        (before !== undefined &&
          (one.blockNumber < before.blockNumber ||
            (one.blockNumber === before.blockNumber && one.logIndex <= before.logIndex)))
      )
    })
    if (strange !== undefined)
      throw new InconsistentRpcError(
        `asked for logs of ${contract} in blocks ${from} to ${to}, in order`,
        strange,
      )
    return { end, logs }
  }

  return async (from, to) => {
    const { end, logs } = await agree({
      method: 'eth_getLogs',
      params: [{ fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}`, address: contract }],
      key: (told: Told) =>
        [
          told.end.hash,
          ...told.logs.map((one) => [one.blockHash, one.logIndex, ...one.topics, one.data].join()),
        ].join('\n'),
      parse: (result) => parse(result, from, to),
    })
    const byBlock = new Map<number, RpcLog[]>()
    for (const one of logs) byBlock.set(one.blockNumber, [...(byBlock.get(one.blockNumber) ?? []), one])
    const blocks = await Promise.all(
      [...byBlock].map(async ([number, inBlock]) => {
        const { hash, time } = number === to ? end : await headers.byNumber(number)
        const other = inBlock.find(({ blockHash }) => blockHash !== hash)
        if (other !== undefined)
          throw new InconsistentRpcError(`logs of block ${number} name ${other.blockHash}`, hash)
        return { block: { number, hash, time }, events: inBlock.map(decodePolicyLog) }
      }),
    )
    return { end: { number: end.number, hash: end.hash, time: end.time }, blocks }
  }
}
