/** Requests per second of each agent as this page saw them, oldest first; what it did not see it does not know. */
export type RateHistory = {
  note(spiffeId: string, perSecond: number): void
  of(spiffeId: string): readonly number[]
}

/** Samples that are kept: at one every two seconds, a minute. */
const kept = 30

export function createRateHistory(): RateHistory {
  const samples = new Map<string, readonly number[]>()
  return {
    note(spiffeId, perSecond) {
      samples.set(spiffeId, [...(samples.get(spiffeId) ?? []), perSecond].slice(-kept))
    },
    of: (spiffeId) => samples.get(spiffeId) ?? [],
  }
}
