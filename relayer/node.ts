import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { Logger } from 'pino'
import type { LocalAccount } from 'viem'
import { fromBase64Url } from '../protocol/bytes.ts'
import { type Deployment, deploymentId } from '../protocol/deployment.ts'
import { formatSpiffeId, parseSpiffeId } from '../protocol/spiffeId.ts'
import { readSvid } from '../protocol/x509/readSvid.ts'
import { createAccesses } from './audit/accesses.ts'
import { createFollower, type GrantPoint } from './chain/follower.ts'
import { checkSvidLife } from './chain/minCooldown.ts'
import { createSender } from './chain/sender.ts'
import { createSignatureVerifier } from './chain/verifyAuthority.ts'
import { type Clock, systemClock } from './clock.ts'
import { openEnrolmentSecret } from './enrolmentSecret.ts'
import { createBroadcaster } from './feed/broadcaster.ts'
import { addAgentRoutes } from './http/agents.ts'
import { createApplication } from './http/application.ts'
import { addDocsRoutes, addOpenApiDocument } from './http/docs.ts'
import { createEventStream } from './http/eventStream.ts'
import { addFeedRoutes } from './http/feed.ts'
import { addHealthRoutes } from './http/health.ts'
import { addIdentityRoutes } from './http/identities.ts'
import { addKillRoutes } from './http/kills.ts'
import { type Address, listen, mutualTlsListener, publicListener, stopListening } from './http/listeners.ts'
import { addPointRoutes } from './http/points.ts'
import { BadProofError, UnusableAgentKeyError, verifyAttestation } from './identity/attestation.ts'
import { createChallenges, ExpiredChallengeError, UnknownChallengeError } from './identity/challenges.ts'
import { InvalidCsrError, readCsr } from './identity/csr.ts'
import { createEmbeddedProvider } from './identity/embeddedProvider.ts'
import { enrolmentTokenHash, openEnrolmentToken } from './identity/enrolmentToken.ts'
import { openFeedKey } from './identity/feedKey.ts'
import { createIssuance, IssuanceRefusedError, proofLife } from './identity/issuance.ts'
import { openSigningAuthority } from './identity/signingAuthority.ts'
import { createKillExecutor } from './kill/executor.ts'
import { createKillState } from './kill/killState.ts'
import { createLander } from './kill/lander.ts'
import { createEnforcementPoints } from './kill/points.ts'
import { killView } from './kill/timeline.ts'
import { warmUp } from './kill/warmUp.ts'
import { openDatabase } from './store/database.ts'
import { readHistory } from './store/history.ts'
import { createJournal } from './store/journal.ts'
import { insertAccesses, readPoints, recentAccesses, takeToken, writePoint } from './store/points.ts'
import { keepLargest, pin } from './store/settings.ts'
import { forgetSvids, insertSvid, latestSvids } from './store/svids.ts'
import { renderMetrics } from './telemetry/metrics.ts'

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
  /** Pays for landing orders; without it orders are enforced but left to others to land. */
  readonly gasAccount: LocalAccount | null
  /** ms */
  readonly svidLife: number
  /** ms */
  readonly maxBlind: number
  /** ms */
  readonly pollInterval: number
  readonly log: Logger
  readonly clock?: Clock
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
/** ms: clock skew allowed for when a row is dropped. */
const skew = 60_000
const version = '0.1.0'
/** How many of an agent's latest accesses its page shows. */
const shownAccesses = 20
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
  const enrolmentSecret = openEnrolmentSecret(data)
  const authority = openSigningAuthority({ folder: data, trustDomain, now: clock.wall() })
  const provider = createEmbeddedProvider({ authority, clock })
  const bundlePem = await provider.bundlePem()
  const bundle = await provider.bundle()

  const longestLife = await keepLargest(db, 'longest SVID life', svidLife)
  const history = await readHistory(db)
  const feed = { relayer: feedKey.publicKey, deployment: deploymentId(deployment), epoch }
  const journal = createJournal({
    db,
    feed,
    lastMessage: history.lastMessage,
    lastEntry: history.lastEntry,
    sign: feedKey.sign,
    clock,
  })
  const chain = { rpcs: options.rpcs, deployment, chainId: deployment.chainId, clock, log }
  await checkSvidLife(svidLife, chain)
  const verifySignature = createSignatureVerifier(chain)
  await warmUp(deployment, verifySignature)
  const stream = createEventStream()
  const accesses = createAccesses(clock.wall)
  let published = history.lastMessage.number

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
    onKill: (kill) => stream.send('kill', killView(kill, points.of(kill))),
    onOrder: (kill) => lander?.land(kill),
  })
  const points = createEnforcementPoints({
    epoch,
    points: await readPoints(db),
    confirmations: history.confirmations,
    kills: executor.kills,
    published: () => published,
    closedAfter,
    clock,
  })
  const broadcaster = createBroadcaster({
    feed,
    lastMessage: history.lastMessage,
    sign: feedKey.sign,
    clock,
    chainView: executor.chainView,
    rows: executor.rows,
    replay: async (after) => {
      const rows = await db
        .selectFrom('feed_messages')
        .select(['number', 'document'])
        .where('number', '>', after)
        .orderBy('number')
        .limit(1000)
        .execute()
      return rows.map(({ number, document }) => ({
        number,
        document,
        type: (JSON.parse(document.slice(0, document.indexOf('\n'))) as { type: string }).type,
      }))
    },
    onSlow: () => log.warn('a feed subscriber was cut off: it did not read'),
  })
  const sender = options.gasAccount === null ? null : createSender({ ...chain, account: options.gasAccount })
  const lander =
    sender === null
      ? null
      : createLander({
          sender,
          kills: executor.kills,
          kill: executor.kill,
          noteSent: executor.noteSent,
          clock,
        })

  const isEnrolled = (spiffeId: string) => points.all().some((point) => point.spiffeId === spiffeId)
  const isRegistered = (spiffeId: string) =>
    executor.registry.agents.has(spiffeId.slice(spiffeId.lastIndexOf('/') + 1))
  const issuance = createIssuance({
    executor,
    deployment,
    trustDomain,
    svidLife,
    clock,
    issue: (request) => provider.issue({ ...request, spiffeId: parseSpiffeId(request.spiffeId), deployment }),
    record: async (svid, how) => {
      await insertSvid(db, svid)
      await executor.audit([
        {
          action: `SVID ${how}`,
          actor: svid.spiffeId,
          spiffeId: svid.spiffeId,
          time: svid.issuedAt,
          detail: { serial: svid.serial, generation: svid.generation, expiresAt: svid.expiresAt },
        },
      ])
    },
    isEnrolled,
    latest: await latestSvids(db, clock.wall() - proofLife),
  })
  const challenges = createChallenges({ clock })

  const spkiOf = (csr: string): Uint8Array => {
    try {
      return readCsr(csr).spki
    } catch (error) {
      if (error instanceof InvalidCsrError)
        throw new IssuanceRefusedError('bad request', 'csr', csr.slice(0, 60), error.message)
      throw error
    }
  }

  const app = createApplication(log, maxBody)
  addKillRoutes(app, { executor, points, deployment, trustDomain, stream })
  addAgentRoutes(app, {
    executor,
    issuance,
    accesses,
    recentAccesses: (spiffeId) => recentAccesses(db, spiffeId, shownAccesses),
    trustDomain,
    now: clock.wall,
  })
  addFeedRoutes(app, { broadcaster, bundle: () => bundle })
  addIdentityRoutes(app, {
    challenge: challenges.issue,
    bundle: () => bundlePem,
    async attest({ spiffeId, challenge, proof, csr }) {
      const spki = spkiOf(csr)
      const key = issuance.keyOf(spiffeId)
      try {
        verifyAttestation(challenges, {
          message: { trustDomain, relayer: feedKey.publicKey, challenge, spiffeId, spki },
          key,
          proof: fromBase64Url(proof),
        })
      } catch (error) {
        const refused = [
          BadProofError,
          UnusableAgentKeyError,
          UnknownChallengeError,
          ExpiredChallengeError,
        ].some((kind) => error instanceof kind)
        if (refused) throw new IssuanceRefusedError('bad proof', 'proof', spiffeId, (error as Error).message)
        throw error
      }
      return issuance.attested(spiffeId, spki)
    },
    async enrol(token, csr) {
      const spki = spkiOf(csr)
      const enrolment = openEnrolmentToken(enrolmentSecret, token)
      if (enrolment === null)
        throw new IssuanceRefusedError(
          'bad token',
          'authorization',
          '',
          "this relayer's operator did not make the token",
        )
      if (enrolment.expiresAt < clock.wall())
        throw new IssuanceRefusedError(
          'bad token',
          'authorization',
          '',
          'the token has expired; ask the operator for another',
        )
      const { spiffeId } = enrolment
      if (parseSpiffeId(spiffeId).trustDomain !== trustDomain)
        throw new IssuanceRefusedError(
          'bad token',
          'authorization',
          spiffeId,
          `the token is for another trust domain than ${trustDomain}`,
        )
      // Before the token is used up: it is good for one try only.
      if (executor.chainView().blind) {
        throw new IssuanceRefusedError(
          'blind',
          'relayer',
          'no new head',
          'the relayer has seen no new block for too long; try again with the same token',
        )
      }
      const now = Math.round(clock.wall())
      if (!(await takeToken(db, enrolmentTokenHash(token), spiffeId, enrolment.expiresAt, now))) {
        throw new IssuanceRefusedError(
          'bad token',
          'authorization',
          '',
          'the token was used before; ask the operator for another',
        )
      }
      // A point that is enrolled anew still owes what it has not confirmed.
      const point = points.all().find((one) => one.spiffeId === spiffeId) ?? {
        spiffeId,
        enrolledAt: now,
        epoch: null,
        acknowledged: 0,
        acknowledgedAt: null,
      }
      await writePoint(db, point, [])
      points.enrol(point)
      return issuance.enrolled(spiffeId, spki)
    },
  })
  addHealthRoutes(app, {
    unready: () =>
      follower.failure()?.message ??
      (executor.chainView().blind ? 'the relayer has seen no new block for too long; check its RPCs' : null),
    metrics: () => {
      const { head, grantPoint, blind } = executor.chainView()
      return renderMetrics([
        {
          name: 'killswitch_head_block',
          help: 'Number of the last block taken',
          type: 'gauge',
          value: head?.number ?? 0,
        },
        {
          name: 'killswitch_grant_point_block',
          help: 'Number of the block up to which grants are taken',
          type: 'gauge',
          value: grantPoint?.number ?? 0,
        },
        {
          name: 'killswitch_blind',
          help: '1 while no new head is seen',
          type: 'gauge',
          value: blind ? 1 : 0,
        },
        {
          name: 'killswitch_feed_messages_total',
          help: 'Numbered feed messages',
          type: 'counter',
          value: published,
        },
        {
          name: 'killswitch_feed_subscribers',
          help: 'Open feed streams',
          type: 'gauge',
          value: broadcaster.subscribers,
        },
        {
          name: 'killswitch_revocation_rows',
          help: 'Rows of the revocation table',
          type: 'gauge',
          value: executor.rows().length,
        },
        {
          name: 'killswitch_agents',
          help: 'Registered agents at the grant point',
          type: 'gauge',
          value: executor.registry.agents.size,
        },
        {
          name: 'killswitch_kills_not_on_chain',
          help: 'Enforced orders that are not on chain',
          type: 'gauge',
          value: executor
            .kills()
            .filter((kill) => kill.landing === null && kill.final === null && kill.withdrawn === null).length,
        },
      ])
    },
  })
  addDocsRoutes(app, version)

  const pointApp = createApplication(log, maxReport)
  addPointRoutes(pointApp, {
    bundle: () => bundlePem,
    peerOf(socket: TLSSocket) {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined)
        throw new IssuanceRefusedError('other identity', 'svid', '', 'the connection shows no certificate')
      const { claims, serial, notAfter } = readSvid(certificate.raw)
      // TLS checked this when the connection opened; it may have been kept open since.
      if (notAfter < clock.wall()) {
        throw new IssuanceRefusedError(
          'revoked',
          'svid',
          serial,
          'the presented SVID has expired; attest anew',
        )
      }
      if (claims.deployment !== deploymentId(deployment) || claims.spiffeId.trustDomain !== trustDomain) {
        throw new IssuanceRefusedError(
          'other identity',
          'svid',
          formatSpiffeId(claims.spiffeId),
          `the SVID is not of ${trustDomain} and ${deploymentId(deployment)}`,
        )
      }
      return { claims, serial }
    },
    renew: ({ claims, serial }, csr) => issuance.renewed(claims, serial, spkiOf(csr)),
    async acknowledge({ claims }, acknowledgedEpoch, number) {
      const { point, confirmations } = points.acknowledge(
        formatSpiffeId(claims.spiffeId),
        acknowledgedEpoch,
        number,
      )
      for (const { killId } of confirmations) {
        const kill = executor.kill(killId)
        if (kill !== undefined) stream.send('kill', killView(kill, points.of(kill)))
      }
      await writePoint(db, point, confirmations)
      await executor.audit(
        confirmations.map(({ killId, moment }) => ({
          action: 'kill confirmed',
          actor: point.spiffeId,
          spiffeId: point.spiffeId,
          time: Math.round(moment.at),
          detail: { killId, number },
        })),
      )
    },
    async report({ claims }, batch) {
      const point = formatSpiffeId(claims.spiffeId)
      if (!isEnrolled(point))
        throw new IssuanceRefusedError(
          'other identity',
          'svid',
          point,
          'only enrolled enforcement points report accesses',
        )
      accesses.note(batch.filter((access) => isRegistered(access.spiffeId)))
      await insertAccesses(db, point, batch)
      await executor.audit(
        batch.map((access) => ({
          action: 'access',
          actor: access.spiffeId,
          spiffeId: access.spiffeId,
          time: access.at,
          detail: {
            point,
            method: access.method,
            path: access.path,
            status: access.status,
            outcome: access.outcome,
            count: access.count,
          },
        })),
      )
    },
  })

  addOpenApiDocument(pointApp, version)

  const serverIdentity = async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    const svid = await provider.issue({
      spiffeId: { trustDomain, type: 'relayer', name: 'self' },
      owner: null,
      deployment,
      generation: executor.registry.sequence,
      spki: publicKey.export({ type: 'spki', format: 'der' }),
      lifetime: svidLife,
      hosts: options.hosts,
    })
    return {
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert: svid.pem,
      ca: bundlePem,
    }
  }
  const mutual = mutualTlsListener(pointApp, await serverIdentity())
  const server = publicListener(app)
  const follower = createFollower({
    ...chain,
    startBlock: options.startBlock,
    grantPoint: options.grantPoint,
    sink: executor,
    pollInterval: options.pollInterval,
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
    await Promise.all([
      follower.stop(),
      lander?.stop(),
      ...[server, mutual.server].filter((one) => one.listening).map(stopListening),
    ])
    sender?.close()
    verifySignature.close()
    await db.destroy()
  }

  try {
    const port = await listen(server, options.listen, '--listen')
    const mtlsPort = await listen(mutual.server, options.mtlsListen, '--mtls-listen')
    await follower.start()
    lander?.retry()
    every(heartbeatInterval, broadcaster.heartbeat)
    every(heartbeatInterval, stream.keepAlive)
    every(svidLife / 2, async () => mutual.renew(await serverIdentity()))
    every(10_000, executor.dropDeadRows)
    every(5_000, () => lander?.retry())
    every(3_600_000, () => forgetSvids(db, clock.wall() - proofLife))
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
