import type { Hex } from '../../../protocol/hex.ts'
import type { ChainBlockHeader } from '../../kill/chainPort.ts'
import { createSerial } from '../../serial.ts'
import { backoff } from '../backoff.ts'
import type { ChainLog } from '../chainLog.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { placeOf, type RpcHeader } from '../rpc/rpcBlock.ts'
import { InconsistentRpcError, rpcLabel } from '../rpc/rpcErrors.ts'
import type { ToldBlock } from './agreedRun.ts'
import { type BlockReader, sameEvents } from './blockReader.ts'
import {
  extended,
  GrantPointForkedError,
  grantedTo,
  grantPointOf,
  type HeaderChain,
  isOn,
  reconcile,
  tipOf,
  truncated,
} from './headerChain.ts'
import type { Announcement } from './headSource.ts'

/** A longer gap to the held chain is closed by ranges of logs as far as it is final, and in steps above. */
export const step = 64
/** Announcements kept while others are processed; the oldest go first, the gap that they leave is fetched. */
const maxWaiting = 64
/** Blocks above the held chain that are kept of one RPC. */
const maxKept = 4_096

/** The node's head is below the grant point: it is still syncing. */
export class RpcBehindError extends Error {
  override readonly name = 'RpcBehindError'
  readonly head: number
  readonly grantPoint: number
  constructor(head: number, grantPoint: number) {
    super(`the RPC's head ${head} is below the grant point ${grantPoint}; waiting until it has synced`)
    this.head = head
    this.grantPoint = grantPoint
  }
}

/** What one RPC tells of the chain. */
export type RpcView = {
  readonly rpc: Rpc
  announce(announcement: Announcement): void
  /** Its last head. */
  head(): RpcHeader | null
  /** What it tells beyond the held chain, lowest first; empty where that does not link up with it. */
  branch(): readonly ToldBlock[]
  /** The held chain has changed. */
  rebase(): void
  /** Processes the last head again if it lay beyond what could be followed. */
  retry(): void
  /** Why its last head was not followed. */
  failure(): Error | null
  stop(): void
}

/**
 * Follows the heads of one RPC in memory; decides nothing.
 *
 * Invariants:
 * 1. The RPC alone is asked: a block that it tells is one whose header and logs it has given itself.
 * 2. Every announced block within the limit is read at once, before and whether or not its ancestors are known.
 * 3. `chain` begins at the held chain's grant point; every header in it is held or was told by this RPC.
 * 4. A head that cannot be followed is given up and the RPC polled again.
 */
