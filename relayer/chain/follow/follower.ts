import type { Deployment } from '../../../protocol/deployment.ts'
import type { Hex } from '../../../protocol/hex.ts'
import type { KillOrder } from '../../../protocol/order.ts'
import type { Clock } from '../../clock.ts'
import type { ChainBlock, ChainBlockHeader, ChainSink } from '../../kill/chainPort.ts'
import { type Schedule, systemSchedule } from '../../schedule.ts'
import { createSerial } from '../../serial.ts'
import { backoff } from '../backoff.ts'
import type { ChainLog } from '../chainLog.ts'
import { commonFailure, createAgreement, majorityOf } from '../rpc/majority.ts'
import type { Rpc } from '../rpc/rpc.ts'
import { placeOf, type RpcHeader } from '../rpc/rpcBlock.ts'
import { InconsistentRpcError, RpcResponseError, rpcLabel, WrongChainError } from '../rpc/rpcErrors.ts'
import { createRpcPool } from '../rpc/rpcPool.ts'
import { agreedRun } from './agreedRun.ts'
import { backfill } from './backfill.ts'
import { type Ask, type BlockReader, createBlockReader } from './blockReader.ts'
import {
  above,
  extended,
  GrantPointForkedError,
  grantedTo,
  grantPointOf,
  type HeaderChain,
  headerAt,
  isOn,
  tipOf,
  truncated,
} from './headerChain.ts'
import { type Announcement, createHeadSource, type HeadSource } from './headSource.ts'
import { type KilledEvent, proofOfKill } from './killProof.ts'
import { createProgress } from './progress.ts'
import { createRpcView, type RpcView, step } from './rpcView.ts'
import { createSightings } from './sightings.ts'

/** Which blocks count as final (docs/protocol.md): those that the chain calls so, or by their depth below the tip. */
export type GrantPoint =
  | { readonly kind: 'finalized' }
  | { readonly kind: 'safe' }
  | { readonly kind: 'depth'; readonly blocks: number }

export type FollowerOptions = {
  /** http(s) or ws(s) addresses of nodes of the deployment's chain. */
  readonly rpcs: readonly string[]
  readonly deployment: Deployment
  /** The block of the contract's deployment, or any earlier one. */
  readonly startBlock: number
  readonly grantPoint: GrantPoint
  readonly sink: ChainSink
  readonly clock: Clock
  /** Between two polls of one RPC, in ms. */
  readonly pollInterval: number
  /**
   * Whether the event's authority may kill its subject at the event's rank, by what is granted, and the order that
   * proves it still holds (null: its own call, or not known yet). A kill that one RPC tells counts only if so and a
   * signature proves the kill; without this, never.
   */
  readonly mayKill?: (event: KilledEvent, order: KillOrder | null) => boolean
  /** Told that a block is being read whose bloom filter allows for the contract's events; must not throw. */
  readonly onMayHoldKills?: () => void
  /** A head whose own time is further back is no sign of sight, in ms; without this, any new head is. */
  readonly maxHeadAge?: number
  readonly log: ChainLog
  readonly schedule?: Schedule
  /** In [0, 1). */
  readonly random?: () => number
  /** Opens a connection to an RPC; by its address's scheme unless given. */
  readonly connect?: (url: string) => Rpc
}

export type Follower = {
  /**
   * Resolves once everything up to the head is taken; tries for ever while RPCs fail. Kills count from a
   * majority's first heads on.
   * @throws {GrantPointForkedError} the stored chain is not the RPCs' chain
   * @throws {NoGrantPointError} the nodes do not know the tag
   * @throws {WrongChainError}
   * @throws {FollowerStoppedError}
   */
  start(): Promise<void>
  stop(): Promise<void>
  /** Why nothing is taken or granted at present; null while all is well. */
  failure(): Error | null
  status(): FollowerStatus
}

