import type { Hex } from '../../../protocol/hex.ts'
import type { Clock } from '../../clock.ts'
import { type TransactionKeeper, TransactionRefusedError } from '../chainPort.ts'
import { isOpen, type KillRecord, type Rebroadcast } from '../record.ts'

export type Rebroadcaster = {
  /** Told of every change of a kill. */
  note(kill: KillRecord): void
  /** Goes on with what is orphaned: called at start and from time to time. */
  retry(): void
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** Blocks behind the head from which on a kill's transaction is not kept: back-filled kills come by the thousand. */
const keptBlocks = 256
/** Longest transaction that is kept with its kill, in hex digits: a batch of orders stands with each of its kills. */
const maxRaw = 2 * 32_768
/** Between two tries to send an orphaned transaction again, in ms. */
const retryInterval = 15_000

const isOurs = (kill: KillRecord): boolean => kill.order !== null
const isOrphaned = (kill: KillRecord): boolean =>
  isOpen(kill) && kill.landing === null && kill.orphaned !== null && !isOurs(kill)

/**
 * Sends the transactions of orphaned kills again, since nodes do not always return what a reorg drops to their pools.
 * It keeps the signed transaction of each kill that came by somebody else's, as long as the kill is not final.
 */
export function createRebroadcaster(options: {
  readonly keeper: TransactionKeeper
  readonly kills: () => readonly KillRecord[]
  readonly kill: (id: string) => KillRecord | undefined
  /** The head's number; null while none is known. */
  readonly head: () => number | null
  readonly noteTransaction: (
    killId: string,
    noted: { readonly rawTx: Hex } | { readonly rebroadcast: Rebroadcast },
  ) => Promise<void>
  readonly clock: Clock
}): Rebroadcaster {
  const { keeper, noteTransaction, clock } = options
  const queued = new Set<string>()
  /** Monotonic ms of the last try, by kill. */
  const tried = new Map<string, number>()
  let work: Promise<void> = Promise.resolve()
  let stopped = false

  /** @throws where a node may know it that does not answer */
  const keep = async (kill: KillRecord, txHash: Hex): Promise<Hex | null> => {
    if (kill.rawTx !== undefined) return kill.rawTx
    const rawTx = await keeper.keep(txHash)
    // The store's refusal costs at most another question.
    if (rawTx !== null && rawTx.length <= maxRaw)
      await noteTransaction(kill.id, { rawTx }).catch(() => undefined)
    return rawTx
  }

  const sendAgain = async (kill: KillRecord, txHash: Hex): Promise<void> => {
    tried.set(kill.id, clock.monotonic())
    const at = clock.wall()
    let error: string | null = null
    let done = true
    try {
      const raw = await keep(kill, txHash)
      if (raw === null) error = `no node knows transaction ${txHash}; its sender must send the kill anew`
      else await keeper.broadcast(raw)
    } catch (failure) {
      error = failure instanceof Error ? failure.message : String(failure)
      done = failure instanceof TransactionRefusedError && !failure.retryable
    }
    const before = kill.rebroadcast
    const isNoted = before?.txHash === txHash && before.at >= (kill.orphaned?.at ?? 0)
    if (!isNoted || before.error !== error || before.done !== done)
      await noteTransaction(kill.id, { rebroadcast: { txHash, at, error, done } }).catch(() => undefined)
  }

  const attend = async (id: string): Promise<void> => {
    queued.delete(id)
    // Read again: it may have become final, or have been orphaned, while it waited.
    const kill = options.kill(id)
    if (stopped || kill === undefined || !isOpen(kill)) return void tried.delete(id)
    if (isOrphaned(kill)) await sendAgain(kill, (kill.orphaned as { readonly txHash: Hex }).txHash)
    else if (kill.landing !== null) {
      tried.delete(id)
      await keep(kill, kill.landing.txHash).catch(() => undefined)
    }
  }

  const queue = (id: string): void => {
    if (queued.has(id) || stopped) return
    queued.add(id)
    work = work.then(() => attend(id))
  }

  const isRecent = ({ landing }: KillRecord): boolean => {
    const head = options.head()
    return landing !== null && head !== null && landing.blockNumber + keptBlocks > head
  }

  const note = (kill: KillRecord): void => {
    if (isOurs(kill) || !isOpen(kill)) return
    if (isOrphaned(kill)) {
      const last = tried.get(kill.id)
      if (last === undefined || clock.monotonic() - last >= retryInterval) queue(kill.id)
    } else if (kill.rawTx === undefined && isRecent(kill)) queue(kill.id)
  }

  return {
    note,
    retry() {
      for (const kill of options.kills()) if (isOrphaned(kill)) note(kill)
    },
    idle: () => work,
    async stop() {
      stopped = true
      await work
    },
  }
}
