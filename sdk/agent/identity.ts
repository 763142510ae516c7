import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { formatSpiffeId, parseSpiffeId } from '../../protocol/spiffeId.ts'
import { backoffDelay } from '../client/backoff.ts'
import { rootsOfBundleDocument } from '../client/bundleDocument.ts'
import { type Clock, pause, systemClock } from '../client/clock.ts'
import { describeError, type Log, silentLog } from '../client/log.ts'
import {
  createMutualTls,
  isUntrusted,
  type MutualTls,
  postMutual,
  type TlsMaterial,
} from '../client/mutualTls.ts'
import { type Problem, problemBase } from '../client/problem.ts'
import { callPublic, type Fetch, RelayerRefusedError } from '../client/relayerCall.ts'
import { InsecureUrlError, isProtectedUrl, urlUnder } from '../client/secureUrl.ts'
import { createCsr } from './csr.ts'
import { coolsUntil, isBusy } from './refusals.ts'
import { type HeldSvid, readIssued } from './svid.ts'

/** The relayer gives no SVID because the agent was killed; only a resume by its authorities helps. */
export class AgentKilledError extends Error {
  override readonly name = 'AgentKilledError'
  readonly spiffeId: string
  readonly problem: Problem
  constructor(spiffeId: string, problem: Problem) {
    super(`${spiffeId} is killed: ${problem.detail} An authority of sufficient rank can resume it.`)
    this.spiffeId = spiffeId
    this.problem = problem
  }
}

/** There is no valid SVID at the moment; renewing goes on in the background. */
export class NoSvidError extends Error {
  override readonly name = 'NoSvidError'
  readonly spiffeId: string
  readonly expiredAt: number
  constructor(spiffeId: string, expiredAt: number, cause: unknown) {
    super(
      `the SVID of ${spiffeId} ended at ${new Date(expiredAt).toISOString()} and could not be renewed${cause === null ? '' : `: ${describeError(cause)}`}`,
      { cause },
    )
    this.spiffeId = spiffeId
    this.expiredAt = expiredAt
  }
}

export type Identity = {
  readonly spiffeId: string
  readonly trustDomain: string
  /** @throws {AgentKilledError | NoSvidError} when there is no valid one */
  svid(): HeldSvid
  /** For mutual TLS, as enforcers and `createMutualTls` take it. @throws like `svid` */
  tls(): TlsMaterial
  /** For `tls.connect`, `https.request` and `https.createServer`. @throws like `svid` */
  tlsOptions(): {
    readonly cert: string
    readonly key: string
    readonly ca: string
    readonly minVersion: 'TLSv1.3'
  }
  /** Called when there is a new SVID, and when the agent is found killed. @returns what stops the calls */
  onChange(listener: () => void): () => void
  /** Renews now. @throws {AgentKilledError | RelayerRefusedError | RelayerUnreachableError | InvalidIssueError} */
  renew(): Promise<void>
  /**
   * Fetches the roots of the trust domain anew from the relayer, at most every ten seconds and not where `trustBundle`
   * gives them. It is done by itself when a relayer or a service shows a certificate of an unknown root.
   * @returns whether they have changed
   * @throws {RelayerRefusedError | RelayerUnreachableError | TrustBundleError}
   */
  refreshBundle(): Promise<boolean>
  close(): void
}

/** A relayer that gives identities; of the same shape as those that an enforcer follows. */
export type IssuingRelayer = {
  /** Public listener. Plain http only on this machine, or with `trustBundle`. */
  readonly url: string
  /** Mutual TLS listener, for renewals. */
  readonly mtlsUrl: string
  /** Its Ed25519 feed key, base64url: an agent's proof is good for this relayer only. */
  readonly relayer: string
}

/** Where and how an identity is had; times in ms. */
export type IdentityOptions = {
  /** At least one. The one that answered last is asked first, the others in their order when it does not help. */
  readonly relayers: readonly IssuingRelayer[]
  readonly spiffeId: string
  /** Roots (PEM) to trust instead of those that come with the SVID. */
  readonly trustBundle?: string
  readonly fetch?: Fetch
  readonly clock?: Clock
  /** in [0, 1) */
  readonly random?: () => number
  readonly log?: Log
}

/** Asks a relayer for an SVID for a CSR, without having one. `spki` is the CSR's public key. */
export type FirstIssue = (
  csr: { readonly pem: string; readonly spki: Uint8Array },
  relayer: IssuingRelayer,
) => Promise<unknown>

/** None of several relayers gave an SVID; `errors` says why each did not. */
export class NoRelayerError extends Error {
  override readonly name = 'NoRelayerError'
  readonly spiffeId: string
  readonly errors: readonly unknown[]
  constructor(spiffeId: string, errors: readonly unknown[]) {
    super(
      `none of ${errors.length} relayers gave ${spiffeId} an SVID: ${errors.map(describeError).join('; ')}`,
      { cause: errors[0] },
    )
    this.spiffeId = spiffeId
    this.errors = errors
  }
}

export class NoRelayersError extends Error {
  override readonly name = 'NoRelayersError'
  constructor() {
    super('relayers is empty; name at least one relayer to have an SVID from')
  }
}

