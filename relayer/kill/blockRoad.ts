import type { BlockMark, ChainView } from '../../protocol/feed/message.ts'
import type { Hex } from '../../protocol/hex.ts'
import { Rank, rankName } from '../../protocol/rank.ts'
import { applyRegistryEvent, type RegistryEvent } from '../../protocol/registry.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { scopeName, subjectLabel, targetKey } from '../../protocol/scope.ts'
import type { AuditFields } from '../audit/entry.ts'
import type { Clock } from '../clock.ts'
import type { Announcement } from '../feed/position.ts'
import type { ChainBlock, ChainBlockHeader, ChainEvent, ChainSink } from './chainPort.ts'
import type { Decisions } from './decisions.ts'
import { JournalFailedError } from './journalPort.ts'
import { type KillState, openKills, type RowEntry } from './killState.ts'
import { isOpen, type KillRecord, type Moment, txHashOf, type WithdrawalReason } from './record.ts'
import { withdrawalOf } from './withdrawal.ts'

export type BlockRoadOptions = {
  readonly state: KillState
  readonly clock: Clock
  /** How long without a new head until the relayer calls itself blind, in ms. */
  readonly maxBlind: number
  /** Whether a kill by that order, or by that transaction, is final or withdrawn: of those that are no longer at hand. */
  readonly isSettled?: (by: { readonly digest: Hex } | { readonly txHash: Hex }) => Promise<boolean>
}

export type BlockRoad = ChainSink & {
  chainView(): ChainView
}

type KilledEvent = RegistryEvent & { type: 'Killed' }

/** How kills and resumes of the chain's blocks are decided: kills at sight, everything that loosens at the grant point. */
export function createBlockRoad(
  options: BlockRoadOptions,
  { serial, moment, put, quietly, decide, decideKills, auditOf, newKill, rowEntry, positionAfter }: Decisions,
): BlockRoad {
  const { state, clock, maxBlind } = options
  const isSettled = options.isSettled ?? (async () => false)
  let lastHead: { readonly block: BlockMark; readonly at: Moment } | null = null

  /**
   * What the chain says stands although the store did not take it: the journal keeps it and writes it first, and the
   * follower goes on. Held up, it would see no further kill; a crash has it handed in again from the stored cursor.
   */
  const keptInMemory = (error: unknown): void => {
    if (!(error instanceof JournalFailedError)) throw error
  }

  /** A kill seen in a block: a new one, or the landing of one that is known. Returns what is to be announced. */
  const takeKill = (
    block: ChainBlock,
    { logIndex, txHash, event }: ChainEvent & { event: KilledEvent },
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
  const sightKill = (block: ChainBlock, seen: ChainEvent & { event: KilledEvent }, ahead: number) => {
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
  const isReplay = async (event: KilledEvent, txHash: Hex): Promise<boolean> => {
    const digest = event.orderDigest
    if (digest !== null && state.registry.landedOrders.has(digest)) return true
    for (const kill of state.kills.values()) {
      if (isOpen(kill)) continue
      if (digest === null ? txHashOf(kill) === txHash : kill.digest === digest) return true
    }
    // A store that cannot be read holds up no kill.
    return isSettled(digest === null ? { txHash } : { digest }).catch(() => false)
  }

  const orphanOf = (event: KilledEvent, txHash: Hex): KillRecord | undefined => {
    const kill = originOf(event, txHash)
    return kill?.orphaned === null ? undefined : kill
  }

  /** An open kill of the event's target that came by this transaction. */
  const originOf = (event: KilledEvent, txHash: Hex): KillRecord | undefined => {
    let landed: KillRecord | undefined
    for (const id of state.origins.get(targetKey(event)) ?? []) {
      const kill = state.kills.get(id) as KillRecord
      if (kill.orphaned?.txHash === txHash) return kill
      if (kill.landing?.txHash === txHash) landed = kill
    }
    return landed
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
        await quietly(async () => {
          const taken = collectTaken(blocks)
          const granted = collectGranted(last)
          const announcements = lastOfEachSubject([...taken.announcements, ...granted.announcements])
          // One number for all of them, that of the last message: by then each one's subject was announced.
          const feed = positionAfter(announcements.length)
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

  function landedIn(blockHash: Hex, logIndex: number, event: KilledEvent): KillRecord | undefined {
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

const markOf = ({ number, hash, time }: ChainBlockHeader): BlockMark => ({ number, hash, time })
