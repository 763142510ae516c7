import { randomUUID } from 'node:crypto'
import { Scope, subjectLabel, type Target } from '../../protocol/scope.ts'
import { isReservedType, parseSpiffeId } from '../../protocol/spiffeId.ts'
import { createAccesses } from '../audit/accesses.ts'
import { createRefusals, issuanceRefusal, orderRefusal } from '../audit/refusals.ts'
import type { Clock } from '../clock.ts'
import { createBroadcaster } from '../feed/broadcaster.ts'
import { createEventStream } from '../http/eventStream.ts'
import { createKillWatch } from '../http/killWatch.ts'
import { IssuanceRefusedError } from '../identity/issuanceRefused.ts'
import type { SignedOrder } from '../kill/chainPort.ts'
import { createKillExecutor, type KillExecutor } from '../kill/executor.ts'
import { createExpectation } from '../kill/expectation.ts'
import { createKillState } from '../kill/killState.ts'
import { createEnforcementPoints } from '../kill/points.ts'
import type { KillRecord } from '../kill/record.ts'
import { killView } from '../kill/timeline.ts'
import { emptyMirror, type PolicyMirror } from '../policy/mirror.ts'
import { policyReference } from '../policy/policyReference.ts'
import { isKillSettled } from '../store/history.ts'
import { readPoints } from '../store/points.ts'
import type { NodeOptions } from './options.ts'
import type { NodeState } from './state.ts'

/** ms: the enforcers' maxStaleness (15 s), what a relayer's clock may run ahead of theirs (5 s) and drift, after which a silent one refuses everything. */
const closedAfter = 21_000

export type KillRoad = Awaited<ReturnType<typeof createKillRoad>>

/** The road of every kill, from its decision to its confirmations, and who is told of what happens on it. */
export async function createKillRoad(options: {
  readonly node: NodeOptions
  readonly state: NodeState
  readonly clock: Clock
  readonly verifySignature: Parameters<typeof createKillExecutor>[0]['verifySignature']
  /** The kill policies as they are read; null where none are followed. */
  readonly policies: () => PolicyMirror | null
  /** Told of every change of a kill. */
  readonly onKill: (kill: KillRecord) => void
  /** Told of each new order. */
  readonly onOrder: (kill: KillRecord) => void
}) {
  const { node, state, clock, verifySignature, policies, onKill, onOrder } = options
  const { log } = node
  const { db, feed, history, journal, svidHorizon } = state
  let published = history.lastMessage.number

  const expectation = createExpectation(clock)
  const stream = createEventStream()
  const watch = createKillWatch(stream, (killId) => {
    const kill = executor.kill(killId)
    return kill === undefined ? null : killView(kill, points.of(kill))
  })
  const policyOfType = (agentType: string | null) => policyReference(policies() ?? emptyMirror, agentType)
  /** The type's policy counts where the subject has a type: of one agent its own, of a wallet or the fleet none. */
  const policyOf = (target: Target) =>
    policyOfType(
      target.scope === Scope.Agent
        ? (executor.registry.agents.get(subjectLabel(target))?.agentType ?? null)
        : target.scope === Scope.AgentType
          ? subjectLabel(target)
          : null,
    )
  /** None is about what no agent is: strangers, and workloads that an operator enrols. */
  const policyOfIdentity = (spiffeId: string | null) => {
    const type = spiffeId === null ? null : parseSpiffeId(spiffeId).type
    return type === null || isReservedType(type) ? null : policyOfType(type)
  }
  const onOrderRefused = (signed: SignedOrder, error: Error) =>
    refusals.note(orderRefusal(signed, error, clock.wall(), policyOf(signed.order)))
  const executor: KillExecutor = createKillExecutor({
    state: createKillState(history.registry, history.blocks, history.kills, history.rows),
    journal,
    epoch: feed.epoch,
    lastMessage: history.lastMessage,
    verifySignature,
    clock,
    newId: randomUUID,
    svidHorizon,
    maxBlind: node.maxBlind,
    publish(messages) {
      published = messages.at(-1)?.number ?? published
      broadcaster.publish(messages)
    },
    onKill(kill) {
      watch.changed(kill.id)
      onKill(kill)
    },
    onOrder,
    onRefused: onOrderRefused,
    hold: expectation,
    policyOf,
    onForgotten: (killId) => points.forget(killId),
    isSettled: (landing) => isKillSettled(db, landing),
  })
  const refusals = createRefusals({
    clock,
    append: (fields) =>
      void executor
        .note({ audit: [fields] })
        .catch((err: unknown) => log.error({ err }, 'a refusal is not in the log')),
  })
  const points = createEnforcementPoints({
    epoch: feed.epoch,
    points: await readPoints(db),
    confirmations: history.confirmations,
    kills: executor.kills,
    published: () => published,
    // One that follows another relayer as well may be fresh by that one and know nothing of the kill.
    closedAfter: node.peers.length === 0 ? closedAfter : Number.POSITIVE_INFINITY,
    clock,
    write: (point, confirmations, closedConnections) =>
      executor.note({
        points: [{ point, confirmations }],
        audit: confirmations.map(({ killId, moment }) => ({
          action: 'kill confirmed',
          actor: point.spiffeId,
          spiffeId: point.spiffeId,
          time: Math.round(moment.at),
          detail: { killId, number: point.acknowledged, closedConnections },
        })),
      }),
  })
  const broadcaster = createBroadcaster({
    feed,
    lastMessage: history.lastMessage,
    sign: state.sign,
    clock,
    chainView: executor.chainView,
    rows: executor.rows,
    hold: expectation,
    onSlow: () => log.warn('a feed subscriber was cut off: it did not read'),
  })

  return {
    executor,
    points,
    broadcaster,
    stream,
    watch,
    refusals,
    accesses: createAccesses(clock.wall, history.accesses),
    expectation,
    /** Number of the last feed message. */
    published: () => published,
    onOrderRefused,
    /** Notes a request that was refused an SVID. */
    onRefused(error: Error) {
      if (!(error instanceof IssuanceRefusedError)) return
      refusals.note(issuanceRefusal(error, clock.wall(), policyOfIdentity(error.spiffeId)))
    },
    policyOfIdentity,
  }
}
