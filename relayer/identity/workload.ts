/** A workload that an operator enrolled; times in ms. */
export type Workload = {
  readonly spiffeId: string
  readonly enrolledAt: number
  readonly withdrawnAt: number | null
}
