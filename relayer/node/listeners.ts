import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { createReport } from '../audit/report.ts'
import type { Follower } from '../chain/follow/follower.ts'
import type { PolicyReader } from '../chain/policyReader.ts'
import type { QuotaReader } from '../chain/quotaReader.ts'
import type { Clock } from '../clock.ts'
import { createAdmission } from '../http/admission/admission.ts'
import { watchOverload } from '../http/admission/overload.ts'
import { createRequestQueue } from '../http/admission/requestQueue.ts'
import { addAgentRoutes } from '../http/agents.ts'
import { addAppRoutes } from '../http/app.ts'
import { createApplication } from '../http/application.ts'
import { addCors } from '../http/cors.ts'
import { addDocsRoutes, addOpenApiDocument } from '../http/docs.ts'
import { addFeedRoutes } from '../http/feed.ts'
import { addHealthRoutes } from '../http/health.ts'
import { addIdentityRoutes } from '../http/identities.ts'
import { addKillRoutes } from '../http/kills.ts'
import { listen, mutualTlsListener, publicListener, stopListening } from '../http/listeners.ts'
import { createPeerOf } from '../http/peer.ts'
import { addPointRoutes } from '../http/points.ts'
import { addPolicyRoutes } from '../http/policies.ts'
import { spkiOf } from '../identity/attest.ts'
import { readKill, readKillOfOrder } from '../store/history.ts'
import type { Backlog } from '../store/journal.ts'
import { gasMetrics } from '../telemetry/gasMetrics.ts'
import { renderMetrics } from '../telemetry/metrics.ts'
import { nodeMetrics } from '../telemetry/nodeMetrics.ts'
import { policyMetrics } from '../telemetry/policyMetrics.ts'
import { quotaMetrics } from '../telemetry/quotaMetrics.ts'
import type { Identities } from './identities.ts'
import type { KillRoad } from './killRoad.ts'
import type { Landings } from './landings.ts'
import type { NodeOptions } from './options.ts'
import type { NodeState } from './state.ts'

const version = '0.1.0'
/** bytes */
const maxBody = 65_536
const maxReport = 1024 * 1024

/** What can be asked of a relayer, and where: over public HTTP, and over mutual TLS. */
export async function createListeners(options: {
  readonly node: NodeOptions
  readonly state: NodeState
  readonly road: KillRoad
  readonly landings: Landings
  readonly identities: Identities
  readonly follower: Pick<Follower, 'failure' | 'status'>
  readonly policies: PolicyReader | null
  readonly quotas: QuotaReader | null
  readonly clock: Clock
  readonly caughtUp: () => boolean
}) {
  const { node, state, road, landings, identities, follower, policies, quotas, clock, caughtUp } = options
  const { deployment, trustDomain, log } = node
  const { db, journal, bundle, bundlePem } = state
  const { executor, points, broadcaster, stream, watch, accesses, published, onRefused } = road
  const { issuance, places, challenges, enrolments } = identities
  let unreportedAccesses = 0

  const load =
    node.overloaded === undefined
      ? watchOverload(road.expectation)
      : { overloaded: node.overloaded, stop() {} }
  const queue = createRequestQueue({ now: clock.monotonic, hold: road.expectation })
  const newAdmission = () =>
    createAdmission({ ...node.limits, now: clock.monotonic, overloaded: load.overloaded, queue })
  const admission = newAdmission()

  const app = createApplication(log, maxBody, onRefused)
  addCors(app)
  addKillRoutes(app, {
    executor,
    points,
    deployment,
    trustDomain,
    stream,
    admission,
    readKill: (id) => readKill(db, id),
    readKillOfOrder: (digest) => readKillOfOrder(db, digest),
    caughtUp,
    onRefused: road.onOrderRefused,
  })
  addAgentRoutes(app, { executor, issuance, places, accesses, trustDomain, now: clock.wall })
  addPolicyRoutes(app, { contract: node.killPolicies ?? null, reader: policies })
  addFeedRoutes(app, { broadcaster, bundle: () => bundle, crl: identities.crl, onStream: admission.stream })
  addIdentityRoutes(app, {
    challenge: challenges.issue,
    bundle: () => bundlePem,
    attest: identities.attest,
    enrol: enrolments.enrol,
    withdraw: enrolments.withdraw,
  })
  addHealthRoutes(app, {
    unready: () =>
      follower.failure()?.message ??
      unwritable(journal.backlog()) ??
      (executor.chainView().blind ? 'the relayer has seen no new block for too long; check its RPCs' : null),
    metrics: () =>
      nodeMetrics({
        executor,
        follower: follower.status(),
        broadcaster,
        published: published(),
        unreportedAccesses,
        shedRequests: admission.shed(),
        backlog: journal.backlog(),
      }) +
      renderMetrics([
        ...gasMetrics(landings.gas()),
        ...policyMetrics(policies),
        ...quotaMetrics(quotas, places.refused()),
      ]),
  })
  addDocsRoutes(app, version)
  if (node.app != null) {
    addAppRoutes(app, node.app, {
      chainId: deployment.chainId,
      contract: deployment.contract,
      fromBlock: node.startBlock,
      trustDomain,
      relayerKey: state.feed.relayer,
    })
  }

  const pointApp = createApplication(log, maxReport, onRefused)
  addPointRoutes(pointApp, {
    bundle: () => bundlePem,
    peerOf: createPeerOf({ deployment, trustDomain, now: clock.wall }),
    renew: (peer, csr) => issuance.renewed(peer, spkiOf(csr)),
    async acknowledge({ claims }, { epoch, number, closedConnections }) {
      const point = formatSpiffeId(claims.spiffeId)
      const confirmations = await points.acknowledge(point, epoch, number, closedConnections)
      for (const { killId } of confirmations) watch.changed(killId)
    },
    report: createReport({
      isPoint: (spiffeId) => points.point(spiffeId) !== undefined,
      isRegistered: (spiffeId) => executor.registry.agents.has(spiffeId.slice(spiffeId.lastIndexOf('/') + 1)),
      accesses,
      append: executor.noteReported,
      now: clock.wall,
      onUnreported(count) {
        unreportedAccesses += count
      },
    }),
  })
  addOpenApiDocument(pointApp, version)

  const mutual = mutualTlsListener(pointApp, await identities.server(), newAdmission())
  const server = publicListener(app, admission)

  return {
    /** @returns the ports @throws {ListenError} */
    async listen() {
      return {
        port: await listen(server, node.listen, '--listen'),
        mtlsPort: await listen(mutual.server, node.mtlsListen, '--mtls-listen'),
      }
    },
    /** Exchanges the certificate of the mutual TLS listener. */
    renewCertificate: async () => mutual.renew(await identities.server()),
    async stop() {
      load.stop()
      await Promise.all([server, mutual.server].filter((one) => one.listening).map(stopListening))
    },
  }
}

const unwritable = (backlog: Backlog | null): string | null =>
  backlog === null
    ? null
    : `the store has taken no writes since ${new Date(backlog.since).toISOString()} (${backlog.why}), ${backlog.decisions} decisions wait; free or mend its disk`
