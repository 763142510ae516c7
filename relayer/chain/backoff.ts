/**
 * Delay before the next attempt: doubles from `base` to `limit`, of which a random half is taken off, so that many
 * clients of one server do not return together.
 * @param attempt failures so far, from 0
 * @param random in [0, 1)
 * @returns ms
 */
export const backoff = (attempt: number, base: number, limit: number, random: number): number =>
  Math.min(limit, base * 2 ** Math.min(attempt, 30)) * (1 - random / 2)
