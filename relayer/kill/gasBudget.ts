import type { Hex } from '../../protocol/hex.ts'

const hour = 3_600_000

/** How many landings each wallet has left. Times in ms, of one clock. */
export type GasBudget = {
  available(payer: Hex, now: number): number
  /** Charges one landing; may go below zero. */
  spend(payer: Hex, now: number): void
}

/** A bucket per wallet: full it holds `perHour` landings, empty it fills within an hour, evenly. */
export function createGasBudget(perHour: number): GasBudget {
  const buckets = new Map<Hex, { readonly left: number; readonly at: number }>()
  const leftAt = (payer: Hex, now: number): number => {
    const bucket = buckets.get(payer)
    if (bucket === undefined) return perHour
    return Math.min(perHour, bucket.left + (Math.max(0, now - bucket.at) / hour) * perHour)
  }
  let sweepAt = 1_000
  return {
    available: (payer, now) => Math.floor(leftAt(payer, now)),
    spend(payer, now) {
      buckets.set(payer, { left: leftAt(payer, now) - 1, at: now })
      if (buckets.size < sweepAt) return
      // A full bucket is as good as none.
      for (const wallet of buckets.keys()) if (leftAt(wallet, now) >= perHour) buckets.delete(wallet)
      sweepAt = Math.max(1_000, buckets.size * 2)
    },
  }
}
