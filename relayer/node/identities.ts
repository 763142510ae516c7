import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { QuotaReader } from '../chain/quotaReader.ts'
import type { Clock } from '../clock.ts'
import { createAttest } from '../identity/attest.ts'
import { createChallenges } from '../identity/challenges.ts'
import { createEnrolments } from '../identity/enrolments.ts'
import { createIssuance, issueNotes, proofLife } from '../identity/issuance.ts'
import { openOperatorSecret } from '../identity/operatorSecret.ts'
import { tokenHash } from '../identity/operatorStatement.ts'
import { createPlaces } from '../identity/places.ts'
import { createRevocationList } from '../identity/revocationList.ts'
import { createServerIdentity } from '../identity/serverIdentity.ts'
import { newPoint } from '../kill/points.ts'
import { isUnread, type PolicyMirror, policyInForce } from '../policy/mirror.ts'
import { readKill } from '../store/history.ts'
import { readPlaces } from '../store/places.ts'
import { latestSvids, validSvids } from '../store/svids.ts'
import { readWorkloads, takeToken } from '../store/workloads.ts'
import type { KillRoad } from './killRoad.ts'
import type { NodeOptions } from './options.ts'
import type { NodeState } from './state.ts'

export type Identities = Awaited<ReturnType<typeof createIdentities>>

/** Who is given which identity, and what of it is revoked. */
export async function createIdentities(options: {
  readonly node: NodeOptions
  readonly state: NodeState
  readonly road: KillRoad
  readonly clock: Clock
  /** Nothing is issued before the chain was followed to its head. */
  readonly caughtUp: () => boolean
  /** The kill policies as they are read; null where none are followed. */
  readonly policies: () => PolicyMirror | null
  /** Null where enrolments have no bound. */
  readonly quotas: QuotaReader | null
}) {
  const { node, state, road, clock, caughtUp, policies, quotas } = options
  const { deployment, trustDomain, svidLife } = node
  const { db, provider, bundlePem } = state
  const { executor, points, published } = road

  const chainView = () => {
    const view = executor.chainView()
    return { ...view, blind: view.blind || !caughtUp() }
  }
  const places = createPlaces({ registry: executor.registry, taken: await readPlaces(db) })
  const issuance = createIssuance({
    executor: { ...executor, chainView },
    deployment,
    trustDomain,
    svidLife,
    clock,
    issue: (request) => provider.issue({ ...request, spiffeId: parseSpiffeId(request.spiffeId), deployment }),
    policyOf: road.policyOfIdentity,
    record: (svid, how, policy) => executor.note(issueNotes(svid, how, policy)),
    enrolledSince: (spiffeId) => enrolments.enrolledSince(spiffeId),
    latest: await latestSvids(db, clock.wall() - proofLife),
    places,
    ...(quotas === null ? {} : { quotaOf: quotas.quotaOf }),
    resumeCooldownOf(agent) {
      const mirror = policies()
      if (mirror === null) return 0
      return isUnread(mirror) ? null : policyInForce(mirror, agent.agentType, agent).limits.resumeCooldown
    },
  })
  const challenges = createChallenges({ clock })
  const enrolments = createEnrolments({
    secret: openOperatorSecret(node.data),
    trustDomain,
    workloads: await readWorkloads(db),
    now: clock.wall,
    blind: () => chainView().blind,
    takeToken: (token, { spiffeId, expiresAt }, now) =>
      takeToken(db, tokenHash(token), spiffeId, expiresAt, now),
    async write(workload) {
      const { spiffeId, enrolledAt, withdrawnAt } = workload
      const isWithdrawn = withdrawnAt !== null
      // Of enrolled workloads only services are asked to enforce kills. One that is enrolled anew still owes what it has
      // not confirmed.
      const isPoint = !isWithdrawn && parseSpiffeId(spiffeId).type === 'service'
      const point = isPoint ? (points.point(spiffeId) ?? newPoint(spiffeId, enrolledAt)) : null
      await executor.note({
        workloads: [{ workload, point }],
        audit: [
          {
            ...{ action: `workload ${isWithdrawn ? 'withdrawn' : 'enrolled'}`, actor: 'operator', spiffeId },
            time: withdrawnAt ?? enrolledAt,
            detail: {},
          },
        ],
      })
      if (isWithdrawn) points.withdraw(spiffeId)
      else if (point !== null) points.enrol(point)
    },
    issue: issuance.enrolled,
  })

  return {
    issuance,
    places,
    challenges,
    enrolments,
    attest: createAttest({ challenges, issuance, trustDomain, relayer: state.feed.relayer }),
    crl: createRevocationList({
      provider,
      table: executor.table,
      deployment,
      published,
      validSvids: (now) => validSvids(db, now),
      killedAt: async (killId) => (executor.kill(killId) ?? (await readKill(db, killId))?.kill)?.seen.at,
      clock,
    }),
    /** A fresh certificate of the mutual TLS listener. */
    server: createServerIdentity({
      provider,
      trustDomain,
      deployment,
      generation: () => executor.registry.sequence,
      svidLife,
      hosts: node.hosts,
      bundlePem,
    }),
  }
}
