import { X509Certificate } from 'node:crypto'

/** One X.509 authority as a JWK (SPIFFE Trust Domain and Bundle, section 4.2): without `kid`, one certificate. */
export type X509AuthorityKey = {
  readonly use: 'x509-svid'
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  /** Base64 (not base64url) DER, exactly one. */
  readonly x5c: readonly [string]
}

/** A SPIFFE bundle document (SPIFFE Trust Domain and Bundle, section 4). */
export type BundleDocument = {
  readonly keys: readonly X509AuthorityKey[]
  /** Grows with every change. */
  readonly spiffe_sequence: number
  /** s */
  readonly spiffe_refresh_hint: number
}

/**
 * The bundle document of a trust domain's signing certificates.
 * @param certificates DER, P-256
 * @param sequence grows with every change of the bundle
 * @param refreshHint s after which readers look again
 */
export const bundleDocument = (
  certificates: readonly Uint8Array[],
  sequence: number,
  refreshHint: number,
): BundleDocument => ({
  keys: certificates.map((der) => {
    const { x = '', y = '' } = new X509Certificate(der).publicKey.export({ format: 'jwk' })
    return { use: 'x509-svid', kty: 'EC', crv: 'P-256', x, y, x5c: [Buffer.from(der).toString('base64')] }
  }),
  spiffe_sequence: sequence,
  spiffe_refresh_hint: refreshHint,
})
