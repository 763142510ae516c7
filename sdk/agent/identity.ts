import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { formatSpiffeId, parseSpiffeId } from '../../protocol/spiffeId.ts'
import { backoffDelay } from '../client/backoff.ts'
import { type Clock, systemClock } from '../client/clock.ts'
import { describeError, type Log, silentLog } from '../client/log.ts'
import { createMutualTls, type MutualTls, postMutual, type TlsMaterial } from '../client/mutualTls.ts'
import { type Problem, problemBase } from '../client/problem.ts'
import { type Fetch, RelayerRefusedError } from '../client/relayerCall.ts'
import { InsecureUrlError, isProtectedUrl, urlUnder } from '../client/secureUrl.ts'
import { createCsr } from './csr.ts'
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
  close(): void
}

/** Where and how an identity is had; times in ms. */
export type IdentityOptions = {
  /** Public listener. Plain http only on this machine, or with `trustBundle`. */
  readonly relayerUrl: string
  /** Mutual TLS listener, for renewals. */
  readonly mtlsUrl: string
  readonly spiffeId: string
  /** Roots (PEM) to trust instead of those that come with the SVID. */
  readonly trustBundle?: string
  readonly fetch?: Fetch
  readonly clock?: Clock
  /** in [0, 1) */
  readonly random?: () => number
  readonly log?: Log
}

/** Asks for an SVID for a CSR, without having one. `spki` is the CSR's public key. */
export type FirstIssue = (csr: { readonly pem: string; readonly spki: Uint8Array }) => Promise<unknown>

export const callTimeout = 10_000
const backoff = { first: 1_000, longest: 30_000 }

/**
 * Holds an SVID: has one issued, renews it at half life over mutual TLS, and turns to `issue` again where that is
 * refused or `proofPeriod` has passed. Keys never leave the process; each SVID has a new one.
 * @param proofPeriod ms; Infinity where `issue` works only once
 * @throws {AgentKilledError | InsecureUrlError | RelayerRefusedError | RelayerUnreachableError | InvalidIssueError}
 */
export async function holdIdentity(
  options: IdentityOptions,
  how: { readonly issue: FirstIssue; readonly proofPeriod: number; readonly held?: HeldSvid | null },
): Promise<Identity> {
  const { clock = systemClock, random = Math.random, log = silentLog, mtlsUrl } = options
  const { trustDomain } = parseSpiffeId(options.spiffeId)
  const spiffeId = formatSpiffeId(parseSpiffeId(options.spiffeId))
  if (options.trustBundle === undefined && !isProtectedUrl(options.relayerUrl)) {
    throw new InsecureUrlError(options.relayerUrl, "give the trust domain's roots (trustBundle)")
  }
  let held: HeldSvid | null = how.held ?? null
  let killed: AgentKilledError | null = null
  let lastError: unknown = null
  let provedAt = Number.NEGATIVE_INFINITY
  let failures = 0
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

  const take = (answer: unknown, privateKey: KeyObject): void => {
    held = readIssued(answer, { spiffeId, privateKey, bundle: options.trustBundle, wall: clock.wall() })
    killed = null
    lastError = null
    tls.renew()
    announce()
  }

  const isKilled = (error: unknown): error is RelayerRefusedError =>
    error instanceof RelayerRefusedError && error.problem.type === `${problemBase}agent-killed`

  const askFor = async (csr: { pem: string; spki: Uint8Array }): Promise<unknown> => {
    const onceOnly = how.proofPeriod === Number.POSITIVE_INFINITY
    const proofDue = !onceOnly && clock.monotonic() - provedAt >= how.proofPeriod
    const usable = killed === null && held !== null && held.expiresAt > clock.wall()
    if (usable && !proofDue) {
      const url = urlUnder(mtlsUrl, '/svid/renew')
      try {
        return await postMutual({ tls, url, body: { csr: csr.pem }, timeout: callTimeout })
      } catch (error) {
        if (isKilled(error) || onceOnly) throw error
        log.warn({ spiffeId }, `renewal failed, attesting again: ${describeError(error)}`)
      }
    }
    const answer = await how.issue(csr)
    provedAt = clock.monotonic()
    return answer
  }

  const renewOnce = async (): Promise<void> => {
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    try {
      const answer = await askFor(createCsr(keys))
      if (closed) return
      take(answer, keys.privateKey)
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
    if (!closed) cancelTimer = clock.after(delay, () => void renew().catch(() => {}))
  }

  const renew = (): Promise<void> => {
    renewing ??= renewOnce()
      .then(
        () => {
          failures = 0
          // Half of the life that is left, give or take a tenth, so that a fleet does not renew together.
          if (held !== null) schedule((held.expiresAt - clock.wall()) * (0.45 + random() / 10))
        },
        (error: unknown) => {
          failures += 1
          log.warn({ spiffeId, failures }, describeError(error))
          // A killed agent asks on, slowly: it may be resumed.
          schedule(
            killed === null ? backoffDelay(backoff, failures, random()) : backoff.longest * (1 + random()),
          )
          throw error
        },
      )
      .finally(() => {
        renewing = null
      })
    return renewing
  }

  try {
    await renew()
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
    close() {
      closed = true
      cancelTimer()
      tls.close()
    },
  }
}