export type FollowerStatus = {
  /** The RPCs in their configured order. */
  readonly rpcs: readonly {
    readonly rpc: string
    readonly head: number | null
    readonly failure: Error | null
  }[]
  /** How many RPCs have to agree before anything is granted or withdrawn. */
  readonly majority: number
  /** Whether the chain of a majority no longer holds what was granted. */
  readonly forkedBelowGrantPoint: boolean
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

/**
 * Follows the chain from the sink's cursor by what its RPCs tell, each for itself (`rpcView`).
 *
 * What one RPC tells is believed only where it stops something:
 * 1. a block is taken, dropped or granted once a majority of the RPCs configured tells it alike;
 * 2. a kill counts earlier: once a signature proves it, or two RPCs tell it (`sightings`).
 *
 * Invariants:
 * 1. `chain` is what the sink has durably taken; it changes only after the sink's call has resolved.
 * 2. Everything that touches `chain` or the sink runs in `serial`, one at a time; first sight goes before the rest.
 * 3. A branch is read completely, logs included, before the blocks that it replaces are dropped.
 * 4. No RPC is ever waited for by another.
 */
export function createFollower(options: FollowerOptions): Follower {
  const { deployment, startBlock, grantPoint, sink, clock, pollInterval, log } = options
  const schedule = options.schedule ?? systemSchedule
  const random = options.random ?? Math.random
  const mayKill = options.mayKill ?? (() => false)
  const maxHeadAge = options.maxHeadAge ?? Number.POSITIVE_INFINITY
  const serial = createSerial()
  const pool = createRpcPool({ ...options, chainId: deployment.chainId, schedule, random })
  const majority = majorityOf(pool.rpcs.length)
  const agree = createAgreement(pool.rpcs, schedule, log)
  const agreed = createBlockReader(agree, deployment.contract)
  const sources = new Map<Rpc, HeadSource>()
  const finals = new Map<Rpc, ChainBlockHeader>()
  const finalFailures = new Map<Rpc, Error>()
  const nudged = new Map<Rpc, number>()
  const askingFinal = new Set<Rpc>()
  let views: readonly RpcView[] = []
  let chain: HeaderChain | null = null
  let seen: Hex | null = null
  let stopped = false
  let failure: Error | null = null
  let failures = 0
  let catchingUp: Promise<void> | null = null
  let settling = false
  let cancelRetry = () => {}
  let changed = () => {}

  const sightings = createSightings({
    rpcs: pool.rpcs.length,
    isHeld: (block) => chain !== null && isOn(chain, block),
    isAgreed: (block) => failure === null && agreedBlocks().some(({ hash }) => hash === block.hash),
    prove: (event, txHash) => prove(event, txHash),
    take: (block) =>
      serial(async () => {
        if (!stopped && (chain === null || !isOn(chain, block))) await sink.takeKills(block)
      }, 'urgent'),
    schedule,
    random,
    log,
  })

  const reader = (rpc: Rpc): BlockReader => {
    const ask: Ask = async ({ method, params, parse, timeout }) => {
      // One block's logs are asked for only where the filter allows for some.
      if (method === 'eth_getLogs') options.onMayHoldKills?.()
      return parse(await rpc.request(method, params, timeout))
    }
    return createBlockReader(ask, deployment.contract)
  }

  /** True once any RPC's transaction proves the kill; false once all have answered in vain. */
  const prove = (event: KilledEvent, txHash: Hex): Promise<boolean> =>
    new Promise((resolve, reject) => {
      if (!mayKill(event, null)) {
        resolve(false)
        return
      }
      let left = pool.rpcs.length
      let missing: unknown = null
      const ask = async (rpc: Rpc) => {
        try {
          const transaction = await rpc.request('eth_getTransactionByHash', [txHash])
          const proof = proofOfKill(deployment, event, txHash, transaction)
          if (proof !== null && mayKill(event, proof.order)) resolve(true)
          else if (transaction === null)
            missing ??= new InconsistentRpcError('a kill without its transaction', txHash)
        } catch (error) {
          missing = error
        }
        left -= 1
        if (left > 0) return
        if (missing === null) resolve(false)
        else reject(missing)
      }
      for (const rpc of pool.rpcs) void ask(rpc)
    })

  // --- the held chain; all of it runs in `serial` ---

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

  const grant = async (held: HeaderChain, header: ChainBlockHeader): Promise<void> => {
    const next = header.number > grantPointOf(held).number ? grantedTo(held, header) : null
    if (next === null) return
    await sink.advanceGrantPoint(grantPointOf(next))
    chain = next
  }

  /** The highest held block that a majority calls final; null while there is none. */
  const finalByMajority = (held: HeaderChain): ChainBlockHeader | null => {
    if (grantPoint.kind === 'depth') return headerAt(held, tipOf(held).number - grantPoint.blocks) ?? null
    const numbers = [...finals.values()]
      .filter((header) => isOn(held, header))
      .map(({ number }) => number)
      .sort((a, b) => b - a)
    const number = numbers[majority - 1]
    return number === undefined ? null : (headerAt(held, number) ?? null)
  }

  /** What can be taken now: nothing while ranges of final blocks are. */
  const agreedBlocks = () =>
    catchingUp === null
      ? agreedRun(
          views.map((view) => view.branch()),
          majority,
        )
      : []

  /** Takes what a majority tells, and grants what is final in it. */
  const settleOnce = async (): Promise<void> => {
    let taken = false
    for (;;) {
      if (chain === null || catchingUp !== null || stopped) return
      const run = agreedBlocks()
      const [first] = run
      const base = first === undefined ? undefined : headerAt(chain, first.number - 1)
      if (first === undefined || base?.hash !== first.parentHash) break
      const held = await drop(chain, above(chain, base.number))
      await take(
        held,
        run.map(({ told: _, ...block }) => block),
      )
      taken = true
      rebase()
    }
    const final = finalByMajority(chain)
    if (final !== null) await grant(chain, final)
    rebase()
    sightings.forget(grantPointOf(chain).number)
    failure = null
    failures = 0
    if (taken || isLevel()) noteHead(chain)
  }

  const rebase = () => {
    for (const view of views) view.rebase()
  }

  /** A block near a majority's heads is a sign of sight, once, and while it is young by its own time too. */
  const noteHead = (held: HeaderChain) => {
    const tip = tipOf(held)
    const top = target()
    if (tip.hash === seen || top === null || top - tip.number > step) return
    seen = tip.hash
    if (clock.wall() - tip.time * 1000 <= maxHeadAge) sink.noteHead(tip)
    else log.debug({ number: tip.number, time: tip.time }, 'head is old by its own time, no sign of sight')
  }

  const settle = () => {
    if (settling || stopped) return
    settling = true
    void serial(async () => {
      settling = false
      try {
        await settleOnce()
      } catch (error) {
        if (stopped) return
        failure = error as Error
        log.warn({ error }, 'chain not taken, trying again')
        cancelRetry()
        cancelRetry = schedule(backoff(failures++, 50, 2_000, random()), settle)
      }
      changed()
    })
  }

  // --- catching up ---

  /** The highest block that a majority of the RPCs claims to have; null until they have spoken. */
  const target = (): number | null => {
    const heads = views.flatMap((view) => view.head()?.number ?? []).sort((a, b) => b - a)
    return heads[majority - 1] ?? null
  }

  const finalBlock = async (top: number): Promise<RpcHeader> => {
    if (grantPoint.kind === 'depth') return agreed.byNumber(Math.max(0, top - grantPoint.blocks))
    const tag = grantPoint.kind
    const answers = await Promise.allSettled(pool.rpcs.map((rpc) => reader(rpc).byTag(tag)))
    const numbers = answers
      .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.number : []))
      .sort((a, b) => b - a)
    const number = numbers[majority - 1]
    if (number !== undefined) return agreed.byNumber(number)
    const failing = answers.flatMap((answer) =>
      answer.status === 'rejected' ? tagFailure(tag, answer.reason) : [],
    )
    throw (
      commonFailure(failing, majority, isFatal) ??
      new InconsistentRpcError(
        `too few RPCs give the ${tag} block`,
        failing.map(({ message }) => message),
      )
    )
  }

  /** Takes final blocks by ranges; each range's last block is the new grant point and, for now, the whole chain. */
  const takeFinal = (from: number, to: ChainBlockHeader): Promise<void> => {
    const progress = createProgress({ from, to: to.number, clock, log })
    return backfill(agreed, from, to.number, (past) =>
      serial(async () => {
        if (stopped) throw new FollowerStoppedError()
        const seenMonotonic = clock.monotonic()
        const blocks = past.map(({ header, events }) => ({ ...placeOf(header), events, seenMonotonic }))
        const last = blocks.at(-1) as ChainBlock
        await sink.takeFinal(blocks)
        chain = [placeOf(last)]
        progress.note(
          last.number,
          blocks.reduce((sum, { events }) => sum + events.length, 0),
        )
      }),
    )
  }

  const catchUpOnce = async (): Promise<void> => {
    const top = target()
    if (top === null || stopped) return
    const held = chain
    if (held !== null && top - tipOf(held).number <= step) return
    const final = await finalBlock(top)
    if (held === null) {
      await takeFinal(Math.min(startBlock, final.number), final)
      return
    }
    const fork = await lastCommon(held, top, agreed)
    const kept = await serial(() => drop(held, above(held, fork.number)))
    const { number } = tipOf(kept)
    if (final.number > number) await takeFinal(number + 1, final)
  }

  const catchUp = (): Promise<void> => {
    if (catchingUp !== null) return catchingUp
    const before = chain
    catchingUp = catchUpOnce().finally(() => {
      catchingUp = null
      if (chain !== before) {
        rebase()
        for (const view of views) view.retry()
      }
      settle()
    })
    return catchingUp
  }

  // --- the RPCs ---

  const followTag = async (view: RpcView): Promise<void> => {
    const { rpc } = view
    if (grantPoint.kind === 'depth' || askingFinal.has(rpc) || stopped) return
    askingFinal.add(rpc)
    try {
      finals.set(rpc, placeOf(await reader(rpc).byTag(grantPoint.kind)))
      finalFailures.delete(rpc)
      settle()
    } catch (error) {
      finalFailures.set(rpc, tagFailure(grantPoint.kind, error))
      if (!stopped) log.warn({ rpc: rpcLabel(rpc.url), error }, 'no grant point from an RPC')
    } finally {
      askingFinal.delete(rpc)
    }
  }

  const announce = (view: RpcView, announcement: Announcement) => {
    const { number, hash } = announcement.header
    const before = target()
    const known = chain !== null && isOn(chain, announcement.header)
    view.announce(announcement)
    const now = target()
    // Each height once per RPC, and none far ahead: who makes heads up must not set the pace of the others.
    if (!known && number > (nudged.get(view.rpc) ?? -1) && number <= (now ?? number) + step) {
      nudged.set(view.rpc, number)
      for (const other of views) {
        const head = other.head()
        if (head === null || head.number < number || (head.number === number && head.hash !== hash))
          sources.get(other.rpc)?.nudge()
      }
    }
    if (now !== before) for (const other of views) other.retry()
  }

  const failureOf = ({ rpc, failure: unfollowed }: RpcView): Error | null =>
    unfollowed() ?? finalFailures.get(rpc) ?? sources.get(rpc)?.failure() ?? null

  /** What ails the RPCs once no majority of them is well; fatal only if a majority says that very thing. */
  const failureOfRpcs = (): Error | null => {
    const failing = views.flatMap((view) => failureOf(view) ?? [])
    if (views.length - failing.length >= majority) return null
    return (
      commonFailure(failing, majority, isFatal) ??
      new InconsistentRpcError(
        'too few RPCs are of one mind',
        failing.map(({ message }) => message),
      )
    )
  }

  /** Whether a majority's heads are on the held chain. */
  const isLevel = (): boolean => {
    const held = chain
    if (held === null || catchingUp !== null) return false
    return (
      views.filter((view) => {
        const head = view.head()
        return head !== null && isOn(held, head)
      }).length >= majority
    )
  }

  const begin = async (): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      try {
        await serial(async () => {
          const stored = await sink.load()
          const linked = linkedEnd(stored)
          // A crash may have come between the last range of a back-fill and its grant point.
          if (linked !== null && linked.length < stored.length)
            await sink.advanceGrantPoint(grantPointOf(linked))
          chain = linked
        })
        return
      } catch (error) {
        failure = error as Error
        log.warn({ error, attempt }, 'the cursor cannot be read, trying again')
        await new Promise<void>((resolve) => {
          cancelRetry = schedule(backoff(attempt, 100, 5_000, random()), resolve)
          changed = resolve
        })
        if (stopped) throw new FollowerStoppedError()
      }
    }
  }

  return {
    async start() {
      await begin()
      views = pool.rpcs.map((rpc) => {
        const view: RpcView = createRpcView({
          rpc,
          reader: reader(rpc),
          held: () => chain,
          limit() {
            const top = target()
            return top === null ? null : top + step
          },
          catchUp,
          again: (ms) => sources.get(rpc)?.again(ms),
          onBlock: (block) => sightings.tell(block, rpc),
          onChange() {
            settle()
            void followTag(view)
          },
          random,
          log,
        })
        return view
      })
      for (const view of views) {
        const source = createHeadSource(view.rpc, {
          pollInterval,
          clock,
          schedule,
          log,
          announce: (announcement) => announce(view, announcement),
          onFailure: () => changed(),
        })
        sources.set(view.rpc, source)
      }
      await new Promise<void>((resolve, reject) => {
        changed = () => {
          const unwell = failureOfRpcs()
          if (stopped) reject(new FollowerStoppedError())
          else if (isFatal(unwell)) reject(unwell)
          else if (failure === null && isLevel()) resolve()
        }
        changed()
      })
      changed = () => {}
    },
    async stop() {
      stopped = true
      cancelRetry()
      changed()
      sightings.stop()
      for (const view of views) view.stop()
      for (const source of sources.values()) source.stop()
      pool.close()
      await serial(async () => {})
    },
    failure: () => failureOfRpcs() ?? failure,
    status: () => ({
      rpcs: views.map((view) => ({
        rpc: rpcLabel(view.rpc.url),
        head: view.head()?.number ?? null,
        failure: failureOf(view),
      })),
      majority,
      forkedBelowGrantPoint: failureOfRpcs() instanceof GrantPointForkedError,
    }),
  }
}

const isFatal = (error: unknown): boolean =>
  error instanceof GrantPointForkedError ||
  error instanceof NoGrantPointError ||
  error instanceof WrongChainError

/** No block, or an error about the tag, does not change by waiting; a rate limit does. */
function tagFailure(tag: string, error: unknown): Error {
  const unknown =
    error instanceof RpcResponseError
      ? /not found|unknown|invalid|unsupported/i.test(error.details)
      : error instanceof InconsistentRpcError && error.value === null
  return unknown ? new NoGrantPointError(tag, error) : (error as Error)
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
 * The highest header of the chain that is also on the chain that the reader sees, up to `top`, found by halving.
 * @throws {GrantPointForkedError}
 */
async function lastCommon(held: HeaderChain, top: number, reader: BlockReader): Promise<ChainBlockHeader> {
  const grantPoint = grantPointOf(held)
  const isCommon = async (header: ChainBlockHeader) =>
    (await reader.byNumber(header.number)).hash === header.hash
  const highest = headerAt(held, Math.min(top, tipOf(held).number)) as ChainBlockHeader
  if (await isCommon(highest)) return tipOf(held)
  const onChain = await reader.byNumber(grantPoint.number)
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
