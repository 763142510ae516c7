import type { Deployment } from '../../protocol/deployment.ts'
import type { Clock } from '../clock.ts'
import type { ChainBlock, ChainBlockHeader, ChainSink } from '../kill/chainPort.ts'
import { createSerial } from '../serial.ts'
import { backfill } from './backfill.ts'
import { backoff } from './backoff.ts'
import { type BlockReader, createBlockReader } from './blockReader.ts'
import type { ChainLog } from './chainLog.ts'
import {
  above,
  extended,
  GrantPointForkedError,
  grantedTo,
  grantPointOf,
  type HeaderChain,
  headerAt,
  reconcile,
  tipOf,
  truncated,
} from './headerChain.ts'
import { type Announcement, createHeadSource, type HeadSource } from './headSource.ts'
import type { Rpc } from './rpc.ts'
import { placeOf, type RpcHeader } from './rpcBlock.ts'
import { InconsistentRpcError, RpcResponseError, WrongChainError } from './rpcErrors.ts'
import { createRpcPool } from './rpcPool.ts'
import { type Schedule, systemSchedule } from './schedule.ts'

/** Which blocks count as final (docs/protocol.md): those that the chain calls so, or by their depth below the tip. */
export type GrantPoint =
  | { readonly kind: 'finalized' }
  | { readonly kind: 'safe' }
  | { readonly kind: 'depth'; readonly blocks: number }

export type FollowerOptions = {
  /** http(s) or ws(s) addresses of nodes of the deployment's chain, in order of preference. */
  readonly rpcs: readonly string[]
  readonly deployment: Deployment
  /** The block of the contract's deployment, or any earlier one. */
  readonly startBlock: number
  readonly grantPoint: GrantPoint
  readonly sink: ChainSink
  readonly clock: Clock
  /** Between two polls of one RPC, in ms. */
  readonly pollInterval: number
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** In [0, 1). */
  readonly random?: () => number
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}

export type Follower = {
  /**
   * Resolves once everything up to the head is taken; tries for ever while RPCs fail.
   * @throws {GrantPointForkedError} the stored chain is not the RPCs' chain
   * @throws {NoGrantPointError} the nodes do not know the tag
   * @throws {WrongChainError}
   * @throws {FollowerStoppedError}
   */
  start(): Promise<void>
  stop(): Promise<void>
  /** Why nothing is taken or granted at present; null while all is well. */
  failure(): Error | null
}

export class FollowerStoppedError extends Error {
  override readonly name = 'FollowerStoppedError'
  constructor() {
    super('the follower was stopped before it had reached the head of the chain; start it again to go on')
  }
}

export class NoGrantPointError extends Error {
  override readonly name = 'NoGrantPointError'
  readonly tag: string
  constructor(tag: string, cause: unknown) {
    super(`the RPC knows no ${tag} block; use a depth as the grant point`, { cause })
    this.tag = tag
  }
}

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

/** A gap of more blocks than this is closed by ranges of logs as far as it is final, and in steps above. */
const step = 64
/** Announcements kept while others are processed; the oldest go first, the gap that they leave is fetched. */
const maxWaiting = 64

/**
 * Follows the chain from the sink's cursor: announced and polled heads of all RPCs, the first unseen one wins.
 *
 * Invariants:
 * 1. `chain` is what the sink has durably taken; it changes only after the sink's call has resolved.
 * 2. Everything that touches `chain` or the sink runs in `serial`, one at a time.
 * 3. A branch is read completely, logs included, before the blocks that it replaces are dropped.
 * 4. A head that cannot be processed is given up and its RPC polled again; it never holds up another.
 */
