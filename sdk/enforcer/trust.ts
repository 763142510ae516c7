import { createHash, X509Certificate } from 'node:crypto'
import { toBase64Url } from '../../protocol/bytes.ts'
import { readBounded } from '../client/boundedBody.ts'
import {
  refreshAfter,
  refreshBounds,
  rootsOfBundleDocument,
  TrustBundleError,
} from '../client/bundleDocument.ts'
import type { Clock } from '../client/clock.ts'
import { describeError, type Log } from '../client/log.ts'
import { type Fetch, maxAnswer } from '../client/relayerCall.ts'
import { InsecureUrlError, isProtectedUrl } from '../client/secureUrl.ts'

/** Where a trust domain's roots come from. */
export type BundleSource =
  /** PEM, or what holds it at the moment (an identity's bundle, for instance). */
  | string
  | (() => string)
  /** A SPIFFE bundle document. With `pins` (base64url SHA-256 of a root's SubjectPublicKeyInfo) only those roots count. */
  | { readonly url: string; readonly pins?: readonly string[] }

/** A source of roots by trust domain: a root of one domain never vouches for a peer of another. */
export type TrustBundles = Readonly<Record<string, BundleSource>>

export type Trust = {
  /** All roots as PEM, for TLS. */
  pem(): string
  /** Whether the certificate chain begins below a root of its own trust domain. */
  vouches(trustDomain: string, chain: readonly X509Certificate[]): boolean
  /** @returns what stops the calls */
  onChange(listener: () => void): () => void
  /** A peer is vouched for by no root known here: has the sources asked again, at most every ten seconds. */
  doubt(): void
  close(): void
}

const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g
const fetchTimeout = 5_000
/** Longest chain between an SVID and its root. */
const maxChain = 5

/** @throws {TrustBundleError} */
function parsePem(trustDomain: string, pem: string): readonly X509Certificate[] {
  const roots = (pem.match(certificatePattern) ?? []).map((text) => new X509Certificate(text))
  if (roots.length === 0) throw new TrustBundleError(trustDomain, 'there is no PEM certificate in it')
  return roots
}

const pinOf = (root: X509Certificate): string =>
  toBase64Url(
    createHash('sha256')
      .update(root.publicKey.export({ type: 'spki', format: 'der' }))
      .digest(),
  )

/**
 * Loads the roots of each trust domain and keeps fetched ones up to date. A failed refresh leaves the last roots.
 * @throws {TrustBundleError | InsecureUrlError} when a bundle cannot be had at the start
 */
export async function loadTrust(options: {
  readonly bundles: TrustBundles
  readonly fetch: Fetch
  readonly clock: Clock
  readonly log: Log
  /** Has sources that are functions brought up to date. */
  readonly refresh?: () => unknown
}): Promise<Trust> {
  const { clock, log } = options
  let lastDoubt = Number.NEGATIVE_INFINITY
  const fetched = new Map<string, readonly X509Certificate[]>()
  const parsed = new Map<string, readonly X509Certificate[]>()
  const listeners = new Set<() => void>()
  const cancels = new Map<string, () => void>()

  /** @returns ms until the next time */
  const refresh = async (
    trustDomain: string,
    url: string,
    pins: readonly string[] | undefined,
  ): Promise<number> => {
    let text: string
    try {
      const response = await options.fetch(url, {
        redirect: 'error',
        signal: AbortSignal.timeout(fetchTimeout),
      })
      text = await readBounded(response.body, maxAnswer)
      if (!response.ok) throw new Error(`status ${response.status}`)
    } catch (cause) {
      throw new TrustBundleError(trustDomain, `${url} could not be fetched: ${describeError(cause)}`, cause)
    }
    const roots = rootsOfBundleDocument(trustDomain, text).filter(
      (root) => pins === undefined || pins.includes(pinOf(root)),
    )
    if (roots.length === 0) throw new TrustBundleError(trustDomain, `no root at ${url} has a pinned key`)
    const before = fetched
      .get(trustDomain)
      ?.map((root) => root.fingerprint256)
      .join()
    fetched.set(trustDomain, roots)
    if (before !== undefined && before !== roots.map((root) => root.fingerprint256).join()) {
      for (const listener of listeners) listener()
    }
    return refreshAfter(text)
  }

  const keepFresh = (
    trustDomain: string,
    url: string,
    pins: readonly string[] | undefined,
    delay: number,
  ): void => {
    const again = (): void => {
      refresh(trustDomain, url, pins).then(
        (next) => {
          if (cancels.has(trustDomain)) keepFresh(trustDomain, url, pins, next)
        },
        (error: unknown) => {
          log.warn({ trustDomain }, describeError(error))
          if (cancels.has(trustDomain)) keepFresh(trustDomain, url, pins, delay)
        },
      )
    }
    cancels.get(trustDomain)?.()
    cancels.set(trustDomain, clock.after(delay, again))
  }

  const roots = (trustDomain: string): readonly X509Certificate[] => {
    const source = Object.hasOwn(options.bundles, trustDomain) ? options.bundles[trustDomain] : undefined
    if (source === undefined) return []
    if (typeof source === 'object') return fetched.get(trustDomain) ?? []
    const pem = typeof source === 'string' ? source : source()
    let certificates = parsed.get(pem)
    if (certificates === undefined) {
      certificates = parsePem(trustDomain, pem)
      if (parsed.size >= 64) parsed.clear()
      parsed.set(pem, certificates)
    }
    return certificates
  }

  for (const [trustDomain, source] of Object.entries(options.bundles)) {
    if (typeof source !== 'object') roots(trustDomain)
    else {
      if (source.pins === undefined && !isProtectedUrl(source.url)) {
        throw new InsecureUrlError(source.url, 'pin the roots by their keys (pins)')
      }
      keepFresh(trustDomain, source.url, source.pins, await refresh(trustDomain, source.url, source.pins))
    }
  }

  return {
    pem: () =>
      Object.keys(options.bundles)
        .flatMap((trustDomain) => roots(trustDomain).map((root) => root.toString()))
        .join(''),
    vouches(trustDomain, chain) {
      const trusted = roots(trustDomain)
      for (const certificate of chain.slice(0, maxChain)) {
        if (trusted.some((root) => certificate.checkIssued(root) && certificate.verify(root.publicKey)))
          return true
        const next = chain[chain.indexOf(certificate) + 1]
        if (next === undefined || !certificate.checkIssued(next) || !certificate.verify(next.publicKey))
          return false
      }
      return false
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    doubt() {
      if (clock.monotonic() - lastDoubt < refreshBounds.least) return
      lastDoubt = clock.monotonic()
      options.refresh?.()
      for (const [trustDomain, source] of Object.entries(options.bundles))
        if (typeof source === 'object') keepFresh(trustDomain, source.url, source.pins, 0)
    },
    close() {
      for (const cancel of cancels.values()) cancel()
      cancels.clear()
    },
  }
}
