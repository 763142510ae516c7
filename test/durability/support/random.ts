/** Seeded pseudo-random numbers (mulberry32): the same seed, the same choices. */
export function createRandom(seed: number) {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  /** A whole number from `least` to `most`, both included. */
  const integer = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    /** In [0, 1). */
    next,
    integer,
    chance: (probability: number): boolean => next() < probability,
    pick: <T>(all: readonly [T, ...T[]]): T => all[integer(0, all.length - 1)] as T,
  }
}

export type Random = ReturnType<typeof createRandom>
