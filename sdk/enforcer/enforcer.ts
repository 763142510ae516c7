import type { Server } from 'node:https'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { RevocationRow, SvidClaims } from '../../protocol/revocation.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { type Clock, systemClock } from '../client/clock.ts'
import { createEd25519Verify } from '../client/ed25519.ts'
import { describeError, type Log, silentLog } from '../client/log.ts'
import { createMutualTls, type MutualTls, postMutual, type TlsMaterial } from '../client/mutualTls.ts'
import type { Problem } from '../client/problem.ts'
import type { Fetch } from '../client/relayerCall.ts'
import { urlUnder } from '../client/secureUrl.ts'
import { type Acknowledger, createAcknowledger } from './acknowledger.ts'
import { denialProblem, unidentifiedProblem } from './denial.ts'
import {
  type FeedClient,
  type FeedFreshness,
  type FeedPoint,
  type FeedStatus,
  type FollowedRelayer,
  followFeed,
} from './feedClient.ts'
import { createGuards, type Peer } from './guard.ts'
import { countFresh, type FeedView, type Judgement, judge } from './judge.ts'
import { type Access, createReporter, type Reporter } from './reporter.ts'
import { secureServerOptions } from './secureServerOptions.ts'
import { loadTrust, type TrustBundles } from './trust.ts'

/** The part of an identity (sdk/agent) that an enforcer uses: its own SVID, renewed by somebody. */
export type HeldIdentity = {
  readonly trustDomain: string
  /** @throws while there is no usable SVID */
  tls(): TlsMaterial
  /** @returns what stops the calls */
  onChange(listener: () => void): () => void
  /** Fetches the roots of its trust domain anew; asked for when peers show certificates of an unknown one. */
  refreshBundle?(): Promise<unknown>
}

export type EnforcerOptions = {
  readonly deployment: Deployment
  /** At least one. */
  readonly relayers: readonly FollowedRelayer[]
  /** Own SVID: for the guarded server and for acknowledgements. */
  readonly identity: HeldIdentity
  /** Whose peers are let in; left out, those of the identity's own trust domain, by its own bundle. */
  readonly trustBundles?: TrustBundles
  /** Longest age of a feed's heartbeat, in ms; 15,000 unless told otherwise. */
  readonly maxStaleness?: number
  /** How many relayers' feeds must be fresh; 1 unless told otherwise. */
  readonly minFresh?: number
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly random?: () => number
  readonly log?: Log
}

/** A kill has taken effect here: its sockets are gone. */
export type EnforcedKill = {
  readonly relayer: string
  readonly row: RevocationRow
  readonly closedConnections: number
}

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly problem: Problem }

/** What `check` and `isRevoked` take: a peer's certificate (DER), or claims whose validity the caller has judged. */
export type CheckedPeer = SvidClaims | Uint8Array

export type EnforcerStatus = {
  /** Whether peers are let in at all at the moment. */
  readonly fresh: boolean
  readonly connections: number
  readonly relayers: readonly RelayerStatus[]
}

export type RelayerStatus = FeedStatus & {
  readonly acknowledged: FeedPoint | null
  /** Why the relayer takes no acknowledgements of this point (an enrolment that was withdrawn, say); null while it does. */
  readonly enrolmentRefused: Problem | null
  readonly reports: ReturnType<Reporter['status']> | null
}

export type Enforcer = {
  /** TLS options for `https.createServer`. */
  serverOptions(): ReturnType<typeof secureServerOptions>
  /** Guards a server made with `serverOptions()` and renews its certificate; the result releases it. */
  guard(server: Server): () => void
  /** Whether a peer must be refused, for servers of other kinds. True also while no view is fresh (fail closed). */
  isRevoked(peer: CheckedPeer): boolean
  /** The same with the problem document to answer with. The chain of a certificate is the caller's to verify. */
  check(peer: CheckedPeer): Decision
  /**
   * Has a connection of another kind of server closed when its peer is killed, its SVID ends or no feed is fresh.
   * @param close resolves once the connection is really gone: no kill is acknowledged before. It is called again after
   * a second when it fails. Called at once for a peer that is denied already.
   * @returns what is to be called when the connection has ended otherwise
   * @throws {InvalidSvidError} for a certificate that is no SVID
   */
  track(peer: Uint8Array, close: (problem: Problem) => unknown): () => void
  /** @returns what stops the calls */
  onKill(listener: (kill: EnforcedKill) => void): () => void
  /** Told of a relayer's status each time it has changed. @returns what stops the calls */
  onRelayer(listener: (status: RelayerStatus) => void): () => void
  /**
   * Forgets a relayer for good, with its rows: what an operator does with one that does not return, or that lies.
   * @param relayer its feed key
   * @throws {EnforcerOptionsError} for one that is not followed, or when fewer than `minFresh` would be left
   */
  dropRelayer(relayer: string): Promise<void>
  /** Resolves when peers are let in for the first time: `minFresh` feeds are fresh. */
  ready(): Promise<void>
  status(): EnforcerStatus
  /** Stops following. Guarded servers deny everything from now on; closing them is the caller's. */
  close(): Promise<void>
}

