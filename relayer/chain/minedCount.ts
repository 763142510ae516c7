/** A node that lags behind counts less; for so long what was counted before stands against it. In ms. */
export const countMemory = 30_000

export type MinedCount = { readonly count: number; readonly at: number }

/**
 * How many transactions of an account are mined, from several nodes' answers (at least one). Half of
 * them have to be wrong to move it up; nodes that lag do not move it down, a reorg does after `countMemory`.
 * @param now monotonic ms
 */
export function minedCount(
  answers: readonly number[],
  remembered: MinedCount | null,
  now: number,
): MinedCount {
  const sorted = [...answers].sort((a, b) => a - b)
  // Of two the higher: that one lags is likelier than that the other lies.
  const count = sorted[Math.floor(sorted.length / 2)] as number
  return remembered !== null && count < remembered.count && now - remembered.at <= countMemory
    ? remembered
    : { count, at: now }
}
