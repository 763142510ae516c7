/** One line of an enforcer's report; equal accesses within a batch are counted together. Time in ms. */
export type Access = {
  readonly spiffeId: string
  readonly at: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: string
  readonly count: number
}

export type AccessSummary = {
  readonly lastAccessAt: number | null
  readonly lastOutcome: string | null
  readonly requestsPerSecond: number
}

export const noAccess: AccessSummary = { lastAccessAt: null, lastOutcome: null, requestsPerSecond: 0 }

/** Over how long a rate is taken, in s. */
const window = 10

/** Keeps the last access and the rate of each identity from reported batches. Rates count by report arrival. @param now ms */
export function createAccesses(now: () => number) {
  const byIdentity = new Map<string, { last: Access; buckets: Map<number, number> }>()
  return {
    note(accesses: readonly Access[]): void {
      const second = Math.floor(now() / 1000)
      for (const access of accesses) {
        const had = byIdentity.get(access.spiffeId) ?? { last: access, buckets: new Map<number, number>() }
        if (access.at >= had.last.at) had.last = access
        had.buckets.set(second, (had.buckets.get(second) ?? 0) + access.count)
        for (const bucket of had.buckets.keys()) if (bucket < second - window) had.buckets.delete(bucket)
        byIdentity.set(access.spiffeId, had)
      }
    },
    of(spiffeId: string): AccessSummary {
      const had = byIdentity.get(spiffeId)
      if (had === undefined) return noAccess
      const second = Math.floor(now() / 1000)
      let count = 0
      for (const [bucket, n] of had.buckets) if (bucket >= second - window && bucket < second) count += n
      return { lastAccessAt: had.last.at, lastOutcome: had.last.outcome, requestsPerSecond: count / window }
    },
  }
}

export type Accesses = ReturnType<typeof createAccesses>