export class EnforcerOptionsError extends Error {
  override readonly name = 'EnforcerOptionsError'
  readonly option: string
  constructor(option: string, why: string) {
    super(`createEnforcer: ${option} ${why}`)
    this.option = option
  }
}

/** How often the feeds' age is looked at, in ms: running exchanges are cut that soon after the last fresh one ends. */
const agePeriod = 250
const callTimeout = 5_000

function checkOptions({ relayers, minFresh = 1, maxStaleness = 15_000 }: EnforcerOptions): void {
  if (relayers.length === 0) throw new EnforcerOptionsError('relayers', 'is empty; name at least one relayer')
  const keys = new Set(relayers.map(({ relayer }) => relayer))
  if (keys.size < relayers.length) throw new EnforcerOptionsError('relayers', 'names one feed key twice')
  for (const key of keys) {
    if (!/^[A-Za-z0-9_-]{43}$/.test(key)) {
      throw new EnforcerOptionsError('relayers', `has "${key}", which is no Ed25519 public key in base64url`)
    }
  }
  if (!Number.isInteger(minFresh) || minFresh < 1 || minFresh > relayers.length) {
    throw new EnforcerOptionsError(
      'minFresh',
      `is ${minFresh}; it must be from 1 to the ${relayers.length} relayers`,
    )
  }
  // The upper bound is what relayers count on when they call a silent point closed (docs/protocol.md, Feed).
  if (!(maxStaleness >= 1_000 && maxStaleness <= 15_000)) {
    throw new EnforcerOptionsError('maxStaleness', `is ${maxStaleness} ms; it must be from 1,000 to 15,000`)
  }
}

/**
 * An enforcement point: follows the relayers' feeds, judges peers, cuts connections and says so to the relayers.
 * Until the feeds are fresh it denies everything; it does not wait for them.
 * @throws {EnforcerOptionsError | TrustBundleError | InsecureUrlError}
 */
