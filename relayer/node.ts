import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { LocalAccount } from 'viem'
import { type Deployment, deploymentId } from '../protocol/deployment.ts'
import { formatSpiffeId, parseSpiffeId } from '../protocol/spiffeId.ts'
import { createAccesses } from './audit/accesses.ts'
import { createRefusals, issuanceRefusal, orderRefusal } from './audit/refusals.ts'
import { createReport } from './audit/report.ts'
import { createFollower, type GrantPoint } from './chain/follow/follower.ts'
import { createGasWatch } from './chain/land/gasWatch.ts'
import { createSender } from './chain/land/sender.ts'
import { createTransactionKeeper } from './chain/land/transactionKeeper.ts'
import { checkSvidLife, NoKillSwitchError, SvidLifeTooLongError } from './chain/minCooldown.ts'
import { WrongChainError } from './chain/rpc/rpcErrors.ts'
import { createRpcPool } from './chain/rpc/rpcPool.ts'
import { systemSchedule } from './chain/schedule.ts'
import { createSignatureVerifier } from './chain/verifyAuthority.ts'
import { type Clock, systemClock } from './clock.ts'
import { createBroadcaster } from './feed/broadcaster.ts'
import { type AdmissionLimits, createAdmission } from './http/admission/admission.ts'
import { watchOverload } from './http/admission/overload.ts'
import { createRequestQueue } from './http/admission/requestQueue.ts'
import { addAgentRoutes } from './http/agents.ts'
import { type AppFiles, addAppRoutes } from './http/app.ts'
import { createApplication } from './http/application.ts'
import { addCors } from './http/cors.ts'
import { addDocsRoutes, addOpenApiDocument } from './http/docs.ts'
import { createEventStream } from './http/eventStream.ts'
import { addFeedRoutes } from './http/feed.ts'
import { addHealthRoutes } from './http/health.ts'
import { addIdentityRoutes } from './http/identities.ts'
import { addKillRoutes } from './http/kills.ts'
import { createKillWatch } from './http/killWatch.ts'
import { type Address, listen, mutualTlsListener, publicListener, stopListening } from './http/listeners.ts'
import { createPeerOf } from './http/peer.ts'
import { createPeerClient } from './http/peerClient.ts'
import { addPointRoutes } from './http/points.ts'
import { createAttest, spkiOf } from './identity/attest.ts'
import { createChallenges } from './identity/challenges.ts'
import { createEmbeddedProvider } from './identity/embeddedProvider.ts'
import { createEnrolments } from './identity/enrolments.ts'
import { openFeedKey } from './identity/feedKey.ts'
import { createIssuance, IssuanceRefusedError, proofLife } from './identity/issuance.ts'
import { openOperatorSecret } from './identity/operatorSecret.ts'
import { tokenHash } from './identity/operatorStatement.ts'
import { createRevocationList } from './identity/revocationList.ts'
import { createServerIdentity } from './identity/serverIdentity.ts'
import { openSigningAuthority } from './identity/signingAuthority.ts'
import type { SignedOrder } from './kill/chainPort.ts'
import { createKillExecutor } from './kill/executor.ts'
import { createForwarder } from './kill/forwarder.ts'
import { createKillState } from './kill/killState.ts'
import { createLander } from './kill/landing/lander.ts'
import { createRebroadcaster } from './kill/landing/rebroadcaster.ts'
import { maySight } from './kill/maySight.ts'
import { createEnforcementPoints, newPoint } from './kill/points.ts'
import { killView } from './kill/timeline.ts'
import { rehearseKills } from './rehearsal.ts'
import { openDatabase } from './store/database.ts'
import { isKillSettled, readHistory, readKill, readKillOfOrder } from './store/history.ts'
import { type Backlog, createJournal } from './store/journal.ts'
import { forgetMessages } from './store/messages.ts'
import { readPoints } from './store/points.ts'
import { keepLargest, pin } from './store/settings.ts'
import { forgetSvids, latestSvids, validSvids } from './store/svids.ts'
import { readWorkloads, takeToken } from './store/workloads.ts'
import { gasMetrics } from './telemetry/gasMetrics.ts'
import { renderMetrics } from './telemetry/metrics.ts'
import { nodeMetrics } from './telemetry/nodeMetrics.ts'

