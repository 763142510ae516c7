import type { BlockMark, ChainView } from '../../protocol/feed/message.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { AgentIdentity } from '../../protocol/liveness.ts'
import { checkOrder, type KillOrder } from '../../protocol/order.ts'
import { Rank, rankName } from '../../protocol/rank.ts'
import { applyRegistryEvent, type Registry, type RegistryEvent } from '../../protocol/registry.ts'
import type { RevocationLookup, RevocationRow } from '../../protocol/revocation.ts'
import { scopeName, subjectLabel, type Target, targetKey } from '../../protocol/scope.ts'
import type { AuditFields } from '../audit/entry.ts'
import type { Clock } from '../clock.ts'
import type { Announcement, LastMessage, SignedMessage } from '../feed/position.ts'
import type { PolicyReference } from '../policy/policyReference.ts'
import { createSerial } from '../serial.ts'
import type { ChainBlock, ChainBlockHeader, ChainEvent, ChainSink, SignedOrder } from './chainPort.ts'
import { checkAuthority } from './checkAuthority.ts'
import { createGroupCommit } from './groupCommit.ts'
import { type Changes, type Journal, JournalFailedError, type Notes } from './journalPort.ts'
import {
  forgetSettledKills,
  type KillState,
  mayHoldSvid,
  openKills,
  putKill,
  type RowEntry,
  rowAfter,
} from './killState.ts'
import { OrderRefusedError } from './orderRefused.ts'
import {
  isOpen,
  type KillRecord,
  type Moment,
  type Rebroadcast,
  type StoredOrder,
  txHashOf,
  type WithdrawalReason,
} from './record.ts'
import { withdrawalOf } from './withdrawal.ts'

export type KillExecutor = ChainSink & {
  /**
   * Takes a signed order: verify → journal → publish. The identical order is answered with its earlier kill.
   * @throws {InvalidOrderError}, {OrderRefusedError}: nothing changed.
   * @throws {JournalFailedError}: enforced and published, but not durable.
   */
  takeOrder(signed: SignedOrder): Promise<KillRecord>
  /** Notes how sending an order went; several at once share a commit. */
  noteSent(killId: string, sent: { readonly txHash: Hex } | { readonly error: string }): Promise<void>
  /** Notes the transaction that brought a kill, or how sending it again went after a reorg. */
  noteTransaction(
    killId: string,
    noted: { readonly rawTx: Hex } | { readonly rebroadcast: Rebroadcast },
  ): Promise<void>
  /** Announces as dropped the rows that no valid SVID can be older than, and forgets kills that only the store need know. */
  tidy(): Promise<void>
  /** Notes durably what other parts decided (issue, renewal, confirmation, access); several at once share a commit. */
  note(notes: Notes): Promise<void>
  /** Notes what enforcement points report, behind all other notes. */
  noteReported(audit: readonly AuditFields[]): Promise<void>
  readonly registry: Registry
  /** A kill that is at hand: an open one, one whose order could still be repeated, or one of the latest. */
  kill(id: string): KillRecord | undefined
  /** Those at hand, newest first. */
  kills(): readonly KillRecord[]
  rows(): readonly RevocationRow[]
  readonly table: RevocationLookup
  mayHoldSvid(agent: AgentIdentity): boolean
  /** Open kills of a target: the origins of its provisional row. */
  origins(target: Target): readonly KillRecord[]
  chainView(): ChainView
}

/** Audit entries of one commit of notes: a kill waits for at most one such commit. */
const maxNotes = 250

/** Rows dropped at once, of as many messages: kills wait for no more, and subscribers can read along. */
const maxDropped = 250

/** Open orders of one authority for one subject. Each beyond changes nothing, and would cost memory and a write. */
const maxOpenOrders = 16

