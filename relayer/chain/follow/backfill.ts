import type { Hex } from '../../../protocol/hex.ts'
import type { ChainBlockHeader } from '../../kill/chainPort.ts'
import { placeOf } from '../rpc/rpcBlock.ts'
import { InconsistentRpcError, RpcResponseError, RpcUnavailableError } from '../rpc/rpcErrors.ts'
import type { BlockEvents, BlockReader } from './blockReader.ts'
import { afterAnswer, afterRefusal, firstRange, type RangeSize } from './rangeSize.ts'

/** A block of the past with events, or the last one of a range. */
export type PastBlock = { readonly header: ChainBlockHeader; readonly events: BlockEvents['events'] }

/** How many headers are asked for at once. */
const parallel = 32
/** How many ranges are read ahead of the one that is taken. */
const ahead = 2

/** The parent of a block whose header was not needed: nothing compares final blocks with parents that were not taken. */
const unreadParent: Hex = `0x${'0'.repeat(64)}`

type Range = { readonly from: number; readonly last: number; readonly blocks: Promise<readonly PastBlock[]> }

/**
 * Reads the contract's events in final blocks `from`..`to` (inclusive), range by range; the ranges grow as long as the
 * RPCs give them and shrink when they are refused. While one range is taken the next ones are read.
 * @param take gets the blocks with events of each range and always its last block, in order and one range at a time
 * @throws the RPC's error once it refuses even a single block
 */
export async function backfill(
  reader: BlockReader,
  from: number,
  to: number,
  take: (blocks: readonly PastBlock[]) => Promise<void>,
): Promise<void> {
  let size: RangeSize = firstRange
  let next = from
  const reading: Range[] = []
  const read = () => {
    const first = next
    const last = Math.min(to, first + size.blocks - 1)
    const blocks = readRange(reader, first, last)
    // Whoever takes this range meets the failure; until then it is not unhandled.
    blocks.catch(() => {})
    reading.push({ from: first, last, blocks })
    next = last + 1
  }
  for (;;) {
    while (next <= to && reading.length <= ahead) read()
    const range = reading.shift()
    if (range === undefined) return
    const covered = range.last - range.from + 1
    let blocks: readonly PastBlock[]
    try {
      blocks = await range.blocks
    } catch (error) {
      if (covered === 1 || !mayBeTooLarge(error)) throw error
      size = afterRefusal({ ...size, blocks: covered })
      // What was read ahead is of the refused size too.
      reading.length = 0
      next = range.from
      continue
    }
    await take(blocks)
    if (covered >= size.blocks) size = afterAnswer(size)
  }
}

/** Limits come as errors of every code and as answers that never end. */
const mayBeTooLarge = (error: unknown): boolean =>
  error instanceof RpcResponseError || error instanceof RpcUnavailableError

async function readRange(reader: BlockReader, from: number, last: number): Promise<readonly PastBlock[]> {
  const [found, end] = await Promise.all([reader.eventsInRange(from, last), reader.byNumber(last)])
  const blocks: PastBlock[] = []
  for (let i = 0; i < found.length; i += parallel) {
    const part = await Promise.all(
      found.slice(i, i + parallel).map(async (block, j) => ({
        header: block.number === last ? placeOf(end) : await headerOf(reader, block, found[i + j - 1], from),
        events: block.events,
      })),
    )
    blocks.push(...part)
  }
  if (found.at(-1)?.number !== last) blocks.push({ header: placeOf(end), events: [] })
  else if (found.at(-1)?.hash !== end.hash)
    throw new InconsistentRpcError(`logs of block ${last} name ${found.at(-1)?.hash}`, end.hash)
  return blocks
}

/** From the logs alone where they say the block's time: a header per block is most of what a back-fill would ask for. */
async function headerOf(
  reader: BlockReader,
  { number, hash, time }: BlockEvents,
  previous: BlockEvents | undefined,
  from: number,
): Promise<ChainBlockHeader> {
  // A range's first block follows the one before, whose hash is not at hand here.
  if (time !== null && number !== from) {
    return { number, hash, parentHash: previous?.number === number - 1 ? previous.hash : unreadParent, time }
  }
  // By number: the canonical block of that height must be the one that the logs name.
  const header = await reader.byNumber(number)
  if (header.hash !== hash)
    throw new InconsistentRpcError(`logs of block ${number} name ${hash}`, header.hash)
  return placeOf(header)
}
