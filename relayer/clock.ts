/** Both clocks, in ms. The wall clock dates things; the monotonic one (CLOCK_MONOTONIC) measures them. */
export type Clock = { readonly wall: () => number; readonly monotonic: () => number }

export const systemClock: Clock = {
  wall: () => Date.now(),
  // hrtime, not performance.now(): its origin is the machine's, so that processes on one machine can be compared.
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
}