export async function createEnforcer(options: EnforcerOptions): Promise<Enforcer> {
  checkOptions(options)
  const { deployment, identity, minFresh = 1, maxStaleness = 15_000 } = options
  const { clock = systemClock, random = Math.random, log = silentLog, fetch = globalThis.fetch } = options
  let lastBundle = ''
  // Roots are not forgotten with an SVID that ended: what is enforced does not depend on being enrolled.
  const ownBundle = (): string => {
    try {
      lastBundle = identity.tls().bundle
    } catch (error) {
      if (lastBundle === '') throw error
    }
    return lastBundle
  }
  const bundles = options.trustBundles ?? { [identity.trustDomain]: ownBundle }
  const refresh = (): void => {
    identity.refreshBundle?.().catch((error: unknown) => log.warn({}, `roots: ${describeError(error)}`))
  }
  const trust = await loadTrust({ bundles, fetch, clock, log, refresh })

  type Link = {
    readonly relayer: string
    readonly feed: FeedClient
    /** The freshness that listeners know of. */
    told: FeedFreshness
    readonly acknowledger: Acknowledger | null
    readonly reporter: Reporter | null
  }
  const links: Link[] = []
  const killListeners = new Set<(kill: EnforcedKill) => void>()
  const readyListeners = new Set<() => void>()
  const relayerListeners = new Set<(status: RelayerStatus) => void>()
  let wasFresh = false
  let closed = false

  const views = (): readonly FeedView[] =>
    links.map(({ feed }) => ({
      relayer: feed.relayer,
      table: feed.table,
      freshness: closed ? 'stale' : feed.freshness(),
    }))

  const judgePeer = (peer: { claims: SvidClaims; notAfter: number | null }): Judgement =>
    judge(peer, views(), { deployment, minFresh, wall: clock.wall() })

  const guards = createGuards({
    judge: (peer: Peer) => judgePeer(peer),
    trust,
    report: (access: Access) => {
      for (const { reporter } of links) reporter?.note(access)
    },
    clock,
    log,
  })

  const noteFreshness = (): void => {
    const fresh = countFresh(views()) >= minFresh
    if (fresh && !wasFresh) {
      for (const listener of readyListeners) listener()
      readyListeners.clear()
    }
    if (!fresh && wasFresh) log.warn({ needed: minFresh }, 'too few feeds are fresh: everything is denied')
    wasFresh = fresh
    void (fresh ? guards.cutExpired() : guards.cutRunning())
  }

  let cancelAging = () => {}
  const age = (): void => {
    noteFreshness()
    // Time alone makes a feed stale; nobody else would say so.
    for (const one of links) if (one.feed.freshness() !== one.told) tellOf(one.relayer)
    if (!closed) cancelAging = clock.after(agePeriod, age)
  }

  const tls: MutualTls = createMutualTls({
    material: () => identity.tls(),
    trustDomain: identity.trustDomain,
    expected: (server) => server.type === 'relayer',
  })
  const stopRenewing = identity.onChange(() => tls.renew())

  const statusOf = ({ feed, acknowledger, reporter }: Link): RelayerStatus => ({
    ...feed.status(),
    acknowledged: acknowledger?.acknowledged() ?? null,
    enrolmentRefused: acknowledger?.refusal() ?? null,
    reports: reporter?.status() ?? null,
  })

  const tellOf = (relayer: string): void => {
    const changed = links.find((one) => one.relayer === relayer)
    if (changed === undefined) return
    const status = statusOf(changed)
    changed.told = status.freshness
    for (const listener of relayerListeners) listener(status)
  }

  const endLink = async ({ feed, acknowledger, reporter }: Link): Promise<void> => {
    acknowledger?.close()
    await Promise.all([feed.close(), reporter?.close()])
  }

  const link = (relayer: FollowedRelayer): Link => {
    const { mtlsUrl } = relayer
    const tell = () => tellOf(relayer.relayer)
    const post = (path: string) => (body: unknown) =>
      postMutual({ tls, url: urlUnder(mtlsUrl ?? '', path), body, timeout: callTimeout })
    const acknowledger =
      mtlsUrl === undefined
        ? null
        : createAcknowledger({ post: post('/acknowledgements'), clock, random, log, onChange: tell })
    const reporter = mtlsUrl === undefined ? null : createReporter({ post: post('/reports'), clock, log })
    // A point is acknowledged once its own cuts and all earlier ones are through.
    let settled: Promise<unknown> = Promise.resolve()
    const acknowledge = (at: FeedPoint, cut: Promise<number>): void => {
      settled = Promise.all([cut, settled]).then(([closedConnections]) =>
        acknowledger?.enforced(at, closedConnections),
      )
    }
    const feed = followFeed({
      relayer,
      deployment: deploymentId(deployment),
      maxStaleness,
      verify: createEd25519Verify(),
      fetch,
      clock,
      random,
      log,
      events: {
        onRow: (type, row, at) => {
          const cut = guards.cutUnder(row)
          acknowledge(at, cut)
          tell()
          if (type !== 'kill') return
          void cut.then((closedConnections) => {
            for (const listener of killListeners)
              listener({ relayer: relayer.relayer, row, closedConnections })
          })
        },
        onSnapshot: (at) => {
          acknowledge(at, guards.cutRevoked())
          noteFreshness()
          tell()
        },
        onChange() {
          noteFreshness()
          tell()
        },
      },
    })
    return { relayer: relayer.relayer, feed, told: 'no feed', acknowledger, reporter }
  }
  for (const relayer of options.relayers) links.push(link(relayer))
  age()

  const serverOptions = () => secureServerOptions({ ...identity.tls(), bundle: trust.pem() })

  const check = (peer: CheckedPeer): Decision => {
    let read: { claims: SvidClaims; notAfter: number | null }
    try {
      read = peer instanceof Uint8Array ? readSvid(peer) : { claims: peer, notAfter: null }
    } catch (error) {
      return { allowed: false, problem: unidentifiedProblem(describeError(error)) }
    }
    const judgement = judgePeer(read)
    return judgement.allowed ? judgement : { allowed: false, problem: denialProblem(judgement) }
  }

  return {
    serverOptions,
    guard(server) {
      const release = guards.guard(server)
      const renew = (): void => {
        try {
          server.setSecureContext(serverOptions())
        } catch (error) {
          log.warn({}, `the server keeps its certificate: ${describeError(error)}`)
        }
      }
      const stops = [identity.onChange(renew), trust.onChange(renew)]
      return () => {
        for (const stop of stops) stop()
        release()
      }
    },
    isRevoked: (peer) => !check(peer).allowed,
    check,
    track: (peer, close) => guards.track(readSvid(peer), close),
    onKill(listener) {
      killListeners.add(listener)
      return () => killListeners.delete(listener)
    },
    onRelayer(listener) {
      relayerListeners.add(listener)
      return () => relayerListeners.delete(listener)
    },
    async dropRelayer(relayer) {
      const dropped = links.find((one) => one.relayer === relayer)
      if (dropped === undefined) throw new EnforcerOptionsError('relayers', `has no ${relayer} to be dropped`)
      if (links.length - 1 < minFresh)
        throw new EnforcerOptionsError('minFresh', `is ${minFresh}; without ${relayer} too few are left`)
      links.splice(links.indexOf(dropped), 1)
      log.warn({ relayer, rows: dropped.feed.table.size }, 'the relayer is dropped, and its kills with it')
      noteFreshness()
      await endLink(dropped)
    },
    ready: () =>
      wasFresh
        ? Promise.resolve()
        : new Promise((resolve) => {
            readyListeners.add(resolve)
          }),
    status: () => ({
      fresh: countFresh(views()) >= minFresh,
      connections: guards.connections,
      relayers: links.map(statusOf),
    }),
    async close() {
      if (closed) return
      closed = true
      cancelAging()
      stopRenewing()
      trust.close()
      void guards.cutRunning()
      await Promise.all(links.map(endLink))
      tls.close()
    },
  }
}
