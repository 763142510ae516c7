// Plays the histories of a range of seeds beside others, and tells of each.
import { parentPort, workerData } from 'node:worker_threads'
import { planOf, play } from './history.ts'
import type { Rule } from './rules.ts'

/** Told of each history. */
export type Played = {
  readonly seed: number
  readonly failure: { readonly invariant: string; readonly step: number; readonly message: string } | null
}

const { from, to, every, without } = workerData as {
  readonly from: number
  readonly to: number
  readonly every: number
  readonly without: readonly Rule[]
}
for (let seed = from; seed < to; seed += every) {
  const failure = await play(planOf(seed), new Set(without))
  const played: Played = {
    seed,
    failure:
      failure === null
        ? null
        : { invariant: failure.invariant, step: failure.step, message: failure.error.message },
  }
  parentPort?.postMessage(played)
}
