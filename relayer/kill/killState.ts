import type { Hex } from '../../protocol/hex.ts'
import { type AgentIdentity, coveringTargets, isKilled } from '../../protocol/liveness.ts'
import { type MutableRegistry, stateIn } from '../../protocol/registry.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { type Target, targetKey } from '../../protocol/scope.ts'
import type { ChainBlock } from './chainPort.ts'
import { isOpen, type KillRecord } from './record.ts'

export type RowEntry = { readonly row: RevocationRow; readonly finalAt: number | null }

/** What the kill road keeps at hand; everything in it is also in the journal. */
export type KillState = {
  /** The contract's state at the grant point. */
  readonly registry: MutableRegistry
  /** Blocks from the grant point (first) to the last one taken. */
  blocks: ChainBlock[]
  readonly kills: Map<string, KillRecord>
  readonly byDigest: Map<Hex, string>
  /** Digest that took each `authority:nonce` here. */
  readonly nonces: Map<string, Hex>
  /** Open kills by `targetKey`: the origins of a provisional row. */
  readonly origins: Map<string, Set<string>>
  readonly rows: Map<string, RowEntry>
}

export function createKillState(
  registry: MutableRegistry,
  blocks: readonly ChainBlock[],
  kills: readonly KillRecord[],
  rows: readonly RowEntry[],
): KillState {
  const state: KillState = {
    registry,
    blocks: [...blocks],
    kills: new Map(),
    byDigest: new Map(),
    nonces: new Map(),
    origins: new Map(),
    rows: new Map(rows.map((entry) => [targetKey(entry.row), entry])),
  }
  for (const kill of kills) putKill(state, kill)
  return state
}

export function putKill(state: KillState, kill: KillRecord): void {
  state.kills.set(kill.id, kill)
  if (kill.digest !== null) state.byDigest.set(kill.digest, kill.id)
  if (kill.order !== null) {
    state.nonces.set(`${kill.authority}:${kill.order.message.nonce}`, kill.order.digest)
  }
  const key = targetKey(kill)
  const origins = state.origins.get(key) ?? new Set()
  if (isOpen(kill)) origins.add(kill.id)
  else origins.delete(kill.id)
  if (origins.size > 0) state.origins.set(key, origins)
  else state.origins.delete(key)
}

/** Kills that are not settled: the origins of provisional rows. */
export function openKills(state: KillState): readonly KillRecord[] {
  const open: KillRecord[] = []
  for (const ids of state.origins.values()) for (const id of ids) open.push(state.kills.get(id) as KillRecord)
  return open
}

/** How many of the latest settled kills stay at hand; older ones are read from the store. */
export const settledAtHand = 1_000

/**
 * Forgets settled kills beyond the latest, but none whose order could still be repeated.
 * @param now ms
 * @returns their ids
 */
export function forgetSettledKills(state: KillState, now: number): readonly string[] {
  const forgotten: string[] = []
  // In order of their numbers, oldest first.
  for (const kill of state.kills.values()) {
    if (state.kills.size <= settledAtHand) break
    if (isOpen(kill) || (kill.order !== null && Number(kill.order.message.deadline) * 1000 >= now)) continue
    state.kills.delete(kill.id)
    if (kill.digest !== null && state.byDigest.get(kill.digest) === kill.id)
      state.byDigest.delete(kill.digest)
    if (kill.order !== null) state.nonces.delete(`${kill.authority}:${kill.order.message.nonce}`)
    forgotten.push(kill.id)
  }
  return forgotten
}

/** The subject's row as its open kills and `finalSequence` make it. */
export function rowAfter(state: KillState, kill: KillRecord, finalSequence: number): RevocationRow {
  const { scope, subject } = kill
  return {
    scope,
    subject,
    provisional: state.origins.has(targetKey(kill)),
    finalSequence: Math.max(finalSequence, state.rows.get(targetKey(kill))?.row.finalSequence ?? 0),
    rank: kill.rank,
    reason: kill.reason,
    text: kill.text,
    killId: kill.id,
  }
}

/** Whether the agent may hold an SVID: neither finally nor provisionally killed. */
export const mayHoldSvid = (state: KillState, agent: AgentIdentity): boolean =>
  !isKilled(agent, stateIn(state.registry)) &&
  !coveringTargets(agent).some((target: Target) => state.origins.has(targetKey(target)))
