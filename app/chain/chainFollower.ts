import type { Client } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Registry } from '../../protocol/registry.ts'
import { mapStore, type Store } from '../store.ts'
import { readChainEvents } from './chainLogs.ts'
import { createFoldFollower, type FoldView } from './foldFollower.ts'
import { advanceFold, type ChainEvent, copyFold, emptyFold, type Fold } from './registryFold.ts'

/** What the user's node says of the contract. */
export type ChainView = Omit<FoldView<Fold>, 'fold'> & {
  /** Null before all logs were read once. */
  readonly registry: Registry | null
  readonly events: readonly ChainEvent[]
}

export type ChainFollower = {
  readonly view: Store<ChainView>
  /** Reads now what came since; shared by callers that ask at once. */
  refresh(): Promise<void>
  /** Follows for as long as the page lives. */
  start(): void
}

/** Rebuilds the contract's state from its logs and keeps it up to date. The registry keeps its identity while nothing changes. */
export function createChainFollower(options: {
  readonly client: Client
  readonly deployment: Deployment
  readonly fromBlock: bigint
  /** ms between two looks at the head */
  readonly interval: number
  readonly now: () => number
}): ChainFollower {
  const { client, deployment, fromBlock, interval, now } = options
  const { view, refresh, start } = createFoldFollower<Fold, ChainEvent>({
    client,
    fromBlock,
    interval,
    now,
    read: (from, to, onProgress) => readChainEvents(client, deployment.contract, from, to, onProgress),
    first: emptyFold(),
    advance(fold, events) {
      const next = copyFold(fold)
      advanceFold(next, events)
      return next
    },
  })
  return {
    view: mapStore(view, ({ fold, ...rest }) => ({
      ...rest,
      registry: fold?.registry ?? null,
      events: fold?.events ?? [],
    })),
    refresh,
    start,
  }
}
