import type { BundleDocument } from './bundle.ts'
import type { Crl, RevokedSvid } from './crl.ts'
import type { IssuedSvid, SvidRequest } from './signingAuthority.ts'

/** What an SVID is issued for; the provider has its own clock. */
export type IssueRequest = Omit<SvidRequest, 'now'>

/** No SVIDs or lists from this provider: with SPIRE, workloads get their SVIDs from its agents. */
export class NotProvidedError extends Error {
  override readonly name = 'NotProvidedError'
  readonly what: string
  constructor(provider: string, what: string) {
    super(`${provider} provides no ${what}; get it from ${provider} itself`)
    this.what = what
  }
}

/**
 * Who issues the identities of one trust domain. Whether somebody may have one is decided before it is asked.
 * Everything is asynchronous, for a provider may be a server elsewhere; what a provider cannot do it refuses with
 * `NotProvidedError`.
 */
export type IdentityProvider = {
  readonly trustDomain: string
  readonly issue: (request: IssueRequest) => Promise<IssuedSvid>
  /** The trust domain's bundle document (SPIFFE Trust Domain and Bundle, section 4). */
  readonly bundle: () => Promise<BundleDocument>
  /** The trust domain's signing certificates, PEM one after the other: what TLS libraries take as `ca`. */
  readonly bundlePem: () => Promise<string>
  /** A new list of these SVIDs. */
  readonly crl: (revoked: Iterable<RevokedSvid>) => Promise<Crl>
}
