import type { Hex } from '../../protocol/hex.ts'
import { scopeName, subjectLabel, type Target, targetKey } from '../../protocol/scope.ts'
import type { AuditFields } from '../audit/entry.ts'
import type { Clock } from '../clock.ts'
import type { LastMessage, SignedMessage } from '../feed/position.ts'
import type { Hold } from '../hold.ts'
import type { PolicyReference } from '../policy/policyReference.ts'
import { createSerial, type Serial } from '../serial.ts'
import { createGroupCommit } from './groupCommit.ts'
import { type Changes, type Journal, JournalFailedError, type Notes } from './journalPort.ts'
import { type KillState, putKill, type RowEntry, rowAfter } from './killState.ts'
import type { KillRecord, Moment } from './record.ts'

/** How sending an order went. */
export type Sent = { readonly txHash: Hex } | { readonly error: string }

export type DecisionOptions = {
  readonly state: KillState
  readonly journal: Journal
  readonly epoch: string
  readonly lastMessage: LastMessage
  readonly clock: Clock
  readonly newId: () => string
  /** Hands signed messages to the feed; must not throw. */
  readonly publish: (messages: readonly SignedMessage[]) => void
  /** Told of every change of a kill; must not throw. */
  readonly onKill?: (kill: KillRecord) => void
  /** On while a kill may come within moments: what is not urgent is not begun then. */
  readonly hold?: Hold
  /** The kill policy in force for a subject, for the entry of a kill: at once, and without throwing. */
  readonly policyOf?: (target: Target) => PolicyReference | null
}

/** What a kill is made of when it is first seen. */
export type Sighting = Pick<
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
>

/** What every road of a kill or resume goes through: one after the other, journal, then publish. */
export type Decisions = {
  readonly serial: Serial
  moment(): Moment
  /** Changes a kill in memory, and tells of it. */
  put(kill: KillRecord): KillRecord
  /** Does something that changes kills several times, and tells of each once at its end. */
  quietly(task: () => Promise<void>): Promise<void>
  /** Journals, then publishes; a failed journal holds up no kill. @throws {JournalFailedError} */
  decide(changes: Changes): Promise<Moment>
  /** Decides on new kills and notes when each became durable and was published. @throws {JournalFailedError} */
  decideKills(fresh: readonly KillRecord[], changes: Changes): Promise<void>
  note(notes: Notes): Promise<void>
  noteReported(audit: readonly AuditFields[]): Promise<void>
  noteSent(killId: string, how: Sent): Promise<void>
  auditOf(action: string, kill: KillRecord, extra?: AuditFields['detail']): AuditFields
  /** @param ahead the place of its message among those of the decision, from 1 */
  newKill(fields: Sighting, ahead: number): KillRecord
  rowEntry(kill: KillRecord, finalSequence?: number): RowEntry
  /** The feed's position after so many more messages. */
  positionAfter(count: number): KillRecord['feed']
}

/** Audit entries of one commit of notes: a kill waits for at most one such commit. */
const maxNotes = 250

export function createDecisions(options: DecisionOptions): Decisions {
  const { state, journal, epoch, clock, newId, publish } = options
  const serial = createSerial(options.hold)
  let messages = options.lastMessage.number
  /** Kills that were published and that the store has not taken yet. */
  const unwritten = new Set<string>()

  const moment = (): Moment => ({ at: clock.wall(), monotonic: clock.monotonic() })

  /** Kills that changed while nobody is told; null when everybody is told at once. */
  let untold: Set<string> | null = null

  const put = (kill: KillRecord): KillRecord => {
    putKill(state, kill)
    if (untold === null) options.onKill?.(kill)
    else untold.add(kill.id)
    return kill
  }

  const quietly = async (task: () => Promise<void>): Promise<void> => {
    const changed = new Set<string>()
    untold = changed
    try {
      await task()
    } finally {
      untold = null
    }
    for (const id of changed) {
      const kill = state.kills.get(id)
      if (kill !== undefined) options.onKill?.(kill)
    }
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

  const positionAfter = (count: number) => ({ epoch, number: messages + count })

  const newKill = (fields: Sighting, ahead: number): KillRecord => ({
    ...fields,
    id: newId(),
    feed: positionAfter(ahead),
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

  return {
    serial,
    moment,
    put,
    quietly,
    decide,
    decideKills,
    note,
    noteReported: (audit) => noteReported({ audit }),
    noteSent: (killId, how) => note({ sent: { killId, how } }),
    auditOf,
    newKill,
    rowEntry,
    positionAfter,
  }
}
