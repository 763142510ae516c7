import type { Clock } from '../clock.ts'
import { bundleDocument } from './bundle.ts'
import { createCrl } from './crl.ts'
import type { IdentityProvider } from './provider.ts'
import type { SigningAuthority } from './signingAuthority.ts'

/** s; readers of the bundle look again after this. */
const refreshHint = 300

/** ms; how long verifiers take a list. A list is made whenever one is asked for after a kill. */
export const crlLifetime = 24 * 3_600_000

/** The identity provider that issues by a signing authority of its own. */
export function createEmbeddedProvider(options: {
  readonly authority: SigningAuthority
  readonly clock: Clock
}): IdentityProvider {
  const { authority, clock } = options
  const { certificate } = authority
  // A later authority begins later, so its bundle has a larger sequence without anything to remember.
  const bundle = bundleDocument([certificate.der], Math.floor(certificate.notBefore / 1000), refreshHint)
  let lastCrlNumber = 0

  return {
    trustDomain: authority.trustDomain,
    issue: async (request) => authority.issueSvid({ ...request, now: clock.wall() }),
    bundle: async () => bundle,
    bundlePem: async () => certificate.pem,
    crl: async (revoked) => {
      const now = clock.wall()
      // The time in ms grows across restarts, too; within one run it never stands still.
      lastCrlNumber = Math.max(lastCrlNumber + 1, Math.floor(now))
      return createCrl(authority, { revoked, number: lastCrlNumber, now, nextUpdate: now + crlLifetime })
    },
  }
}
