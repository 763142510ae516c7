import type { ChainView } from '../../protocol/feed/message.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { AgentIdentity } from '../../protocol/liveness.ts'
import type { Registry } from '../../protocol/registry.ts'
import type { RevocationLookup, RevocationRow } from '../../protocol/revocation.ts'
import { scopeName, subjectLabel, type Target, targetKey } from '../../protocol/scope.ts'
import type { AuditFields } from '../audit/entry.ts'
import { type BlockRoadOptions, createBlockRoad } from './blockRoad.ts'
import type { ChainSink, SignedOrder } from './chainPort.ts'
import { createDecisions, type DecisionOptions, type Sent } from './decisions.ts'
import { JournalFailedError, type Notes } from './journalPort.ts'
import { forgetSettledKills, mayHoldSvid } from './killState.ts'
import { createOrderRoad, type OrderRoadOptions } from './orderRoad.ts'
import { isOpen, type KillRecord, type Rebroadcast } from './record.ts'

export type KillExecutor = ChainSink & {
  /**
   * Takes a signed order: verify → journal → publish. The identical order is answered with its earlier kill.
   * @throws {InvalidOrderError}, {OrderRefusedError}: nothing changed.
   * @throws {JournalFailedError}: enforced and published, but not durable.
   */
  takeOrder(signed: SignedOrder): Promise<KillRecord>
  /** Notes how sending an order went; several at once share a commit. */
  noteSent(killId: string, how: Sent): Promise<void>
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

/** Rows dropped at once, of as many messages: kills wait for no more, and subscribers can read along. */
const maxDropped = 250

/** The one road of every kill and resume (DESIGN, sections 1 and 4). */
export function createKillExecutor(
  options: DecisionOptions &
    OrderRoadOptions &
    BlockRoadOptions & {
      /** Longest life of any SVID of this deployment plus clock skew, in ms. */
      readonly svidHorizon: number
      /** Told of an order that was refused, and why; must not throw. */
      readonly onRefused?: (order: SignedOrder, error: Error) => void
      /** Told of a kill that is no longer at hand; must not throw. */
      readonly onForgotten?: (killId: string) => void
    },
): KillExecutor {
  const { state, clock, svidHorizon } = options
  const decisions = createDecisions(options)
  const { serial, put, decide, note, noteReported, noteSent, auditOf } = decisions
  const takeOrder = createOrderRoad(options, decisions)

  return {
    ...createBlockRoad(options, decisions),

    takeOrder: (signed) =>
      takeOrder(signed).catch((error: Error) => {
        if (!(error instanceof JournalFailedError)) options.onRefused?.(signed, error)
        throw error
      }),

    noteSent,

    noteTransaction: (killId, noted) =>
      serial(async () => {
        const kill = state.kills.get(killId)
        if (kill === undefined || !isOpen(kill)) return
        const changed = put({ ...kill, ...noted })
        const audit =
          'rawTx' in noted ? [] : [auditOf('kill re-broadcast', changed, { ...noted.rebroadcast })]
        await decide({ kills: [changed], audit })
      }),

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
    noteReported,

    registry: state.registry,
    kill: (id) => state.kills.get(id),
    kills: () => [...state.kills.values()].reverse(),
    rows: () => [...state.rows.values()].map(({ row }) => row),
    table: { get: (key) => state.rows.get(key)?.row },
    mayHoldSvid: (agent) => mayHoldSvid(state, agent),
    origins: (target) =>
      [...(state.origins.get(targetKey(target)) ?? [])].map((id) => state.kills.get(id) as KillRecord),
  }
}
