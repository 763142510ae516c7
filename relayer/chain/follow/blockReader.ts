import type { Hex } from '../../../protocol/hex.ts'
import { decodeRegistryLog } from '../../../protocol/registryLog.ts'
import type { ChainEvent } from '../../kill/chainPort.ts'
import type { Agree } from '../rpc/majority.ts'
import { parseHeader, parseLogs, type RpcHeader, type RpcLog } from '../rpc/rpcBlock.ts'
import { InconsistentRpcError } from '../rpc/rpcErrors.ts'
import { bloomMayContain, bloomOfLogs } from './bloom.ts'

/** Asks one RPC, or all of them; `key` tells what answers have in common. */
export type Ask = Agree

/** Reads blocks and the contract's events; every answer is checked against what was asked. */
export type BlockReader = {
  byTag(tag: 'latest' | 'safe' | 'finalized'): Promise<RpcHeader>
  byNumber(number: number): Promise<RpcHeader>
  byHash(hash: Hex): Promise<RpcHeader>
  /** The contract's events in one block, in order. */
  eventsOf(header: RpcHeader): Promise<readonly ChainEvent[]>
  /** The contract's events from one height to another (inclusive), by block, in order. */
  eventsInRange(from: number, to: number): Promise<readonly BlockEvents[]>
}

export type BlockEvents = {
  readonly number: number
  readonly hash: Hex
  /** Unix seconds; null where not all nodes that were believed say it alike in their logs. */
  readonly time: number | null
  readonly events: readonly ChainEvent[]
}

const quantity = (value: number): Hex => `0x${value.toString(16)}`

export function createBlockReader(ask: Ask, contract: Hex): BlockReader {
  const address = contract.toLowerCase() as Hex

  const block = (
    method: 'eth_getBlockByNumber' | 'eth_getBlockByHash',
    what: string,
    fits: (header: RpcHeader) => boolean,
  ) =>
    ask<RpcHeader>({
      method,
      params: [what, false],
      key: ({ hash }) => hash,
      parse(result) {
        const header = parseHeader(result)
        if (!fits(header)) throw new InconsistentRpcError(`asked for block ${what}`, header)
        return header
      },
    })

  return {
    byTag: (tag) => block('eth_getBlockByNumber', tag, () => true),
    byNumber: (number) =>
      block('eth_getBlockByNumber', quantity(number), (header) => header.number === number),
    byHash: (hash) => block('eth_getBlockByHash', hash, (header) => header.hash === hash),

    async eventsOf(header) {
      const { hash, number, logsBloom } = header
      if (logsBloom !== null && !bloomMayContain(logsBloom, address)) return []
      const belongs = (log: RpcLog) => log.blockHash === hash && log.blockNumber === number
      const own = await ask({
        method: 'eth_getLogs',
        params: [{ blockHash: hash, address }],
        key: sameEvents,
        parse: (result) => decoded(parseLogs(result), (log) => log.address === address && belongs(log)),
      })
      if (own.length > 0 || logsBloom === null) return own
      // The bloom filter allows for events and there is none: by chance, or because the node has the header but not
      // yet the logs. The block's whole logs tell, as they alone reproduce the filter.
      return ask({
        method: 'eth_getLogs',
        params: [{ blockHash: hash }],
        key: sameEvents,
        parse(result) {
          const all = parseLogs(result)
          if (bloomOfLogs(all) !== logsBloom) {
            throw new InconsistentRpcError(
              `${all.length} logs of block ${number} do not make up its bloom filter`,
              hash,
            )
          }
          return decoded(
            all.filter((log) => log.address === address),
            belongs,
          )
        },
      })
    },

    eventsInRange: (from, to) =>
      ask({
        method: 'eth_getLogs',
        params: [{ fromBlock: quantity(from), toBlock: quantity(to), address }],
        // Only some nodes say the time.
        key: (blocks) => sameEvents(blocks.map((block) => ({ ...block, time: null }))),
        merge: withAgreedTimes,
        parse: (result) =>
          byBlock(
            parseLogs(result).map((log) => {
              if (log.address !== address || log.blockNumber < from || log.blockNumber > to) {
                throw new InconsistentRpcError(`asked for logs of ${address} in blocks ${from} to ${to}`, log)
              }
              return log
            }),
          ),
      }),
  }
}

function withAgreedTimes(answers: readonly (readonly BlockEvents[])[]): readonly BlockEvents[] {
  const [first, ...others] = answers as readonly [readonly BlockEvents[], ...(readonly BlockEvents[])[]]
  return first.map((block, i) =>
    others.every((other) => other[i]?.time === block.time) ? block : { ...block, time: null },
  )
}

function decoded(logs: readonly RpcLog[], fits: (log: RpcLog) => boolean): readonly ChainEvent[] {
  let previous = -1
  return logs.flatMap((log) => {
    if (!fits(log)) throw new InconsistentRpcError('a log that was not asked for', log)
    if (log.logIndex <= previous) throw new InconsistentRpcError('logs out of order', log)
    previous = log.logIndex
    const event = decodeRegistryLog(log)
    return event === null ? [] : [{ logIndex: log.logIndex, txHash: log.txHash, event }]
  })
}

function byBlock(logs: readonly RpcLog[]): readonly BlockEvents[] {
  const blocks = new Map<number, RpcLog[]>()
  for (const log of logs) {
    const ofBlock = blocks.get(log.blockNumber)
    if (ofBlock === undefined) blocks.set(log.blockNumber, [log])
    else ofBlock.push(log)
  }
  return [...blocks.entries()]
    .sort(([a], [b]) => a - b)
    .map(([number, ofBlock]) => {
      const { blockHash, blockTime } = ofBlock[0] as RpcLog
      const events = decoded(ofBlock, (log) => log.blockHash === blockHash && log.blockTime === blockTime)
      return { number, hash: blockHash, time: blockTime, events }
    })
}

/** One text for what two RPCs say alike. */
export const sameEvents = (answer: unknown): string =>
  JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
