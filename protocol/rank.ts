/** Authorities by rank; the numbers are those of the contract's enum. */
export const Rank = { None: 0, Breaker: 1, Owner: 2, Council: 3, Governance: 4 } as const
export type Rank = (typeof Rank)[keyof typeof Rank]

export const rankName = (rank: Rank): string =>
  ['None', 'Breaker', 'Owner', 'Council', 'Governance'][rank] as string

export const higherRank = (a: Rank, b: Rank): Rank => (a > b ? a : b)
