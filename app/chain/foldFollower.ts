import type { Client } from 'viem'
import { getBlock } from 'viem/actions'
import { createStore, type Store } from '../store.ts'

/** The latest block: `time` in Unix seconds, `seenAt` by the clock of this page in ms, when it was new here. */
export type ChainHead = { readonly number: bigint; readonly time: number; readonly seenAt: number }

/** What the user's node says, folded. */
export type FoldView<Fold> = {
  /** Null before all logs were read once. */
  readonly fold: Fold | null
  readonly head: ChainHead | null
  /** How far the first reading is; null when it is done. */
  readonly progress: { readonly block: bigint; readonly of: bigint } | null
  /** Why the last attempt to read failed; the rest is then as old as `readAt`. */
  readonly error: unknown
  /** Clock of this page at the last answer, in ms; null before the first. */
  readonly readAt: number | null
}

export type FoldFollower<Fold> = {
  readonly view: Store<FoldView<Fold>>
  /** Reads now what came since; shared by callers that ask at once. */
  refresh(): Promise<void>
  /** Follows for as long as the page lives. */
  start(): void
}

/** Where an event was found. */
export type Found = { readonly block: bigint; readonly blockHash: string; readonly logIndex: number }

/** Where nodes know no final block. */
const assumedDepth = 64n

const placeOf = ({ blockHash, logIndex }: Found): string => `${blockHash}:${logIndex}`

/**
 * Folds a contract's logs and keeps the fold up to date.
 *
 * Up to the final block logs are folded once, into `base`. What comes after it is read anew each time and folded on a
 * copy, so a reorg needs no undoing. The fold keeps its identity while nothing changes.
 */
export function createFoldFollower<Fold, Event extends Found>(options: {
  readonly client: Client
  readonly fromBlock: bigint
  /** ms between two looks at the head */
  readonly interval: number
  readonly now: () => number
  /** Reads what is in [from, to], in the order of the chain, and tells up to which block it is. */
  readonly read: (from: bigint, to: bigint, onProgress: (block: bigint) => void) => Promise<readonly Event[]>
  readonly first: Fold
  /** The fold after some more events; the one before stays as it was. */
  readonly advance: (fold: Fold, events: readonly Event[]) => Fold
}): FoldFollower<Fold> {
  const { client, fromBlock, interval, now, first, advance } = options
  const view = createStore<FoldView<Fold>>({
    fold: null,
    head: null,
    progress: null,
    error: null,
    readAt: null,
  })
  let base = first
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
    const { fold: known, head: former } = view.get()
    const time = Number(block.timestamp)
    const isNew = former?.number !== block.number || former.time !== time
    const head = isNew ? { number: block.number, time, seenAt: now() } : former
    const fresh = await options.read(baseBlock + 1n, block.number, (done) => {
      if (known === null)
        view.set({ ...view.get(), progress: { block: done, of: block.number }, readAt: now() })
    })
    const nextTip = fresh.map(placeOf).join()
    const fold = known === null || nextTip !== tip ? advance(base, fresh) : known
    tip = nextTip
    view.set({ fold, head, progress: null, error: null, readAt: now() })
    if (fresh.length === 0) return
    const final = await finalBlock(block.number)
    const settled = fresh.filter((one) => one.block <= final)
    if (settled.length === 0) return
    base = advance(base, settled)
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