export function createFollower(options: FollowerOptions): Follower {
  const { deployment, startBlock, grantPoint, sink, clock, pollInterval, log } = options
  const schedule = options.schedule ?? systemSchedule
  const random = options.random ?? Math.random
  const serial = createSerial()
  const pool = createRpcPool({ ...options, chainId: deployment.chainId, schedule, random })
  const reader = createBlockReader(pool, deployment.contract)
  const sources = new Map<Rpc, HeadSource>()
  const waiting: Announcement[] = []
  let chain: HeaderChain | null = null
  let ready = false
  let stopped = false
  let failure: Error | null = null
  let askingGrantPoint = false
  let failures = 0
  let wakeRetry = () => {}

  const take = async (held: HeaderChain, blocks: readonly ChainBlock[]): Promise<HeaderChain> => {
    await sink.takeBlocks(blocks)
    chain = extended(held, blocks.map(placeOf))
    return chain
  }

  const drop = async (held: HeaderChain, headers: readonly ChainBlockHeader[]): Promise<HeaderChain> => {
    const lowest = headers.at(-1)
    if (lowest === undefined) return held
    await sink.dropBlocks(headers)
    chain = truncated(held, lowest.number - 1)
    log.warn(
      { from: lowest.number, to: headers[0]?.number, hash: headers[0]?.hash },
      'blocks dropped by a reorg',
    )
    return chain
  }

  const grant = async (held: HeaderChain, header: ChainBlockHeader): Promise<HeaderChain> => {
    const next = header.number > grantPointOf(held).number ? grantedTo(held, header) : null
    if (next === null) return held
    await sink.advanceGrantPoint(grantPointOf(next))
    chain = next
    return next
  }

  /** Takes final blocks by ranges; each range's last block is the new grant point and, for now, the whole chain. */
  const takeFinal = (from: number, to: ChainBlockHeader): Promise<void> =>
    backfill(reader, from, to.number, async (past) => {
      if (stopped) throw new FollowerStoppedError()
      const seenMonotonic = clock.monotonic()
      const blocks = past.map(({ header, events }) => ({ ...placeOf(header), events, seenMonotonic }))
      const last = blocks.at(-1) as ChainBlock
      await sink.takeBlocks(blocks)
      await sink.advanceGrantPoint(placeOf(last))
      chain = [placeOf(last)]
      log.debug({ block: last.number, to: to.number }, 'back-filled')
    })

  const finalBlock = async (head: RpcHeader, first?: Rpc): Promise<ChainBlockHeader> => {
    if (grantPoint.kind === 'depth') {
      const number = Math.max(0, head.number - grantPoint.blocks)
      return number === head.number ? head : reader.byNumber(number, first)
    }
    try {
      return await reader.byTag(grantPoint.kind, first)
    } catch (error) {
      // No block, or an error about the tag, does not change by waiting; a rate limit does.
      const unknown =
        error instanceof RpcResponseError
          ? /not found|unknown|invalid|unsupported/i.test(error.details)
          : error instanceof InconsistentRpcError && error.value === null
      if (unknown) throw new NoGrantPointError(grantPoint.kind, error)
      throw error
    }
  }

  /** Drops what is no longer on the chain of this head. */
  const recheck = async (held: HeaderChain, head: RpcHeader, first?: Rpc): Promise<HeaderChain> => {
    const fork = await lastCommon(held, head, reader, first)
    return drop(held, above(held, fork.number))
  }

  const catchUp = async (held: HeaderChain, head: RpcHeader, first?: Rpc): Promise<HeaderChain> => {
    const rechecked = await recheck(held, head, first)
    const final = await finalBlock(head, first)
    const tip = tipOf(rechecked)
    if (final.number <= tip.number) return rechecked
    await takeFinal(tip.number + 1, final)
    return chain ?? rechecked
  }

  /** The headers between the tip and a head, by number and checked by hash: a reorg may come in between. */
  const missing = async (
    head: RpcHeader,
    from: number,
    to: number,
    first?: Rpc,
  ): Promise<readonly RpcHeader[]> => {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    const found = await Promise.all(numbers.map((number) => reader.byNumber(number, first)))
    let child = head
    for (let i = found.length - 1; i >= 0; i--) {
      const guess = found[i] as RpcHeader
      const header = guess.hash === child.parentHash ? guess : await parentOf(reader, child, first)
      found[i] = header
      child = header
    }
    return found
  }

  /** Brings the chain to a head: reads the branch down to a block that is held, then drops and takes. */
  const advanceTo = async (head: RpcHeader, seenMonotonic: number, first?: Rpc): Promise<void> => {
    let held = chain as HeaderChain
    let gap = reconcile(held, head)
    if (gap.case === 'gap' && gap.to - gap.from >= step) {
      held = await catchUp(held, head, first)
      for (
        gap = reconcile(held, head);
        gap.case === 'gap' && gap.to - gap.from >= step;
        gap = reconcile(held, head)
      ) {
        if (stopped) throw new FollowerStoppedError()
        await advanceTo(await reader.byNumber(gap.from + step - 1, first), seenMonotonic, first)
        held = chain as HeaderChain
      }
    }
    let branch: readonly RpcHeader[] = [head]
    for (;;) {
      const lowest = branch[0] as RpcHeader
      const found = reconcile(held, lowest)
      switch (found.case) {
        case 'known':
          return
        case 'behind':
          log.debug({ head: head.number, grantPoint: grantPointOf(held).number }, 'head of an RPC that lags')
          return
        case 'gap':
          branch = [...(await missing(lowest, found.from, found.to, first)), ...branch]
          continue
        case 'fork':
          if (found.fetch !== null) {
            branch = [await parentOf(reader, lowest, first), ...branch]
            continue
          }
      }
      const blocks = await Promise.all(
        branch.map(async (header) => ({
          ...placeOf(header),
          events: await reader.eventsOf(header, first),
          seenMonotonic,
        })),
      )
      if (found.case === 'fork') held = await drop(held, found.drop)
      held = await take(held, blocks)
      if (grantPoint.kind === 'depth') {
        const final = headerAt(held, tipOf(held).number - grantPoint.blocks)
        if (final !== undefined) await grant(held, final)
      }
      return
    }
  }

  /** Asks for the tag beside the queue, so that no head waits for the answer. */
  const followTag = async (first: Rpc): Promise<void> => {
    if (grantPoint.kind === 'depth' || askingGrantPoint) return
    askingGrantPoint = true
    try {
      const final = await reader.byTag(grantPoint.kind, first)
      await serial(async () => {
        if (chain !== null && failure === null && !stopped) await grant(chain, placeOf(final))
      })
    } catch (error) {
      if (!stopped) log.warn({ error }, 'grant point not advanced')
    } finally {
      askingGrantPoint = false
    }
  }

  const process = async ({ header, rpc, seenMonotonic }: Announcement): Promise<void> => {
    try {
      await advanceTo(header, seenMonotonic, rpc)
      if (chain !== null && tipOf(chain).hash === header.hash) {
        failure = null
        failures = 0
        sink.noteHead(placeOf(header))
        void followTag(rpc)
      }
    } catch (error) {
      if (stopped) return
      failure = error as Error
      log[error instanceof GrantPointForkedError ? 'error' : 'warn'](
        { error, number: header.number, hash: header.hash },
        'head not taken',
      )
      if (!(error instanceof GrantPointForkedError))
        sources.get(rpc)?.again(backoff(failures++, 50, 2_000, random()))
    }
  }

  const drain = () =>
    serial(async () => {
      const next = waiting.shift()
      if (next !== undefined && !stopped) await process(next)
    })

  const announce = (announcement: Announcement) => {
    waiting.push(announcement)
    if (waiting.length > maxWaiting) waiting.shift()
    if (ready) void drain()
  }

  const begin = async (): Promise<void> => {
    const head = await reader.byTag('latest')
    const seenMonotonic = clock.monotonic()
    const stored = await sink.load()
    chain = linkedEnd(stored)
    if (chain === null) {
      const final = await finalBlock(head)
      await takeFinal(Math.min(startBlock, final.number), final)
    } else {
      // A crash may have come between the last range of a back-fill and its grant point.
      if (chain.length < stored.length) await sink.advanceGrantPoint(grantPointOf(chain))
      if (head.number < grantPointOf(chain).number) {
        throw new RpcBehindError(head.number, grantPointOf(chain).number)
      }
    }
    await advanceTo(head, seenMonotonic)
    if (chain !== null && tipOf(chain).hash === head.hash) sink.noteHead(placeOf(head))
  }

  return {
    async start() {
      for (const rpc of pool.rpcs) {
        sources.set(rpc, createHeadSource(rpc, { pollInterval, clock, schedule, log, announce }))
      }
      for (let attempt = 0; ; attempt++) {
        try {
          await serial(begin)
          break
        } catch (error) {
          if (stopped) throw new FollowerStoppedError()
          failure = error as Error
          if (isFatal(error)) throw error
          log.warn({ error, attempt }, 'not at the head yet, trying again')
          await new Promise<void>((resolve) => {
            const cancel = schedule(backoff(attempt, 100, 5_000, random()), resolve)
            wakeRetry = () => {
              cancel()
              resolve()
            }
          })
          if (stopped) throw new FollowerStoppedError()
        }
      }
      failure = null
      ready = true
      for (let i = waiting.length; i > 0; i--) void drain()
    },
    async stop() {
      stopped = true
      wakeRetry()
      for (const source of sources.values()) source.stop()
      pool.close()
      await serial(async () => {})
    },
    failure: () => failure,
  }
}

