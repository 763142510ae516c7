/** A node that lags behind counts less; for so long what was counted before stands against it. In ms. */
export const countMemory = 30_000

export type MinedCount = { readonly count: number; readonly at: number }

/**
 * How many transactions of an account are mined, from several nodes' answers (at least one): as many as more than half
 * of them say, or as a receipt proves. Sent with a higher nonce, a transaction would wait behind a gap for ever. Nodes
 * that lag do not move it down, a reorg does after `countMemory`.
 * @param proved how many are mined according to a receipt; 0 without one
 * @param now monotonic ms
 */
export function minedCount(
  answers: readonly number[],
  proved: number,
  remembered: MinedCount | null,
  now: number,
): MinedCount {
  const sorted = [...answers].sort((a, b) => a - b)
  const agreed = sorted[Math.floor((sorted.length - 1) / 2)] as number
  const count = Math.max(agreed, proved)
  return remembered !== null && count < remembered.count && now - remembered.at <= countMemory
    ? remembered
    : { count, at: now }
}
