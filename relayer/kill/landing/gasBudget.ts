const hour = 3_600_000

/** How much gas each payer has left. Times in ms, of one clock. */
export type GasBudget = {
  /** Negative after more was charged than there was. */
  available(payer: string, now: number): number
  /** Charges gas, or gives some back where less was used than was charged. */
  spend(payer: string, gas: number, now: number): void
}

/** A bucket per payer: full it holds `perHour` gas, and it fills evenly, within an hour if it was empty. */
export function createGasBudget(perHour: number): GasBudget {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>()
  const leftAt = (payer: string, now: number): number => {
    const bucket = buckets.get(payer)
    if (bucket === undefined) return perHour
    return Math.min(perHour, bucket.left + (Math.max(0, now - bucket.at) / hour) * perHour)
  }
  let sweepAt = 1_000
  return {
    available: leftAt,
    spend(payer, gas, now) {
      buckets.set(payer, { left: leftAt(payer, now) - gas, at: now })
      if (buckets.size < sweepAt) return
      // A full bucket is as good as none.
      for (const one of buckets.keys()) if (leftAt(one, now) >= perHour) buckets.delete(one)
      sweepAt = Math.max(1_000, buckets.size * 2)
    },
  }
}
