import { X509Certificate } from 'node:crypto'

/** A trust bundle cannot be used. */
export class TrustBundleError extends Error {
  override readonly name = 'TrustBundleError'
  readonly trustDomain: string
  constructor(trustDomain: string, why: string, cause?: unknown) {
    super(`trust bundle of ${trustDomain}: ${why}`, { cause })
    this.trustDomain = trustDomain
  }
}

/** How often bundles are fetched again, in ms: as the document's `spiffe_refresh_hint` says, within these bounds. */
export const refreshBounds = { least: 10_000, most: 300_000 }

/** ms until a bundle document wants to be fetched again. */
export function refreshAfter(text: string): number {
  const { spiffe_refresh_hint: hint } = JSON.parse(text) as { spiffe_refresh_hint?: unknown }
  const { least, most } = refreshBounds
  return typeof hint === 'number' && hint > 0 ? Math.min(most, Math.max(least, hint * 1_000)) : most
}

/**
 * The roots in a SPIFFE bundle document (SPIFFE Trust Domain and Bundle, section 4): keys of use `x509-svid`.
 * @throws {TrustBundleError}
 */
export function rootsOfBundleDocument(trustDomain: string, text: string): readonly X509Certificate[] {
  let keys: unknown
  try {
    keys = (JSON.parse(text) as { keys?: unknown }).keys
  } catch (cause) {
    throw new TrustBundleError(trustDomain, 'the document is no JSON', cause)
  }
  if (!Array.isArray(keys)) throw new TrustBundleError(trustDomain, 'the document has no keys')
  const roots = keys.flatMap((key: { use?: unknown; x5c?: unknown }) =>
    key.use === 'x509-svid' && Array.isArray(key.x5c) && typeof key.x5c[0] === 'string'
      ? [new X509Certificate(Buffer.from(key.x5c[0], 'base64'))]
      : [],
  )
  if (roots.length === 0) throw new TrustBundleError(trustDomain, 'the document has no x509-svid key')
  return roots
}