const isFatal = (error: unknown): boolean =>
  error instanceof GrantPointForkedError ||
  error instanceof NoGrantPointError ||
  error instanceof WrongChainError

async function parentOf(reader: BlockReader, child: RpcHeader, first?: Rpc): Promise<RpcHeader> {
  const parent = await reader.byHash(child.parentHash, first)
  if (parent.number !== child.number - 1) {
    throw new InconsistentRpcError(
      `the parent of block ${child.number} has number ${parent.number}`,
      parent.hash,
    )
  }
  return parent
}

/**
 * The end of the stored headers that is linked by parentHash. Gaps are only left by back-fills, which take final
 * blocks, so what comes after the last gap begins with a final block.
 */
function linkedEnd(headers: readonly ChainBlockHeader[]): HeaderChain | null {
  let first = headers.length - 1
  while (first > 0 && headers[first]?.parentHash === headers[first - 1]?.hash) first--
  const [start, ...rest] = headers.slice(Math.max(0, first))
  return start === undefined ? null : [start, ...rest]
}

/**
 * The highest header of the chain that is also on the chain of `head`, as far as that goes, found by halving.
 * @throws {GrantPointForkedError}
 */
async function lastCommon(
  held: HeaderChain,
  head: RpcHeader,
  reader: BlockReader,
  first?: Rpc,
): Promise<ChainBlockHeader> {
  const grantPoint = grantPointOf(held)
  if (head.number < grantPoint.number) throw new RpcBehindError(head.number, grantPoint.number)
  const headerOf = (number: number) =>
    number === head.number ? Promise.resolve(head) : reader.byNumber(number, first)
  const isCommon = async (header: ChainBlockHeader) => (await headerOf(header.number)).hash === header.hash
  // A head below the tip that lies on the chain proves only that its RPC lags.
  const highest = headerAt(held, Math.min(head.number, tipOf(held).number)) as ChainBlockHeader
  if (await isCommon(highest)) return tipOf(held)
  const onChain = await headerOf(grantPoint.number)
  if (onChain.hash !== grantPoint.hash) throw new GrantPointForkedError(grantPoint, onChain)
  let low = grantPoint.number
  let high = highest.number
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (await isCommon(headerAt(held, middle) as ChainBlockHeader)) low = middle
    else high = middle
  }
  return headerAt(held, low) as ChainBlockHeader
}
