import type { BlockEvents, BlockReader } from './blockReader.ts'
import { afterAnswer, afterRefusal, firstRange, type RangeSize } from './rangeSize.ts'
import type { RpcHeader } from './rpcBlock.ts'
import { InconsistentRpcError, RpcResponseError, RpcUnavailableError } from './rpcErrors.ts'

/** A block of the past with events, or the last one of a range. */
export type PastBlock = { readonly header: RpcHeader; readonly events: BlockEvents['events'] }

/** How many blocks are asked for at once. */
const parallel = 32

/**
 * Reads the contract's events in final blocks `from`..`to` (inclusive), range by range; the ranges grow as long as the
 * RPCs give them and shrink when they are refused.
 * @param take gets the blocks with events of each range and always its last block, in order; the next range is read
 * once it has resolved
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
  while (next <= to) {
    const last = Math.min(to, next + size.blocks - 1)
    let found: readonly BlockEvents[]
    try {
      found = await reader.eventsInRange(next, last)
    } catch (error) {
      const covered = last - next + 1
      if (covered === 1 || !mayBeTooLarge(error)) throw error
      size = afterRefusal({ ...size, blocks: covered })
      continue
    }
    await take(await withHeaders(reader, found, last))
    if (last - next + 1 === size.blocks) size = afterAnswer(size)
    next = last + 1
  }
}

/** Limits come as errors of every code and as answers that never end. */
const mayBeTooLarge = (error: unknown): boolean =>
  error instanceof RpcResponseError || error instanceof RpcUnavailableError

async function withHeaders(
  reader: BlockReader,
  found: readonly BlockEvents[],
  last: number,
): Promise<readonly PastBlock[]> {
  const blocks: PastBlock[] = []
  for (let i = 0; i < found.length; i += parallel) {
    const part = await Promise.all(
      found.slice(i, i + parallel).map(async ({ number, hash, events }) => {
        // By number: the canonical block of that height must be the one that the logs name.
        const header = await reader.byNumber(number)
        if (header.hash !== hash)
          throw new InconsistentRpcError(`logs of block ${number} name ${hash}`, header.hash)
        return { header, events }
      }),
    )
    blocks.push(...part)
  }
  if (blocks.at(-1)?.header.number !== last) blocks.push({ header: await reader.byNumber(last), events: [] })
  return blocks
}
