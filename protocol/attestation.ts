import { sha256 } from '@noble/hashes/sha2.js'
import { toBase64Url } from './bytes.ts'

/** A part that would shift the lines of the message, so that it could be read as another one. */
export class InvalidAttestationError extends Error {
  override readonly name = 'InvalidAttestationError'
  readonly field: string
  readonly value: string
  constructor(field: string, value: string) {
    super(`attestation: ${field} is not a line of printable ASCII without spaces`)
    this.field = field
    this.value = value
  }
}

/**
 * The bytes that an agent signs with its registered Ed25519 key to prove possession (docs/protocol.md, Identities).
 * They bind trust domain, relayer, challenge, identity and the CSR's key, so that a proof cannot be relayed.
 * @param parts `spki` is the DER SubjectPublicKeyInfo of the CSR
 * @throws {InvalidAttestationError}
 */
export const attestationMessage = (parts: {
  readonly trustDomain: string
  readonly relayer: string
  readonly challenge: string
  readonly spiffeId: string
  readonly spki: Uint8Array
}): Uint8Array => {
  const { spki, ...texts } = parts
  for (const [field, value] of Object.entries(texts)) {
    if (!/^[!-~]+$/.test(value)) throw new InvalidAttestationError(field, value)
  }
  return new TextEncoder().encode(
    [
      'killswitch-attest-v1',
      texts.trustDomain,
      texts.relayer,
      texts.challenge,
      texts.spiffeId,
      toBase64Url(sha256(spki)),
    ].join('\n'),
  )
}