export const callTimeout = 10_000
const backoff = { first: 1_000, longest: 30_000 }
/** How often a first SVID is asked for of relayers that are overloaded or still starting, as after a power cut. */
const firstTries = 6
/** Timers do not count a suspend; the clocks are looked at that often (ms), so that it is noticed soon after. */
const longestSleep = 10_000
/** How often the roots are fetched anew at most, in ms. */
const refreshPause = 10_000

/** How often an SVID that waits for a resume's cool-down is asked for at least (ms): a vote may shorten it. */
const coolingPause = 60_000

const errorsOf = (error: unknown): readonly unknown[] =>
  error instanceof NoRelayerError ? error.errors : [error]

/**
 * Holds an SVID: has one issued, renews it at half life over mutual TLS, and turns to `issue` again where that is
 * refused or `proofPeriod` has passed. The cool-down of a resume is waited out, at the start as well. Keys never leave the
 * process; each SVID has a new one.
 * @param proofPeriod ms; Infinity where `issue` works only once
 * @throws {AgentKilledError | InsecureUrlError | RelayerRefusedError | RelayerUnreachableError | InvalidIssueError}
 * @throws {NoRelayerError} where none of several gives one
 */
export async function holdIdentity(
  options: IdentityOptions,
  how: { readonly issue: FirstIssue; readonly proofPeriod: number; readonly held?: HeldSvid | null },
): Promise<Identity> {
  const { clock = systemClock, random = Math.random, log = silentLog, relayers } = options
  const { fetch = globalThis.fetch } = options
  const { trustDomain } = parseSpiffeId(options.spiffeId)
  const spiffeId = formatSpiffeId(parseSpiffeId(options.spiffeId))
  if (relayers.length === 0) throw new NoRelayersError()
  for (const { url } of relayers) {
    if (options.trustBundle === undefined && !isProtectedUrl(url))
      throw new InsecureUrlError(url, "give the trust domain's roots (trustBundle)")
  }
  let held: HeldSvid | null = how.held ?? null
  let killed: AgentKilledError | null = null
  let lastError: unknown = null
  let provedAt = Number.NEGATIVE_INFINITY
  let failures = 0
  /** The relayer that answered last. */
  let current = 0
  let refreshedAt = Number.NEGATIVE_INFINITY
  let refreshing: Promise<boolean> | null = null
  let closed = false
  let cancelTimer = () => {}
  let renewing: Promise<void> | null = null
  const listeners = new Set<() => void>()
  const announce = (): void => {
    for (const listener of listeners) listener()
  }

  const svid = (): HeldSvid => {
    if (killed !== null) throw killed
    if (held === null || held.expiresAt <= clock.wall()) {
      throw new NoSvidError(spiffeId, held?.expiresAt ?? clock.wall(), lastError)
    }
    return held
  }
  const tls: MutualTls = createMutualTls({
    material: svid,
    trustDomain,
    expected: (server) => server.type === 'relayer',
  })

  const fetchBundle = async (): Promise<boolean> => {
    const url = urlUnder((relayers[current] as IssuingRelayer).url, '/bundle')
    const document = await callPublic({ url, fetch, timeout: callTimeout })
    const roots = rootsOfBundleDocument(trustDomain, JSON.stringify(document))
    const bundle = roots.map((root) => root.toString()).join('')
    if (closed || held === null || held.bundle === bundle) return false
    held = { ...held, bundle }
    log.info({ spiffeId, roots: roots.length }, 'the roots of the trust domain have changed')
    tls.renew()
    announce()
    return true
  }

  const refreshBundle = (): Promise<boolean> => {
    // Roots that were given are the operator's to change.
    if (options.trustBundle !== undefined) return Promise.resolve(false)
    if (refreshing === null && clock.monotonic() - refreshedAt < refreshPause) return Promise.resolve(false)
    refreshing ??= fetchBundle().finally(() => {
      refreshedAt = clock.monotonic()
      refreshing = null
    })
    return refreshing
  }

  const isKilled = (error: unknown): error is RelayerRefusedError =>
    error instanceof RelayerRefusedError && error.problem.type === `${problemBase}agent-killed`

  const renewAt = async ({ mtlsUrl }: IssuingRelayer, pem: string): Promise<unknown> => {
    const post = () =>
      postMutual({ tls, url: urlUnder(mtlsUrl, '/svid/renew'), body: { csr: pem }, timeout: callTimeout })
    try {
      return await post()
    } catch (error) {
      // A relayer below a new root: one with the old ones alone would never get another SVID.
      if (!isUntrusted(error) || !(await refreshBundle().catch(() => false))) throw error
      return post()
    }
  }

  const askOne = async (
    csr: { pem: string; spki: Uint8Array },
    relayer: IssuingRelayer,
  ): Promise<unknown> => {
    const onceOnly = how.proofPeriod === Number.POSITIVE_INFINITY
    const proofDue = !onceOnly && clock.monotonic() - provedAt >= how.proofPeriod
    const usable = killed === null && held !== null && held.expiresAt > clock.wall()
    if (usable && !proofDue) {
      try {
        return await renewAt(relayer, csr.pem)
      } catch (error) {
        if (isKilled(error) || onceOnly) throw error
        log.warn({ spiffeId }, `renewal failed, attesting again: ${describeError(error)}`)
      }
    }
    const answer = await how.issue(csr, relayer)
    provedAt = clock.monotonic()
    return answer
  }

  /** One relayer that calls the agent killed is believed, as enforcement points believe it; any other failure is asked around. */
  const askAll = async (privateKey: KeyObject, csr: { pem: string; spki: Uint8Array }): Promise<HeldSvid> => {
    const errors: unknown[] = []
    const order = relayers.map((_, i) => (current + i) % relayers.length)
    for (const n of order) {
      const relayer = relayers[n] as IssuingRelayer
      try {
        const answer = await askOne(csr, relayer)
        const bundle = options.trustBundle
        const issued = readIssued(answer, { spiffeId, privateKey, bundle, wall: clock.wall() })
        current = n
        return issued
      } catch (error) {
        if (isKilled(error) || closed) throw error
        errors.push(error)
        if (relayers.length > 1) log.warn({ spiffeId, relayer: relayer.url }, describeError(error))
      }
    }
    throw errors.length === 1 ? errors[0] : new NoRelayerError(spiffeId, errors)
  }

  const renewOnce = async (): Promise<void> => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    try {
      const issued = await askAll(keys.privateKey, createCsr(keys))
      if (closed) return
      held = issued
      killed = null
      lastError = null
      tls.renew()
      announce()
    } catch (error) {
      if (!isKilled(error)) {
        lastError = error
        throw error
      }
      const wasKilled = killed !== null
      killed = new AgentKilledError(spiffeId, error.problem)
      if (!wasKilled) announce()
      throw killed
    }
  }

  const schedule = (delay: number): void => {
    cancelTimer()
    const due = { wall: clock.wall() + delay, monotonic: clock.monotonic() + delay }
    const sleep = (): void => {
      if (closed) return
      const left = Math.min(due.wall - clock.wall(), due.monotonic - clock.monotonic())
      if (left <= 0) void renew().catch(() => {})
      else cancelTimer = clock.after(Math.min(left, longestSleep), sleep)
    }
    if (!closed) cancelTimer = clock.after(Math.min(delay, longestSleep), sleep)
  }

  /** Until then, a little spread: a whole fleet may wait for the same moment. */
  const coolingDelay = (until: number): number =>
    Math.min(Math.max(until - clock.wall(), 0), coolingPause) + backoffDelay(backoff, 1, random())

  const renew = (): Promise<void> => {
    renewing ??= renewOnce().then(
      () => {
        renewing = null
        failures = 0
        // Half of the life that is left, give or take a tenth, so that a fleet does not renew together. By a clock that
        // is behind more would seem to be left than it ever had.
        if (held !== null) {
          const left = held.expiresAt - Math.max(clock.wall(), held.notBefore)
          schedule(left * (0.45 + random() / 10))
        }
      },
      (error: unknown) => {
        renewing = null
        failures += 1
        log.warn({ spiffeId, failures }, describeError(error))
        const until = coolsUntil(errorsOf(error))
        if (until !== null) schedule(coolingDelay(until))
        // A killed agent asks on, slowly: it may be resumed.
        else
          schedule(
            killed === null ? backoffDelay(backoff, failures, random()) : backoff.longest * (1 + random()),
          )
        throw error
      },
    )
    return renewing
  }

  /** Renews; as long as relayers only say that they cannot now, or from when they will, tries again. */
  const begin = async (): Promise<void> => {
    // The clock's timers keep no process alive, but one that waits for its identity must not end here.
    const alive = setInterval(() => {}, longestSleep)
    try {
      for (let tries = 1; ; ) {
        const failure = await renew().then(
          () => null,
          (error: unknown) => ({ error }),
        )
        if (failure === null) return
        const errors = errorsOf(failure.error)
        const until = coolsUntil(errors)
        const isHopeless = until === null && (tries === firstTries || !isBusy(errors))
        if (held !== null || isHopeless) throw failure.error
        cancelTimer()
        const delay = until === null ? backoffDelay(backoff, tries, random()) : coolingDelay(until)
        if (until === null) tries += 1
        await pause(clock, delay, new AbortController().signal)
      }
    } finally {
      clearInterval(alive)
    }
  }

  try {
    await begin()
  } catch (error) {
    // A saved SVID that still holds is good enough to start with; renewing goes on.
    const usable = killed === null && held !== null && held.expiresAt > clock.wall()
    if (!usable) {
      closed = true
      cancelTimer()
      tls.close()
      throw error
    }
  }

  return {
    spiffeId,
    trustDomain,
    svid,
    tls: svid,
    tlsOptions() {
      const { certificate, privateKey, bundle } = svid()
      return { cert: certificate, key: privateKey, ca: bundle, minVersion: 'TLSv1.3' }
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    renew,
    refreshBundle,
    close() {
      closed = true
      cancelTimer()
      tls.close()
    },
  }
}