export function createRpcView(options: {
  readonly rpc: Rpc
  readonly reader: BlockReader
  readonly held: () => HeaderChain | null
  /** The highest block that is followed: beyond it the RPC is alone. Null while too few RPCs have told their heads. */
  readonly limit: () => number | null
  /** Brings the held chain near the heads; rejects where it cannot. */
  readonly catchUp: () => Promise<void>
  /** Has the head reported again within so many ms. */
  readonly again: (ms: number) => void
  /** Each block with its logs, once. */
  readonly onBlock: (block: ToldBlock) => void
  readonly onChange: () => void
  readonly random: () => number
  readonly log: ChainLog
}): RpcView {
  const { rpc, reader, held, limit, catchUp, again, onBlock, onChange, random, log } = options
  const label = rpcLabel(rpc.url)
  const serial = createSerial()
  const reads = new Map<Hex, Promise<ToldBlock>>()
  const told = new Map<Hex, ToldBlock>()
  const waiting: Announcement[] = []
  let chain: HeaderChain | null = null
  let head: RpcHeader | null = null
  let beyond: Announcement | null = null
  let failure: Error | null = null
  let failures = 0
  let wasLevel = false
  let followed = false
  let stopped = false

  /** Whether the block was told as this header has it: an RPC that once gave the hash another place is heard anew. */
  const isTold = (header: RpcHeader): boolean => {
    const block = told.get(header.hash)
    return (
      block !== undefined &&
      block.number === header.number &&
      block.parentHash === header.parentHash &&
      block.time === header.time
    )
  }

  const read = (header: RpcHeader, seenMonotonic: number): Promise<ToldBlock> => {
    if (told.has(header.hash) && !isTold(header)) reads.delete(header.hash)
    const known = reads.get(header.hash)
    if (known !== undefined) return known
    const reading = reader.eventsOf(header).then(
      (events) => {
        const place = placeOf(header)
        const block = { ...place, events, seenMonotonic, told: sameEvents([place, events]) }
        told.set(header.hash, block)
        if (!stopped) onBlock(block)
        return block
      },
      (error: unknown) => {
        reads.delete(header.hash)
        throw error
      },
    )
    reads.set(header.hash, reading)
    for (const oldest of reads.keys()) {
      if (reads.size <= maxKept) break
      reads.delete(oldest)
      told.delete(oldest)
    }
    return reading
  }

  /** Keeps what is still held or told, from the present grant point on. */
  const rebase = () => {
    const now = held()
    if (now === null || chain === null) return
    const tip = tipOf(chain)
    if (isOn(now, tip)) {
      // Level, or lagging: what is held above needs no reading again.
      chain = now
      return
    }
    const from = grantPointOf(now)
    const granted = from.hash === grantPointOf(chain).hash ? chain : grantedTo(chain, from)
    if (granted === null) {
      chain = now
      return
    }
    const lost = granted.find((header) => !isOn(now, header) && !told.has(header.hash))
    chain = lost === undefined ? granted : truncated(granted, lost.number - 1)
  }

  const parentOf = async (child: RpcHeader): Promise<RpcHeader> => {
    const parent = await reader.byHash(child.parentHash)
    if (parent.number === child.number - 1) return parent
    throw new InconsistentRpcError(
      `the parent of block ${child.number} has number ${parent.number}`,
      parent.hash,
    )
  }

  /** The headers between the tip and a head, by number and checked by hash: a reorg may come in between. */
  const missing = async (top: RpcHeader, from: number, to: number): Promise<readonly RpcHeader[]> => {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    const found = await Promise.all(numbers.map((number) => reader.byNumber(number)))
    let child = top
    for (let i = found.length - 1; i >= 0; i--) {
      const guess = found[i] as RpcHeader
      const header = guess.hash === child.parentHash ? guess : await parentOf(child)
      found[i] = header
      child = header
    }
    return found
  }

  /** Brings the chain to a header: down to a block that is held or told, then up again. */
  const connect = async (top: RpcHeader, seenMonotonic: number): Promise<void> => {
    let branch: readonly RpcHeader[] = [top]
    for (;;) {
      const now = held()
      if (now === null) return
      rebase()
      chain ??= now
      const lowest = branch[0] as RpcHeader
      const found = reconcile(chain, lowest)
      if (found.case === 'known') return
      if (found.case === 'behind') {
        if (!wasLevel) throw new RpcBehindError(lowest.number, grantPointOf(chain).number)
        log.debug({ rpc: label, head: lowest.number }, 'head of an RPC that lags')
        return
      }
      if (found.case === 'gap') {
        branch = [...(await missing(lowest, found.from, found.to)), ...branch]
        continue
      }
      if (found.case === 'fork' && found.fetch !== null) {
        branch = [await parentOf(lowest), ...branch]
        continue
      }
      // What is held on this branch was read and agreed on before.
      const fresh = branch.filter((header) => !isOn(now, header))
      if (fresh.some((header) => !isTold(header))) {
        await Promise.all(fresh.map((header) => read(header, seenMonotonic)))
        continue
      }
      chain = extended(truncated(chain, lowest.number - 1), branch.map(placeOf))
      return
    }
  }

  /** Reads the blocks down from a head that does not link up with the held chain: their kills may count all the same. */
  const readUnlinked = async ({ header, seenMonotonic }: Announcement): Promise<void> => {
    await read(header, seenMonotonic)
    let child = header
    // Before the first head there is nothing that it would have missed.
    for (let i = 0; i < step && followed && !told.has(child.parentHash) && child.number > 0; i++) {
      child = await parentOf(child)
      await read(child, seenMonotonic)
    }
  }

  /** One question instead of the whole way down, for every head on a branch that is known to be forked. */
  const stillForked = async (): Promise<void> => {
    const grantPoint = grantPointOf(held() as HeaderChain)
    const block = await reader.byNumber(grantPoint.number)
    if (block.hash !== grantPoint.hash) throw new GrantPointForkedError(grantPoint, block)
  }

  /** Too far ahead for any kill in it to be believed: it would stand until the grant point gets there. */
  const isBeyond = ({ number }: RpcHeader): boolean => {
    const highest = limit()
    return highest === null || number > highest
  }

  const follow = async (announcement: Announcement): Promise<void> => {
    const { header, seenMonotonic } = announcement
    beyond = null
    const tip = () => held()?.at(-1)?.number ?? Number.NEGATIVE_INFINITY
    if (header.number - tip() > step) await catchUp()
    if (held() === null || isBeyond(header)) {
      beyond = announcement
      if (!isBeyond(header)) await readUnlinked(announcement)
      return
    }
    try {
      if (failure instanceof GrantPointForkedError) await stillForked()
      rebase()
      for (;;) {
        const from = Math.max(tip(), chain === null ? 0 : tipOf(chain).number)
        if (header.number - from <= step || stopped) break
        await connect(await reader.byNumber(from + step), seenMonotonic)
        onChange()
      }
      await connect(header, seenMonotonic)
      wasLevel = true
    } catch (error) {
      if (error instanceof GrantPointForkedError) await readUnlinked(announcement).catch(() => {})
      throw error
    }
  }

  const process = async (announcement: Announcement): Promise<void> => {
    try {
      await follow(announcement)
      followed = true
      failure = null
      failures = 0
    } catch (error) {
      if (stopped) return
      failure = error as Error
      const { number, hash } = announcement.header
      log[error instanceof GrantPointForkedError ? 'error' : 'warn'](
        { rpc: label, error, number, hash },
        'head not followed',
      )
      if (!(error instanceof GrantPointForkedError)) again(backoff(failures++, 50, 2_000, random()))
    }
    if (!stopped) onChange()
  }

  const announce = (announcement: Announcement) => {
    const { header, seenMonotonic } = announcement
    head = header
    const now = held()
    // Below the grant point an RPC shows its lag, and old kills that may long have been resumed.
    const isNew = now === null || (header.number >= grantPointOf(now).number && !isOn(now, header))
    if (isNew && !isBeyond(header)) read(header, seenMonotonic).catch(() => {})
    waiting.push(announcement)
    if (waiting.length > maxWaiting) waiting.shift()
    void serial(async () => {
      const next = waiting.shift()
      if (next !== undefined && !stopped) await process(next)
    })
  }

  return {
    rpc,
    announce,
    head: () => head,
    branch() {
      const now = held()
      if (now === null || chain === null) return []
      const branch: ToldBlock[] = []
      for (let i = chain.length - 1; i >= 0; i--) {
        const header = chain[i] as ChainBlockHeader
        if (isOn(now, header)) return branch.reverse()
        const block = told.get(header.hash)
        if (block === undefined) branch.length = 0
        else branch.push(block)
      }
      return []
    },
    rebase() {
      rebase()
      const now = held()
      if (now === null) return
      for (const [hash, { number }] of told) {
        if (number > grantPointOf(now).number) continue
        told.delete(hash)
        reads.delete(hash)
      }
    },
    retry() {
      if (beyond === null || stopped) return
      const last = beyond
      beyond = null
      announce(last)
    },
    failure: () => failure,
    stop() {
      stopped = true
    },
  }
}
