/** How many blocks one `eth_getLogs` covers. */
export type RangeSize = {
  readonly blocks: number
  /** Least size that was refused since the last larger success; growth stops short of it. */
  readonly refused: number
}

export const firstRange: RangeSize = { blocks: 2_000, refused: Number.POSITIVE_INFINITY }
export const largestRange = 100_000

/** After an answer: twice as much, or half-way to what was refused. */
export const afterAnswer = ({ blocks, refused }: RangeSize): RangeSize => ({
  blocks: Math.max(blocks, Math.min(largestRange, 2 * blocks, Math.floor((blocks + refused) / 2))),
  refused,
})

/** After a refusal: half as much; a single block is always tried again. */
export const afterRefusal = ({ blocks }: RangeSize): RangeSize => ({
  blocks: Math.max(1, blocks >> 1),
  refused: blocks === 1 ? Number.POSITIVE_INFINITY : blocks,
})
