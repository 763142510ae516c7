/** How many blocks one `eth_getLogs` covers. */
export type RangeSize = {
  readonly blocks: number
  /** The size that was refused last; infinite if none was, or long ago. */
  readonly refused: number
  /** Answers since the last refusal. */
  readonly answers: number
}

export const firstRange: RangeSize = { blocks: 2_000, refused: Number.POSITIVE_INFINITY, answers: 0 }
export const largestRange = 100_000

/** After so many answers a refusal is forgotten: it may have been an outage rather than a limit. */
export const refusalMemory = 32

/** After an answer: twice as much, but at most three quarters of what was refused. */
export function afterAnswer({ blocks, refused, answers }: RangeSize): RangeSize {
  const remembered = answers + 1 < refusalMemory ? refused : Number.POSITIVE_INFINITY
  const most = Math.min(largestRange, Math.floor((remembered * 3) / 4))
  return { blocks: Math.max(blocks, Math.min(2 * blocks, most)), refused: remembered, answers: answers + 1 }
}

/** After a refusal: half as much, at least one block. */
export const afterRefusal = ({ blocks }: RangeSize): RangeSize => ({
  blocks: Math.max(1, blocks >> 1),
  refused: blocks,
  answers: 0,
})
