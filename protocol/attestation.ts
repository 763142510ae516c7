import { sha256 } from '@noble/hashes/sha2.js'
import { toBase64Url } from './bytes.ts'

/**
 * The bytes that an agent signs with its registered Ed25519 key to prove possession (docs/protocol.md, Identities).
 * They bind trust domain, relayer, challenge, identity and the CSR's key, so that a proof cannot be relayed.
 * @param spki DER SubjectPublicKeyInfo of the CSR
 */
export const attestationMessage = (parts: {
  readonly trustDomain: string
  readonly relayer: string
  readonly challenge: string
  readonly spiffeId: string
  readonly spki: Uint8Array
}): Uint8Array =>
  new TextEncoder().encode(
    [
      'killswitch-attest-v1',
      parts.trustDomain,
      parts.relayer,
      parts.challenge,
      parts.spiffeId,
      toBase64Url(sha256(parts.spki)),
    ].join('\n'),
  )