/** The one road of every kill and resume (DESIGN, sections 1 and 4). */
export function createKillExecutor(options: {
  readonly state: KillState
  readonly journal: Journal
  readonly epoch: string
  readonly lastMessage: LastMessage
  readonly verifySignature: (authority: Hex, digest: Hex, signature: Hex) => Promise<boolean>
  readonly clock: Clock
  readonly newId: () => string
  /** Longest life of any SVID of this deployment plus clock skew, in ms. */
  readonly svidHorizon: number
  /** How long without a new head until the relayer calls itself blind, in ms. */
  readonly maxBlind: number
  /** Hands signed messages to the feed; must not throw. */
  readonly publish: (messages: readonly SignedMessage[]) => void
  /** Told of every change of a kill; must not throw. */
  readonly onKill?: (kill: KillRecord) => void
  /** Told of each new order, to put it on chain. */
  readonly onOrder?: (kill: KillRecord) => void
  /** Told of an order that was refused, and why; must not throw. */
  readonly onRefused?: (order: SignedOrder, error: Error) => void
  /** Whether a kill may come within moments: what is not urgent is not begun then. */
  readonly isKillExpected?: () => boolean
  /** The kill policy in force for a subject, for the entry of a kill: at once, and without throwing. */
  readonly policyOf?: (target: Target) => PolicyReference | null
  /** Told of a kill that is no longer at hand; must not throw. */
  readonly onForgotten?: (killId: string) => void
  /** Whether a kill by that order, or by that transaction, is final or withdrawn: of those that are no longer at hand. */
  readonly isSettled?: (by: { readonly digest: Hex } | { readonly txHash: Hex }) => Promise<boolean>
}): KillExecutor {
  const { state, journal, epoch, verifySignature, clock, newId, svidHorizon, maxBlind, publish } = options
  const isSettled = options.isSettled ?? (async () => false)
  const serial = createSerial(options.isKillExpected)
  let messages = options.lastMessage.number
  /** Kills that were published and that the store has not taken yet. */
  const unwritten = new Set<string>()
  let lastHead: { readonly block: BlockMark; readonly at: Moment } | null = null

  const moment = (): Moment => ({ at: clock.wall(), monotonic: clock.monotonic() })

  /** Kills that changed while nobody is told; null when everybody is told at once. */
  let untold: Set<string> | null = null

  const put = (kill: KillRecord): KillRecord => {
    putKill(state, kill)
    if (untold === null) options.onKill?.(kill)
    else untold.add(kill.id)
    return kill
  }

  /** Does something that changes kills several times. @returns the ids of those that it changed */
  const quietly = async (task: () => Promise<void>): Promise<ReadonlySet<string>> => {
    const changed = new Set<string>()
    untold = changed
    try {
      await task()
    } finally {
      untold = null
    }
    return changed
  }

  /** Journal, then publish; a failed journal holds up no kill. */
  const decide = async (changes: Changes): Promise<Moment> => {
    for (const entry of changes.rows ?? []) state.rows.set(targetKey(entry.row), entry)
    for (const target of changes.droppedRows ?? []) state.rows.delete(targetKey(target))
    messages += changes.announcements?.length ?? 0
    try {
      const signed = await journal.commit(changes)
      const durable = moment()
      publish(signed)
      stampWritten(durable)
      return durable
    } catch (error) {
      if (error instanceof JournalFailedError) publish(error.messages)
      throw error
    }
  }

  type Sent = { readonly txHash: Hex } | { readonly error: string }
  type Noted = Notes & {
    readonly killIds?: readonly string[]
    readonly sent?: { readonly killId: string; readonly how: Sent }
  }
  const notes = {
    serial,
    weigh: ({ audit, killIds, sent }: Noted) =>
      1 + (audit?.length ?? 0) + (killIds?.length ?? 0) + (sent === undefined ? 0 : 2),
    maxWeight: maxNotes,
    commit: async (all: readonly Noted[]) => {
      const sent = all.flatMap((one) =>
        one.sent === undefined ? [] : putSent(one.sent.killId, one.sent.how),
      )
      const killIds = new Set([
        ...all.flatMap((one) => one.killIds ?? []),
        ...sent.map(({ killId }) => killId),
      ])
      await decide({
        audit: [...all.flatMap((one) => one.audit ?? []), ...sent.map(({ audit }) => audit)],
        svids: all.flatMap((one) => one.svids ?? []),
        workloads: all.flatMap((one) => one.workloads ?? []),
        points: all.flatMap((one) => one.points ?? []),
        kills: [...killIds].flatMap((id) => state.kills.get(id) ?? []),
      })
    },
  }
  const note = createGroupCommit<Noted>(notes)
  /** Reports come by the thousand: confirmations and SVIDs, which others wait for, do not queue behind them. */
  const noteReported = createGroupCommit<Noted>(notes)

  /** How sending an order went, on its kill; nothing for one that is no longer at hand. */
  function putSent(
    killId: string,
    how: Sent,
  ): readonly { readonly killId: string; readonly audit: AuditFields }[] {
    const kill = state.kills.get(killId)
    if (kill === undefined) return []
    const changed = put(
      'txHash' in how ? { ...kill, sentTx: how.txHash, sendError: null } : { ...kill, sendError: how.error },
    )
    return [
      { killId, audit: auditOf('txHash' in how ? 'order sent' : 'order not sent', changed, { ...how }) },
    ]
  }

  /**
   * What the chain says stands although the store did not take it: the journal keeps it and writes it first, and the
   * follower goes on. Held up, it would see no further kill; a crash has it handed in again from the stored cursor.
   */
  const keptInMemory = (error: unknown): void => {
    if (!(error instanceof JournalFailedError)) throw error
  }

  /** What was published while the store failed is written with the first success after it. */
  const stampWritten = (durable: Moment): void => {
    if (unwritten.size === 0) return
    const killIds = [...unwritten]
    unwritten.clear()
    for (const id of killIds) {
      const kill = state.kills.get(id)
      if (kill !== undefined && kill.durable === null) put({ ...kill, durable })
    }
    note({ killIds }).catch(() => undefined)
  }

  /** Decides on new kills and notes when each became durable and was published. */
  const decideKills = async (fresh: readonly KillRecord[], changes: Changes): Promise<void> => {
    const stamp = (durable: Moment | null) => {
      const published = moment()
      for (const { id } of fresh) put({ ...(state.kills.get(id) as KillRecord), durable, published })
      // The times themselves are written afterwards; nobody waits for them, and the next write of the kill has them too.
      if (fresh.length > 0) note({ killIds: fresh.map(({ id }) => id) }).catch(() => undefined)
    }
    try {
      stamp(await decide(changes))
    } catch (error) {
      for (const { id } of fresh) unwritten.add(id)
      stamp(null)
      throw error
    }
  }

  /** The kill is the decision; what becomes of it follows from it. */
  const policyIn = (action: string, kill: KillRecord): Pick<AuditFields, 'policy'> => {
    const policy = action === 'kill' ? options.policyOf?.(kill) : null
    return policy == null ? {} : { policy }
  }

  const auditOf = (action: string, kill: KillRecord, extra: AuditFields['detail'] = {}): AuditFields => ({
    action,
    actor: kill.authority,
    spiffeId: null,
    time: Math.round(clock.wall()),
    detail: {
      killId: kill.id,
      scope: scopeName(kill.scope),
      subject: subjectLabel(kill),
      rank: kill.rank,
      reason: kill.reason,
      text: kill.text,
      ...extra,
    },
    ...policyIn(action, kill),
  })

  const newKill = (
    fields: Pick<
      KillRecord,
      | 'scope'
      | 'subject'
      | 'authority'
      | 'rank'
      | 'reason'
      | 'text'
      | 'digest'
      | 'order'
      | 'seen'
      | 'landing'
      | 'onChain'
    >,
    ahead: number,
  ): KillRecord => ({
    ...fields,
    id: newId(),
    feed: { epoch, number: messages + ahead },
    durable: null,
    published: null,
    sentTx: null,
    sendError: null,
    orphaned: null,
    final: null,
    withdrawn: null,
  })

  const rowEntry = (kill: KillRecord, finalSequence = 0): RowEntry => {
    const row = rowAfter(state, kill, finalSequence)
    return { row, finalAt: row.provisional ? null : Math.round(clock.wall()) }
  }

  /** A kill seen in a block: a new one, or the landing of one that is known. Returns what is to be announced. */
  const takeKill = (
    block: ChainBlock,
    { logIndex, txHash, event }: ChainEvent & { event: RegistryEvent & { type: 'Killed' } },
    ahead: number,
  ) => {
    const landing = {
      blockNumber: block.number,
      blockHash: block.hash,
      logIndex,
      txHash,
      sequence: event.sequence,
    }
    const twin =
      event.orderDigest === null ? undefined : state.kills.get(state.byDigest.get(event.orderDigest) ?? '')
    // A withdrawn kill that lands after all is a new one: its row was given up.
    const known = twin !== undefined && isOpen(twin) ? twin : orphanOf(event, txHash)
    if (known !== undefined)
      return {
        kill: put({ ...known, landing, onChain: known.onChain ?? moment(), orphaned: null }),
        isNew: false,
      }
    const { scope, subject, authority, rank, reason, text } = event
    const seen = {
      at: clock.wall() - (clock.monotonic() - block.seenMonotonic),
      monotonic: block.seenMonotonic,
    }
    return {
      kill: put(
        newKill(
          {
            scope,
            subject,
            authority,
            rank,
            reason,
            text,
            digest: event.orderDigest,
            order: null,
            seen,
            landing,
            onChain: seen,
          },
          ahead,
        ),
      ),
      isNew: true,
    }
  }

  /** A kill in a block that is not held: it stands as if that block had been dropped. Null if nothing changes. */
  const sightKill = (
    block: ChainBlock,
    seen: ChainEvent & { event: RegistryEvent & { type: 'Killed' } },
    ahead: number,
  ) => {
    const { event, txHash } = seen
    const twin =
      event.orderDigest === null ? undefined : state.kills.get(state.byDigest.get(event.orderDigest) ?? '')
    if (twin !== undefined && isOpen(twin)) return null
    const known = originOf(event, txHash)
    if (known !== undefined) {
      // Its height stays: an RPC that showed it ever higher would keep it from being withdrawn. What the store did not
      // take the first time is handed in again.
      return known.durable === null ? { kill: known, isNew: false } : null
    }
    const { kill } = takeKill(block, seen, ahead)
    return {
      kill: put({ ...kill, landing: null, orphaned: { height: block.number, txHash, at: clock.wall() } }),
      isNew: true,
    }
  }

  /**
   * A transaction and an order land once: one whose kill is final is a replay in another block. One whose kill was
   * withdrawn had its time; should it land after all, a majority will say so.
   */
  const isReplay = async (event: RegistryEvent & { type: 'Killed' }, txHash: Hex): Promise<boolean> => {
    const digest = event.orderDigest
    if (digest !== null && state.registry.landedOrders.has(digest)) return true
    for (const kill of state.kills.values()) {
      if (isOpen(kill)) continue
      if (digest === null ? txHashOf(kill) === txHash : kill.digest === digest) return true
    }
    // A store that cannot be read holds up no kill.
    return isSettled(digest === null ? { txHash } : { digest }).catch(() => false)
  }

  /**
   * The earlier record of an identical order, once it is durable. One that was first seen in a block becomes the order's
   * too, if its signature was checked: whoever brings it is promised that only a burn undoes it, also after a reorg.
   */
  const answerAgain = async (id: string, checked: SignedOrder | null): Promise<KillRecord> => {
    const kill = state.kills.get(id) as KillRecord
    if (checked !== null && kill.order === null && isOpen(kill)) {
      put({ ...kill, order: storedOrderOf(checked), durable: null })
      options.onOrder?.(state.kills.get(id) as KillRecord)
    }
    const again = state.kills.get(id) as KillRecord
    if (again.durable !== null) return again
    const durable = await decide({ kills: [again] })
    return put({ ...again, durable: kill.durable ?? durable, published: kill.published ?? durable })
  }

  const orphanOf = (event: RegistryEvent & { type: 'Killed' }, txHash: Hex): KillRecord | undefined => {
    const kill = originOf(event, txHash)
    return kill?.orphaned === null ? undefined : kill
  }

  /** An open kill of the event's target that came by this transaction. */
  const originOf = (event: RegistryEvent & { type: 'Killed' }, txHash: Hex): KillRecord | undefined => {
    let landed: KillRecord | undefined
    for (const id of state.origins.get(targetKey(event)) ?? []) {
      const kill = state.kills.get(id) as KillRecord
      if (kill.orphaned?.txHash === txHash) return kill
      if (kill.landing?.txHash === txHash) landed = kill
    }
    return landed
  }

  /** The kill that an identical order made. One that was withdrawn is over: the order is judged anew. */
  const twinOf = (digest: Hex): string | undefined => {
    const id = state.byDigest.get(digest)
    return id !== undefined && state.kills.get(id)?.withdrawn === null ? id : undefined
  }

  /** The latest of an authority's open orders for a subject, where there are so many that another changes nothing. */
  const standingOrder = (order: KillOrder): string | undefined => {
    const own = [...(state.origins.get(targetKey(order)) ?? [])].filter((id) => {
      const kill = state.kills.get(id) as KillRecord
      return kill.order !== null && kill.landing === null && kill.authority === order.authority
    })
    return own.length < maxOpenOrders ? undefined : own.at(-1)
  }

  const takeOrder = async (signed: SignedOrder): Promise<KillRecord> => {
    const seen = moment()
    const { order, signature, digest } = signed
    const earlier = twinOf(digest)
    if (earlier !== undefined) {
      const isNews =
        state.kills.get(earlier)?.order === null && isOpen(state.kills.get(earlier) as KillRecord)
      const checked = isNews && (await verifySignature(order.authority, digest, signature)) ? signed : null
      return serial(() => answerAgain(earlier, checked), 'urgent')
    }
    const now = Math.floor(clock.wall() / 1000)
    checkOrder(order, BigInt(now))
    const nonceKey = `${order.authority}:${order.nonce}`
    checkAuthority(state.registry, order, digest, state.nonces.get(nonceKey), now)
    if (!(await verifySignature(order.authority, digest, signature))) {
      throw new OrderRefusedError(
        'bad signature',
        'signature',
        signature.slice(0, 140),
        `not a signature of ${order.authority} over ${digest}; sign the order for this chain and contract`,
      )
    }
    return serial(async () => {
      // Again: the chain, or another request, may have moved while the signature was checked.
      const twin = twinOf(digest)
      if (twin !== undefined) return answerAgain(twin, signed)
      const rank = checkAuthority(state.registry, order, digest, state.nonces.get(nonceKey), now)
      const { authority, scope, subject, reason, text } = order
      const standing = standingOrder(order)
      if (standing !== undefined) return answerAgain(standing, null)
      const kill = put(
        newKill(
          {
            authority,
            scope,
            subject,
            reason,
            text,
            rank,
            digest,
            order: storedOrderOf(signed),
            seen,
            landing: null,
            onChain: null,
          },
          1,
        ),
      )
      const entry = rowEntry(kill)
      const changes = {
        kills: [kill],
        rows: [entry],
        announcements: [{ type: 'kill', row: entry.row }],
        audit: [auditOf('kill', kill, { origin: 'order', digest })],
      } as const
      try {
        await decideKills([kill], changes)
      } finally {
        options.onOrder?.(state.kills.get(kill.id) as KillRecord)
      }
      return state.kills.get(kill.id) as KillRecord
    }, 'urgent')
  }

  /** What blocks change, applied to the state; those that are held already change nothing. */
  const collectTaken = (blocks: readonly ChainBlock[]) => {
    const kills = new Map<string, KillRecord>()
    const rows: RowEntry[] = []
    const announcements: Announcement[] = []
    const audit: AuditFields[] = []
    const fresh: KillRecord[] = []
    // Handed in again, as after an error in between, it is known.
    const held = new Set(state.blocks.map((block) => block.hash))
    const news = blocks.filter((block) => !held.has(block.hash))
    for (const block of news) {
      for (const seen of block.events) {
        if (seen.event.type !== 'Killed') continue
        const { kill, isNew } = takeKill(block, { ...seen, event: seen.event }, announcements.length + 1)
        kills.set(kill.id, kill)
        audit.push(
          auditOf(isNew ? 'kill' : kill.order === null ? 'kill landed' : 'order landed', kill, {
            origin: 'block',
            blockHash: block.hash,
            txHash: seen.txHash,
          }),
        )
        if (!isNew) continue
        fresh.push(kill)
        const entry = rowEntry(kill)
        rows.push(entry)
        announcements.push({ type: 'kill', row: entry.row })
      }
    }
    state.blocks.push(...news)
    return { kills, rows, announcements, audit, fresh, blocks: news }
  }

  /** What a new grant point changes, applied to the state. */
  const collectGranted = (grantPoint: ChainBlockHeader) => {
    const kills = new Map<string, KillRecord>()
    const rows: RowEntry[] = []
    const announcements: Announcement[] = []
    const audit: AuditFields[] = []
    const settle = (kill: KillRecord, sequence: number, because: WithdrawalReason | null) => {
      const type = because === null ? 'final' : 'withdrawn'
      // What is settled is not sent again.
      const { rawTx: _, ...rest } = kill
      const settled = put({
        ...rest,
        [type]: moment(),
        ...(because === null ? {} : { withdrawnBecause: because }),
      })
      const entry = rowEntry(settled, sequence)
      state.rows.set(targetKey(settled), entry)
      kills.set(settled.id, settled)
      rows.push(entry)
      announcements.push({ type, row: entry.row })
      const detail =
        because === null
          ? {
              sequence,
              blockHash: settled.landing?.blockHash ?? null,
              txHash: settled.landing?.txHash ?? null,
            }
          : { because }
      audit.push(auditOf(`kill ${type}`, settled, detail))
    }
    for (const block of state.blocks) {
      if (block.number > grantPoint.number) break
      for (const { event, txHash, logIndex } of block.events) {
        applyRegistryEvent(state.registry, event, block.time)
        if (event.type === 'Killed') {
          const kill = landedIn(block.hash, logIndex, event)
          if (kill !== undefined) settle(kill, event.sequence, null)
        }
        if (event.type === 'Resumed' || event.type === 'RankLowered') {
          const isResume = event.type === 'Resumed'
          const row = isResume ? state.rows.get(targetKey(event))?.row : undefined
          if (row !== undefined) announcements.push({ type: 'resumed', row })
          audit.push({
            action: isResume ? 'resume' : 'rank lowered',
            actor: event.authority,
            spiffeId: null,
            time: Math.round(clock.wall()),
            detail: {
              scope: scopeName(event.scope),
              subject: subjectLabel(event),
              ...(isResume ? { sequence: event.sequence } : { rank: rankName(Rank.Owner) }),
              txHash,
            },
          })
        }
      }
    }
    for (const kill of openKills(state)) {
      const because = withdrawalOf(kill, state.registry, grantPoint)
      if (because !== null) settle(kill, 0, because)
    }
    // Events at or below the grant point are in the registry now; the header itself stays as the chain's anchor.
    state.blocks = state.blocks
      .filter((block) => block.number >= grantPoint.number)
      .map((block) => (block.number === grantPoint.number ? { ...block, events: [] } : block))
    return { kills, rows, announcements, audit }
  }

  return {
    takeOrder: (signed) =>
      takeOrder(signed).catch((error: Error) => {
        if (!(error instanceof JournalFailedError)) options.onRefused?.(signed, error)
        throw error
      }),

    noteSent: (killId, how) => note({ sent: { killId, how } }),

    noteTransaction: (killId, noted) =>
      serial(async () => {
        const kill = state.kills.get(killId)
        if (kill === undefined || !isOpen(kill)) return
        const changed = put({ ...kill, ...noted })
        const audit =
          'rawTx' in noted ? [] : [auditOf('kill re-broadcast', changed, { ...noted.rebroadcast })]
        await decide({ kills: [changed], audit })
      }),

    load: async () => state.blocks,

    noteHead(block) {
      lastHead = { block: markOf(block), at: moment() }
    },

    takeBlocks: (blocks) =>
      serial(async () => {
        const { fresh, kills, ...changes } = collectTaken(blocks)
        await decideKills(fresh, { ...changes, kills: [...kills.values()] })
      }, 'urgent').catch(keptInMemory),

    takeFinal: (blocks) =>
      serial(async () => {
        const last = blocks.at(-1)
        if (last === undefined) return
        const changed = await quietly(async () => {
          const taken = collectTaken(blocks)
          const granted = collectGranted(last)
          const announcements = lastOfEachSubject([...taken.announcements, ...granted.announcements])
          // One number for all of them, that of the last message: by then each one's subject was announced.
          const feed = { epoch, number: messages + announcements.length }
          const fresh = new Set(taken.fresh.map(({ id }) => id))
          const kills = [...new Map([...taken.kills, ...granted.kills]).values()].map((kill) =>
            fresh.has(kill.id) ? put({ ...kill, feed }) : kill,
          )
          const durable = await decide({
            kills,
            rows: lastOfEachSubject(granted.rows),
            announcements,
            audit: [...taken.audit.filter(({ action }) => action !== 'kill'), ...granted.audit],
            blocks: taken.blocks,
            grantPoint: last,
          })
          // Not written again: that it is in the store says the same.
          for (const id of fresh)
            put({ ...(state.kills.get(id) as KillRecord), durable, published: moment() })
        })
        for (const id of changed) {
          const kill = state.kills.get(id)
          if (kill !== undefined) options.onKill?.(kill)
        }
      }, 'urgent').catch(keptInMemory),

    takeKills: (block) =>
      serial(async () => {
        const kills = new Map<string, KillRecord>()
        const rows: RowEntry[] = []
        const announcements: Announcement[] = []
        const audit: AuditFields[] = []
        const fresh: KillRecord[] = []
        for (const seen of block.events) {
          const { event, txHash } = seen
          if (event.type !== 'Killed' || (await isReplay(event, txHash))) continue
          const sighted = sightKill(block, { ...seen, event }, announcements.length + 1)
          if (sighted === null) continue
          const { kill, isNew } = sighted
          kills.set(kill.id, kill)
          if (!isNew) continue
          fresh.push(kill)
          audit.push(auditOf('kill', kill, { origin: 'sighting', blockHash: block.hash, txHash }))
          const entry = rowEntry(kill)
          rows.push(entry)
          announcements.push({ type: 'kill', row: entry.row })
        }
        if (kills.size === 0) return
        await decideKills(fresh, { kills: [...kills.values()], rows, announcements, audit })
      }, 'urgent'),

    dropBlocks: (dropped) =>
      serial(async () => {
        const hashes = new Set(dropped.map((block) => block.hash))
        const kills: KillRecord[] = []
        for (const kill of openKills(state)) {
          if (kill.landing === null || !hashes.has(kill.landing.blockHash)) continue
          kills.push(
            put({
              ...kill,
              landing: null,
              orphaned: { height: kill.landing.blockNumber, txHash: kill.landing.txHash, at: clock.wall() },
            }),
          )
        }
        state.blocks = state.blocks.filter((block) => !hashes.has(block.hash))
        await decide({
          kills,
          droppedBlocks: dropped,
          audit: kills.map((kill) => auditOf('kill orphaned', kill)),
        })
      }, 'urgent').catch(keptInMemory),

    advanceGrantPoint: (grantPoint) =>
      serial(async () => {
        const { kills, ...changes } = collectGranted(grantPoint)
        await decide({ ...changes, kills: [...kills.values()], grantPoint })
      }, 'urgent').catch(keptInMemory),

    tidy: () =>
      serial(async () => {
        const now = Math.round(clock.wall())
        for (const id of forgetSettledKills(state, now)) options.onForgotten?.(id)
        const dead = [...state.rows.values()]
          .filter(({ finalAt }) => finalAt !== null && finalAt + svidHorizon < now)
          .slice(0, maxDropped)
        if (dead.length === 0) return
        await decide({
          droppedRows: dead.map(({ row }) => row),
          announcements: dead.map(({ row }) => ({ type: 'dropped', row })),
          audit: dead.map(({ row }) => ({
            action: 'row dropped',
            actor: 'relayer',
            spiffeId: null,
            time: now,
            detail: {
              scope: scopeName(row.scope),
              subject: subjectLabel(row),
              finalSequence: row.finalSequence,
              killId: row.killId,
            },
          })),
        })
      }),

    note,
    noteReported: (audit) => noteReported({ audit }),

    registry: state.registry,
    kill: (id) => state.kills.get(id),
    kills: () => [...state.kills.values()].reverse(),
    rows: () => [...state.rows.values()].map(({ row }) => row),
    table: { get: (key) => state.rows.get(key)?.row },
    mayHoldSvid: (agent) => mayHoldSvid(state, agent),
    origins: (target) =>
      [...(state.origins.get(targetKey(target)) ?? [])].map((id) => state.kills.get(id) as KillRecord),

    chainView() {
      const grantPoint = state.blocks[0]
      // By the larger of both: while the machine sleeps, only the wall clock goes on.
      const now = moment()
      const age =
        lastHead === null
          ? Number.POSITIVE_INFINITY
          : Math.max(now.monotonic - lastHead.at.monotonic, now.at - lastHead.at.at)
      const blind = age > maxBlind
      return {
        head: lastHead?.block ?? null,
        grantPoint: grantPoint === undefined ? null : markOf(grantPoint),
        blind,
      }
    },
  }

  function landedIn(
    blockHash: Hex,
    logIndex: number,
    event: RegistryEvent & { type: 'Killed' },
  ): KillRecord | undefined {
    for (const id of state.origins.get(targetKey(event)) ?? []) {
      const kill = state.kills.get(id) as KillRecord
      if (kill.landing?.blockHash === blockHash && kill.landing.logIndex === logIndex) return kill
    }
    return undefined
  }
}

/** The last of each subject, in the order of the subjects' first. */
const lastOfEachSubject = <T extends { readonly row: RevocationRow }>(all: readonly T[]): readonly T[] => [
  ...new Map(all.map((one) => [targetKey(one.row), one])).values(),
]

const storedOrderOf = ({ order, digest, signature }: SignedOrder): StoredOrder => ({
  digest,
  signature,
  message: {
    ...order,
    issuedAt: String(order.issuedAt),
    deadline: String(order.deadline),
    nonce: String(order.nonce),
  },
})

const markOf = ({ number, hash, time }: ChainBlockHeader): BlockMark => ({ number, hash, time })
