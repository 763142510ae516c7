import type { Client } from 'viem'
import { getBlock } from 'viem/actions'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Registry } from '../../protocol/registry.ts'
import { createStore, type Store } from '../store.ts'
import { readChainEvents } from './chainLogs.ts'
import { advanceFold, type ChainEvent, copyFold, emptyFold, type Fold } from './registryFold.ts'

/** What the user's node says of the contract. */
export type ChainView = {
  /** Null before all logs were read once. */
  readonly registry: Registry | null
  readonly events: readonly ChainEvent[]
  /** Time in Unix seconds. */
  readonly head: { readonly number: bigint; readonly time: number } | null
  /** How far the first reading is; null when it is done. */
  readonly progress: { readonly block: bigint; readonly of: bigint } | null
  /** Why the last attempt to read failed; the rest is then as old as `readAt`. */
  readonly error: unknown
  /** Clock of this page at the last answer, in ms; null before the first. */
  readonly readAt: number | null
}

export type ChainFollower = {
  readonly view: Store<ChainView>
  /** Reads now what came since; shared by callers that ask at once. */
  refresh(): Promise<void>
  /** Follows for as long as the page lives. */
  start(): void
}

/** Where nodes know no final block. */
const assumedDepth = 64n

const placeOf = ({ blockHash, logIndex }: ChainEvent): string => `${blockHash}:${logIndex}`

/**
 * Rebuilds the contract's state from its logs and keeps it up to date.
 *
 * Up to the final block logs are folded once, into `base`. What comes after it is read anew each time and folded on a
 * copy, so a reorg needs no undoing. The registry keeps its identity while nothing changes.
 */
export function createChainFollower(options: {
  readonly client: Client
  readonly deployment: Deployment
  readonly fromBlock: bigint
  /** ms between two looks at the head */
  readonly interval: number
  readonly now: () => number
}): ChainFollower {
  const { client, deployment, fromBlock, interval, now } = options
  const view = createStore<ChainView>({
    registry: null,
    events: [],
    head: null,
    progress: null,
    error: null,
    readAt: null,
  })
  let base: Fold = emptyFold()
  let baseBlock = fromBlock - 1n
  let tip = ''
  let running: Promise<void> | null = null

  /** Never beyond the head up to which logs were read. */
  const finalBlock = async (head: bigint): Promise<bigint> => {
    try {
      const { number } = await getBlock(client, { blockTag: 'finalized' })
      if (number <= head) return number
      return head
    } catch {
      return head > assumedDepth ? head - assumedDepth : 0n
    }
  }

  const read = async (): Promise<void> => {
    const block = await getBlock(client)
    const head = { number: block.number, time: Number(block.timestamp) }
    const isFirst = view.get().registry === null
    const fresh = await readChainEvents(
      client,
      deployment.contract,
      baseBlock + 1n,
      block.number,
      isFirst
        ? (done) => view.set({ ...view.get(), progress: { block: done, of: block.number }, readAt: now() })
        : undefined,
    )
    const nextTip = fresh.map(placeOf).join()
    const changed = isFirst || nextTip !== tip
    let { registry, events } = view.get()
    if (changed) {
      const fold = copyFold(base)
      advanceFold(fold, fresh)
      ;({ registry, events } = fold)
    }
    tip = nextTip
    view.set({ registry, events, head, progress: null, error: null, readAt: now() })
    if (fresh.length === 0) return
    const final = await finalBlock(block.number)
    const settled = fresh.filter((one) => one.block <= final)
    if (settled.length === 0) return
    const fold = copyFold(base)
    advanceFold(fold, settled)
    base = fold
    baseBlock = final
    tip = fresh
      .filter((one) => one.block > baseBlock)
      .map(placeOf)
      .join()
  }

  const refresh = (): Promise<void> => {
    running ??= read()
      .catch((error: unknown) => view.set({ ...view.get(), error }))
      .finally(() => {
        running = null
      })
    return running
  }

  const loop = async (): Promise<void> => {
    await refresh()
    setTimeout(loop, interval)
  }

  return {
    view,
    refresh,
    start: () => void loop(),
  }
}
