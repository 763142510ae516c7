export type TokenBuckets = {
  /** Takes one token of a key; false when it has none left. */
  take(key: string): boolean
  readonly size: number
}

/**
 * A token bucket for each key: `burst` at once, `perSecond` over time. Full buckets are forgotten, so that what is kept
 * is bounded by who was active during the last `burst / perSecond` seconds.
 * @param options.now monotonic ms
 */
export function createTokenBuckets(options: {
  readonly burst: number
  readonly perSecond: number
  readonly now: () => number
}): TokenBuckets {
  const { burst, perSecond, now } = options
  const buckets = new Map<string, { left: number; at: number }>()
  const refillTime = (burst / perSecond) * 1000
  let swept = now()

  const sweep = (at: number) => {
    if (at - swept < refillTime) return
    swept = at
    for (const [key, bucket] of buckets) if (at - bucket.at >= refillTime) buckets.delete(key)
  }

  return {
    take(key) {
      const at = now()
      sweep(at)
      const bucket = buckets.get(key) ?? { left: burst, at }
      bucket.left = Math.min(burst, bucket.left + ((at - bucket.at) / 1000) * perSecond)
      bucket.at = at
      buckets.set(key, bucket)
      if (bucket.left < 1) return false
      bucket.left -= 1
      return true
    },
    get size() {
      return buckets.size
    },
  }
}
