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

/** An access with the enforcement point that reported it. */
export type PointAccess = Access & { readonly point: string }

export type AccessSummary = {
  readonly lastAccessAt: number | null
  readonly lastOutcome: string | null
  readonly requestsPerSecond: number
}

export const noAccess: AccessSummary = { lastAccessAt: null, lastOutcome: null, requestsPerSecond: 0 }

/** Over how long a rate is taken, in s. */
const window = 10
/** How many of the latest accesses, of all identities together, are at hand; all are in the audit log. */
const atHand = 20_000

/**
 * Keeps the latest accesses, and the last access and the rate of each identity, from reported batches. Rates count by
 * report arrival.
 * @param now ms
 * @param earlier accesses of before, oldest first
 */
export function createAccesses(now: () => number, earlier: readonly PointAccess[] = []) {
  const byIdentity = new Map<string, { last: Access; buckets: Map<number, number> }>()
  const latest: PointAccess[] = []

  const keep = (access: PointAccess): Map<number, number> => {
    const had = byIdentity.get(access.spiffeId) ?? { last: access, buckets: new Map<number, number>() }
    if (access.at >= had.last.at) had.last = access
    byIdentity.set(access.spiffeId, had)
    latest.push(access)
    return had.buckets
  }

  for (const access of earlier) keep(access)
  return {
    note(point: string, accesses: readonly Access[]): void {
      const second = Math.floor(now() / 1000)
      for (const access of accesses) {
        const buckets = keep({ ...access, point })
        buckets.set(second, (buckets.get(second) ?? 0) + access.count)
        for (const bucket of buckets.keys()) if (bucket < second - window) buckets.delete(bucket)
      }
      if (latest.length > 2 * atHand) latest.splice(0, latest.length - atHand)
    },
    of(spiffeId: string): AccessSummary {
      const had = byIdentity.get(spiffeId)
      if (had === undefined) return noAccess
      const second = Math.floor(now() / 1000)
      let count = 0
      for (const [bucket, n] of had.buckets) if (bucket >= second - window && bucket < second) count += n
      return { lastAccessAt: had.last.at, lastOutcome: had.last.outcome, requestsPerSecond: count / window }
    },
    /** The identity's latest accesses that are at hand, newest first. */
    recent(spiffeId: string, limit: number): readonly PointAccess[] {
      const found: PointAccess[] = []
      for (let i = latest.length - 1; i >= 0 && found.length < limit; i--) {
        const access = latest[i] as PointAccess
        if (access.spiffeId === spiffeId) found.push(access)
      }
      return found
    },
  }
}

export type Accesses = ReturnType<typeof createAccesses>