export type NodeOptions = {
  readonly rpcs: readonly string[]
  readonly deployment: Deployment
  readonly startBlock: number
  readonly grantPoint: GrantPoint
  readonly trustDomain: string
  /** Folder of the store and the keys. */
  readonly data: string
  readonly listen: Address
  readonly mtlsListen: Address
  /** Names under which TLS clients reach the mutual TLS listener. */
  readonly hosts: readonly string[]
  readonly limits: AdmissionLimits
  /** The app to serve beside the API. */
  readonly app?: AppFiles | null
  /** Pays for landing orders; without it orders are enforced but left to others to land. */
  readonly gasAccount: LocalAccount | null
  /** Addresses of the deployment's other relayers, to which orders are forwarded. */
  readonly peers: readonly string[]
  /** How many landings' gas one wallet may use per hour (20). */
  readonly gasBudget?: number
  /** How many landings' gas all orders below Council rank may use per hour together (1,000). */
  readonly gasCeiling?: number
  /** The most that is offered for a unit of gas, in wei (500 gwei). */
  readonly maxGasFee?: bigint
  /** ms */
  readonly svidLife: number
  /** ms */
  readonly maxBlind: number
  /** ms */
  readonly pollInterval: number
  readonly log: Logger
  readonly clock?: Clock
  /** Whether this process has more to do than it can; by default as its event loop says. */
  readonly overloaded?: () => boolean
}

export type RelayerNode = {
  readonly url: string
  readonly mtlsUrl: string
  /** Feed public key, base64url. */
  readonly relayer: string
  readonly bundle: string
  stop(): Promise<void>
}

/** ms between heartbeats; DESIGN, section 4: at most 5 s. */
const heartbeatInterval = 2_000
/** ms: the enforcers' maxStaleness (15 s), what a relayer's clock may run ahead of theirs (5 s) and drift, after which a silent one refuses everything. */
const closedAfter = 21_000
/** Feed messages that stay in the store, for whoever looks into what was said. */
const keptMessages = 100_000
/** ms: clock skew allowed for when a row is dropped. */
const skew = 60_000
const version = '0.1.0'
/** bytes */
const maxBody = 65_536
const maxReport = 1024 * 1024

