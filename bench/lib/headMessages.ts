import type { Deployment } from '../../protocol/deployment.ts'

/** To a process that watches the chain, once. */
export type WatcherSetup = {
  readonly type: 'setup'
  readonly rpc: string
  readonly wsRpc: string
  readonly deployment: Deployment
  readonly startBlock: number
}

/** When a transaction's kill was in the watcher's hands; by CLOCK_MONOTONIC in ms. */
export type Sighting = { readonly txHash: string; readonly at: number }

export type WatcherMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'collected'
      readonly sightings: readonly Sighting[]
      /** When the head with it was announced, where the watcher notes that. */
      readonly announced: readonly Sighting[]
    }
