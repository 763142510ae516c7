/** Delays in ms. */
export type Backoff = { readonly first: number; readonly longest: number }

/**
 * Delay before a try: drawn evenly from nearly nothing up to a bound that doubles with each failure, so that many clients
 * that lost the same server do not come back together.
 * @param failures how many tries failed in a row, from 1
 * @param random in [0, 1)
 */
export const backoffDelay = ({ first, longest }: Backoff, failures: number, random: number): number =>
  Math.min(longest, first * 2 ** Math.min(failures - 1, 30)) * (0.1 + 0.9 * random)
