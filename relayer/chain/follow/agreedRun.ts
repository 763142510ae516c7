import type { ChainBlock } from '../../kill/chainPort.ts'

/** A block as one RPC tells it. */
export type ToldBlock = ChainBlock & {
  /** Equal for RPCs that tell the block alike: its place, its events. */
  readonly told: string
}

/**
 * What `majority` branches have in common.
 *
 * Each branch is what one RPC tells of the chain beyond the held one: linked by parentHash, lowest first, from a child
 * of a held block on. As each RPC follows one branch only, two blocks of one height never both have a majority.
 * @returns the longest such run, lowest first, each block with its earliest sighting; empty if there is none
 */
export function agreedRun(
  branches: readonly (readonly ToldBlock[])[],
  majority: number,
): readonly ToldBlock[] {
  const tellers = new Map<string, { count: number; seen: number }>()
  for (const block of branches.flat()) {
    const known = tellers.get(block.told)
    tellers.set(block.told, {
      count: (known?.count ?? 0) + 1,
      seen: Math.min(known?.seen ?? Number.POSITIVE_INFINITY, block.seenMonotonic),
    })
  }
  let longest: readonly ToldBlock[] = []
  for (const branch of branches) {
    const end = branch.findIndex(({ told }) => (tellers.get(told)?.count ?? 0) < majority)
    const run = end === -1 ? branch : branch.slice(0, end)
    if ((run.at(-1)?.number ?? -1) > (longest.at(-1)?.number ?? -1)) longest = run
  }
  return longest.map((block) => ({
    ...block,
    seenMonotonic: tellers.get(block.told)?.seen ?? block.seenMonotonic,
  }))
}