/** Composes and starts a relayer: the only file that knows every part. Resolves once it follows the chain's head. */
export async function startNode(options: NodeOptions): Promise<RelayerNode> {
  const { deployment, trustDomain, data, log, svidLife } = options
  const clock = options.clock ?? systemClock
  const db = await openDatabase(join(data, 'relayer.db'))
  await pin(db, 'deployment', deploymentId(deployment))
  await pin(db, 'trust domain', trustDomain)
  const feedKey = openFeedKey(join(data, 'feed.key'))
  await pin(db, 'feed key', feedKey.publicKey)
  // New at each start: messages published while the store failed, or after the backup it came from, are not in it, and
  // their numbers are given again. In the same epoch that would be a fork.
  const epoch = randomUUID()
  const authority = openSigningAuthority({ folder: data, trustDomain, now: clock.wall() })
  const provider = createEmbeddedProvider({ authority, clock })
  const bundlePem = await provider.bundlePem()
  const bundle = await provider.bundle()

  const longestLife = await keepLargest(db, 'longest SVID life', svidLife)
  const history = await readHistory(db, clock.wall())
  const feed = { relayer: feedKey.publicKey, deployment: deploymentId(deployment), epoch }
  const journal = createJournal({
    db,
    feed,
    lastMessage: history.lastMessage,
    lastEntry: history.lastEntry,
    sign: feedKey.sign,
    clock,
    onFailure: (err) =>
      log.error(
        { err },
        'the store takes no writes: kills are published but not durable; free or mend its disk',
      ),
    onRecovery: (lostEntries) => log.warn({ lostEntries }, 'the store takes writes again'),
  })
  const chain = { rpcs: options.rpcs, deployment, chainId: deployment.chainId, clock, log }
  // Checked here so that a wrong option is said at once; without an RPC it waits until there is one, and so does issue.
  const checked = await checkSvidLife(svidLife, chain).then(
    () => true,
    (error: unknown) => {
      if ([SvidLifeTooLongError, NoKillSwitchError, WrongChainError].some((kind) => error instanceof kind))
        throw error
      log.warn({ err: error }, 'no RPC answers yet')
      return false
    },
  )
  const verifySignature = createSignatureVerifier(chain)
  log.info({ kills: await rehearseKills(deployment, verifySignature) }, 'the kill road is rehearsed')
  const stream = createEventStream()
  const watch = createKillWatch(stream, (killId) => {
    const kill = executor.kill(killId)
    return kill === undefined ? null : killView(kill, points.of(kill))
  })
  const accesses = createAccesses(clock.wall, history.accesses)
  let published = history.lastMessage.number
  let caughtUp = false
  let unreportedAccesses = 0

  const onOrderRefused = (signed: SignedOrder, error: Error) =>
    refusals.note(orderRefusal(signed, error, clock.wall()))
  const executor = createKillExecutor({
    state: createKillState(history.registry, history.blocks, history.kills, history.rows),
    journal,
    epoch,
    lastMessage: history.lastMessage,
    verifySignature,
    clock,
    newId: randomUUID,
    svidHorizon: longestLife + skew,
    maxBlind: options.maxBlind,
    publish(messages) {
      published = messages.at(-1)?.number ?? published
      broadcaster.publish(messages)
    },
    onKill(kill) {
      watch.changed(kill.id)
      rebroadcaster.note(kill)
      // A reorg took its landing back.
      if (kill.orphaned !== null) lander?.land(kill)
    },
    onOrder(kill) {
      lander?.land(kill)
      forwarder.forward(kill)
    },
    onRefused: onOrderRefused,
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
    epoch,
    points: await readPoints(db),
    confirmations: history.confirmations,
    kills: executor.kills,
    published: () => published,
    // One that follows another relayer as well may be fresh by that one and know nothing of the kill.
    closedAfter: options.peers.length === 0 ? closedAfter : Number.POSITIVE_INFINITY,
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
    sign: feedKey.sign,
    clock,
    chainView: executor.chainView,
    rows: executor.rows,
    onSlow: () => log.warn('a feed subscriber was cut off: it did not read'),
  })
  const gasKey = options.gasAccount
  const rpcPool = createRpcPool({ ...chain, schedule: systemSchedule, random: Math.random })
  const rebroadcaster = createRebroadcaster({
    keeper: createTransactionKeeper(rpcPool),
    kills: executor.kills,
    kill: executor.kill,
    head: () => executor.chainView().head?.number ?? null,
    noteTransaction: executor.noteTransaction,
    clock,
  })
  const lander =
    gasKey === null
      ? null
      : createLander({
          sender: createSender({
            pool: rpcPool,
            deployment,
            account: gasKey,
            maxFee: options.maxGasFee ?? 500_000_000_000n,
            clock,
            log,
          }),
          registry: executor.registry,
          kills: executor.kills,
          kill: executor.kill,
          noteSent: executor.noteSent,
          gasBudget: options.gasBudget ?? 20,
          gasCeiling: options.gasCeiling ?? 1_000,
          onError: (err) => log.error({ err }, 'a step of landing orders failed'),
          clock,
        })
  const gasWatch =
    gasKey === null ? null : createGasWatch({ pool: rpcPool, gasKey: gasKey.address, clock, log })

  const forwarder = createForwarder({
    peers: options.peers,
    deliver: createPeerClient({
      registry: executor.registry,
      trustDomain,
      deployment: deploymentId(deployment),
    }),
    kill: executor.kill,
    now: clock.wall,
    schedule: systemSchedule,
    onRefused: (peer, killId, why) => log.warn({ peer, killId, why }, 'another relayer refused an order'),
  })

  /** Nothing is issued before the chain was followed to its head. */
  const chainView = () => {
    const view = executor.chainView()
    return { ...view, blind: view.blind || !caughtUp }
  }
  const issuance = createIssuance({
    executor: { ...executor, chainView },
    deployment,
    trustDomain,
    svidLife,
    clock,
    issue: (request) => provider.issue({ ...request, spiffeId: parseSpiffeId(request.spiffeId), deployment }),
    record: (svid, how) =>
      executor.note({
        svids: [svid],
        audit: [
          {
            action: `SVID ${how}`,
            actor: svid.spiffeId,
            spiffeId: svid.spiffeId,
            time: svid.issuedAt,
            detail: { serial: svid.serial, generation: svid.generation, expiresAt: svid.expiresAt },
          },
        ],
      }),
    enrolledSince: (spiffeId) => enrolments.enrolledSince(spiffeId),
    latest: await latestSvids(db, clock.wall() - proofLife),
  })
  const challenges = createChallenges({ clock })
  const enrolments = createEnrolments({
    secret: openOperatorSecret(data),
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
  const crl = createRevocationList({
    provider,
    table: executor.table,
    deployment,
    published: () => published,
    validSvids: (now) => validSvids(db, now),
    killedAt: async (killId) => (executor.kill(killId) ?? (await readKill(db, killId))?.kill)?.seen.at,
    clock,
  })

  const onRefused = (error: Error) => {
    if (error instanceof IssuanceRefusedError) refusals.note(issuanceRefusal(error, clock.wall()))
  }
  const load =
    options.overloaded === undefined ? watchOverload() : { overloaded: options.overloaded, stop() {} }
  const queue = createRequestQueue({ now: clock.monotonic })
  const newAdmission = () =>
    createAdmission({ ...options.limits, now: clock.monotonic, overloaded: load.overloaded, queue })
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
    caughtUp: () => caughtUp,
    onRefused: onOrderRefused,
  })
  addAgentRoutes(app, {
    executor,
    issuance,
    accesses,
    trustDomain,
    now: clock.wall,
  })
  addFeedRoutes(app, { broadcaster, bundle: () => bundle, crl, onStream: admission.stream })
  addIdentityRoutes(app, {
    challenge: challenges.issue,
    bundle: () => bundlePem,
    attest: createAttest({ challenges, issuance, trustDomain, relayer: feedKey.publicKey }),
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
        published,
        unreportedAccesses,
        shedRequests: admission.shed(),
        backlog: journal.backlog(),
      }) + renderMetrics(gasMetrics(gasWatch?.state() ?? null)),
  })
  addDocsRoutes(app, version)
  if (options.app != null) {
    addAppRoutes(app, options.app, {
      chainId: deployment.chainId,
      contract: deployment.contract,
      fromBlock: options.startBlock,
      trustDomain,
      relayerKey: feedKey.publicKey,
    })
  }

  const pointApp = createApplication(log, maxReport, onRefused)
  addPointRoutes(pointApp, {
    bundle: () => bundlePem,
    peerOf: createPeerOf({ deployment, trustDomain, now: clock.wall }),
    renew: (peer, csr) => issuance.renewed(peer, spkiOf(csr)),
    async acknowledge({ claims }, { epoch: acknowledgedEpoch, number, closedConnections }) {
      const point = formatSpiffeId(claims.spiffeId)
      const confirmations = await points.acknowledge(point, acknowledgedEpoch, number, closedConnections)
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

  const serverIdentity = createServerIdentity({
    provider,
    trustDomain,
    deployment,
    generation: () => executor.registry.sequence,
    svidLife,
    hosts: options.hosts,
    bundlePem,
  })
  const mutual = mutualTlsListener(pointApp, await serverIdentity(), newAdmission())
  const server = publicListener(app, admission)
  const follower = createFollower({
    ...chain,
    startBlock: options.startBlock,
    grantPoint: options.grantPoint,
    sink: executor,
    pollInterval: options.pollInterval,
    mayKill: (event, order) => maySight(executor.registry, event, order, Math.floor(clock.wall() / 1000)),
    // A local chain (depth 0) stands still between transactions. Others date their blocks by the wall clock: a head
    // that is twice as old as blindness allows comes from a node that is syncing or was left behind.
    ...(options.grantPoint.kind === 'depth' && options.grantPoint.blocks === 0
      ? {}
      : { maxHeadAge: 2 * options.maxBlind }),
  })

  const timers: NodeJS.Timeout[] = []
  const every = (interval: number, task: () => void | Promise<void>) => {
    timers.push(
      setInterval(
        () =>
          void Promise.resolve(task()).catch((err: unknown) => log.error({ err }, 'a periodic task failed')),
        interval,
      ),
    )
  }
  const stop = async () => {
    for (const timer of timers) clearInterval(timer)
    broadcaster.close()
    stream.close()
    forwarder.stop()
    load.stop()
    await Promise.all([
      follower.stop(),
      lander?.stop(),
      rebroadcaster.stop(),
      ...[server, mutual.server].filter((one) => one.listening).map(stopListening),
    ])
    rpcPool.close()
    verifySignature.close()
    refusals.flush()
    // Each kind of note is written in its order: the store closes after the last of them.
    await Promise.all([executor.note({}), executor.noteReported([])]).catch((err: unknown) =>
      log.error({ err }, 'the last notes are not in the store'),
    )
    await db.destroy()
  }

  try {
    const port = await listen(server, options.listen, '--listen')
    const mtlsPort = await listen(mutual.server, options.mtlsListen, '--mtls-listen')
    await follower.start()
    if (!checked) await checkSvidLife(svidLife, chain)
    caughtUp = true
    lander?.retry()
    rebroadcaster.retry()
    if (gasWatch !== null) {
      const watch = () => gasWatch.check()
      void watch().catch((err: unknown) => log.warn({ err }, "the gas key's balance is unknown"))
      every(60_000, watch)
    }
    for (const kill of executor.kills()) forwarder.forward(kill)
    every(heartbeatInterval, broadcaster.heartbeat)
    every(heartbeatInterval, stream.keepAlive)
    every(svidLife / 2, async () => mutual.renew(await serverIdentity()))
    every(10_000, executor.tidy)
    // What waits for the store is written also when nothing new comes.
    every(1_000, async () => {
      if (journal.backlog() !== null) await executor.note({}).catch(() => undefined)
    })
    every(60_000, refusals.flush)
    every(2_000, () => lander?.retry())
    every(5_000, rebroadcaster.retry)
    every(3_600_000, async () => {
      await forgetSvids(db, clock.wall() - proofLife)
      await forgetMessages(db, keptMessages)
    })
    return {
      url: `http://${options.listen.host}:${port}`,
      mtlsUrl: `https://${options.mtlsListen.host}:${mtlsPort}`,
      relayer: feedKey.publicKey,
      bundle: bundlePem,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

const unwritable = (backlog: Backlog | null): string | null =>
  backlog === null
    ? null
    : `the store has taken no writes since ${new Date(backlog.since).toISOString()} (${backlog.why}), ${backlog.decisions} decisions wait; free or mend its disk`
