import { verify } from 'node:crypto'
import { attestationMessage } from '../../protocol/attestation.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { Challenges } from './challenges.ts'
import { publicKeyOf } from './publicKey.ts'

/** What an agent claims, and the key that the chain has for it. */
export type Attestation = {
  /** The parts that the proof signs (docs/protocol.md, Identities). */
  readonly message: Parameters<typeof attestationMessage>[0]
  /** The registered Ed25519 key: 32 octets, as the contract has it. */
  readonly key: Hex
  /** Ed25519 signature, 64 octets. */
  readonly proof: Uint8Array
}

export class UnusableAgentKeyError extends Error {
  override readonly name = 'UnusableAgentKeyError'
  readonly key: string
  constructor(key: string, why: string) {
    super(`the registered key ${key} ${why}; the owner has to register an Ed25519 public key`)
    this.key = key
  }
}

export class BadProofError extends Error {
  override readonly name = 'BadProofError'
  readonly spiffeId: string
  constructor(spiffeId: string, why: string) {
    super(
      `the proof for ${spiffeId} ${why}; sign the message of docs/protocol.md, Identities, with the registered key`,
    )
    this.spiffeId = spiffeId
  }
}

/** DER SubjectPublicKeyInfo of an Ed25519 key up to its 32 octets (RFC 8410, section 4). */
const ed25519SpkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/**
 * Keys without a secret: the points of small order, in every spelling, sign bit cleared (the list of libsodium's
 * `ge25519_has_small_order`), among them the zero key that the contract has for "no key" after a transfer. RFC 8032
 * lets verifiers take signatures that anybody can make for them; Node's OpenSSL 3.5 does not, and nothing here is to
 * depend on that.
 */
const smallOrder = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/**
 * Verifies that an agent has the key which is registered for it, and uses the challenge up (also when it fails, so
 * that no challenge is tried twice).
 * @throws {UnknownChallengeError} or ExpiredChallengeError or UnusableAgentKeyError or BadProofError or
 * InvalidAttestationError
 */
export function verifyAttestation(challenges: Challenges, { message, key, proof }: Attestation): void {
  challenges.take(message.challenge)
  const point = readPoint(key)
  if (proof.length !== 64) throw new BadProofError(message.spiffeId, `has ${proof.length} octets, not 64`)
  const bytes = attestationMessage(message)
  let valid: boolean
  try {
    valid = verify(null, bytes, publicKeyOf(Buffer.concat([ed25519SpkiPrefix, point])), proof)
  } catch {
    throw new UnusableAgentKeyError(key, 'is no point of Ed25519')
  }
  if (!valid) throw new BadProofError(message.spiffeId, 'is not that of the registered key over this request')
}

function readPoint(key: Hex): Buffer {
  if (!/^0x[0-9a-f]{64}$/.test(key)) throw new UnusableAgentKeyError(key, 'has not 32 octets in lower case')
  const point = Buffer.from(key.slice(2), 'hex')
  const unsigned = Buffer.from(point)
  unsigned[31] = (unsigned[31] as number) & 0x7f
  if (smallOrder.has(unsigned.toString('hex'))) throw new UnusableAgentKeyError(key, 'has no secret')
  return point
}
