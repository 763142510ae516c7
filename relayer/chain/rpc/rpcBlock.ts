import type { Hex } from '../../../protocol/hex.ts'
import type { ChainBlockHeader } from '../../kill/chainPort.ts'
import { InconsistentRpcError } from './rpcErrors.ts'

/** A header with the bloom filter of its block's logs; null where the node leaves it out. */
export type RpcHeader = ChainBlockHeader & { readonly logsBloom: Hex | null }

export type RpcLog = {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockHash: Hex
  readonly blockNumber: number
  readonly txHash: Hex
  readonly logIndex: number
  /** Unix seconds; null where the node does not say it. */
  readonly blockTime: number | null
}

type Raw = Readonly<Record<string, unknown>>

const object = (what: string, value: unknown): Raw => {
  if (typeof value !== 'object' || value === null) throw new InconsistentRpcError(`no ${what}`, value)
  return value as Raw
}

const hex = (what: string, value: unknown, bytes?: number): Hex => {
  if (
    typeof value !== 'string' ||
    !/^0x([0-9a-f]{2})*$/i.test(value) ||
    (bytes !== undefined && value.length !== 2 + 2 * bytes)
  ) {
    throw new InconsistentRpcError(`${what} is not ${bytes ?? 'whole'} bytes`, value)
  }
  return value.toLowerCase() as Hex
}

/** A quantity that fits a JavaScript number. @throws {InconsistentRpcError} */
export function parseQuantity(what: string, value: unknown): number {
  const number = typeof value === 'string' && /^0x[0-9a-f]+$/i.test(value) ? Number(value) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new InconsistentRpcError(`${what} is no quantity`, value)
  return number
}

/** A block or header as nodes give it. @throws {InconsistentRpcError} */
export function parseHeader(value: unknown): RpcHeader {
  const raw = object('block', value)
  return {
    number: parseQuantity('block number', raw.number),
    hash: hex('block hash', raw.hash, 32),
    parentHash: hex('parent hash', raw.parentHash, 32),
    time: parseQuantity('block time', raw.timestamp),
    logsBloom:
      raw.logsBloom === undefined || raw.logsBloom === null ? null : hex('logsBloom', raw.logsBloom, 256),
  }
}

/** The answer to `eth_getLogs`. @throws {InconsistentRpcError} */
export function parseLogs(value: unknown): readonly RpcLog[] {
  if (!Array.isArray(value)) throw new InconsistentRpcError('no list of logs', value)
  return value.map((entry) => {
    const raw = object('log', entry)
    if (!Array.isArray(raw.topics)) throw new InconsistentRpcError('log without topics', raw.topics)
    return {
      address: hex('log address', raw.address, 20),
      topics: raw.topics.map((topic) => hex('log topic', topic, 32)),
      data: hex('log data', raw.data),
      blockHash: hex('log block hash', raw.blockHash, 32),
      blockNumber: parseQuantity('log block number', raw.blockNumber),
      txHash: hex('log transaction hash', raw.transactionHash, 32),
      logIndex: parseQuantity('log index', raw.logIndex),
      blockTime:
        raw.blockTimestamp === undefined || raw.blockTimestamp === null
          ? null
          : parseQuantity('log block time', raw.blockTimestamp),
    }
  })
}

/** The header's place in the chain, without the rest. */
export const placeOf = ({ number, hash, parentHash, time }: ChainBlockHeader): ChainBlockHeader => ({
  number,
  hash,
  parentHash,
  time,
})
