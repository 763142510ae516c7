import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { attestationMessage, InvalidAttestationError } from '../../protocol/attestation.ts'
import type { Hex } from '../../protocol/hex.ts'
import { BadProofError, UnusableAgentKeyError, verifyAttestation } from './attestation.ts'
import {
  type Challenges,
  challengeLifetime,
  createChallenges,
  ExpiredChallengeError,
  UnknownChallengeError,
} from './challenges.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const hexOf = (key: KeyObject): Hex =>
  `0x${Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url').toString('hex')}`
const key = hexOf(publicKey)
const parts = {
  trustDomain: 'killswitch.ai',
  relayer: 'relayer-key',
  spiffeId: 'spiffe://killswitch.ai/trader/0f8fad5b-d9cb-869f-a165-70867728950e',
  spki: Uint8Array.of(1, 2, 3),
}
const prove = (message: Parameters<typeof attestationMessage>[0], by = privateKey): Uint8Array =>
  sign(null, attestationMessage(message), by)

let monotonic = 0
let wall = 1_000_000
const clock = { monotonic: () => monotonic, wall: () => wall }
let challenges: Challenges
beforeEach(() => {
  monotonic = 5000
  wall = 1_000_000
  challenges = createChallenges({ clock })
})

describe('a challenge', () => {
  test('is 32 random bytes in base64url, and its end is told by the wall clock', () => {
    const { challenge, expiresAt } = challenges.issue()
    expect(challenge).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(expiresAt).toBe(1_060_000)
    expect(challenges.issue().challenge).not.toBe(challenge)
    const fixed = createChallenges({ clock, random: (length) => new Uint8Array(length).fill(0xff) })
    expect(fixed.issue().challenge).toBe(Buffer.alloc(32, 0xff).toString('base64url'))
  })

  test('is used once', () => {
    const { challenge } = challenges.issue()
    challenges.take(challenge)
    expect(() => challenges.take(challenge)).toThrow(UnknownChallengeError)
    expect(() => challenges.take('never issued')).toThrow(UnknownChallengeError)
  })

  test.each([
    [challengeLifetime - 1, null],
    [challengeLifetime, ExpiredChallengeError],
    [challengeLifetime + 1, ExpiredChallengeError],
    [challengeLifetime * 10, ExpiredChallengeError],
  ])('taken after %i ms', (after, refusal) => {
    const { challenge } = challenges.issue()
    monotonic += after
    wall -= 86_400_000
    const take = () => challenges.take(challenge)
    if (refusal === null) expect(take).not.toThrow()
    else expect(take).toThrow(refusal)
    expect(take).toThrow(UnknownChallengeError)
  })

  test('gives way to newer ones beyond the limit', () => {
    const few = createChallenges({ clock, limit: 3 })
    const issued = [1, 2, 3, 4].map(() => few.issue().challenge)
    expect(few.size()).toBe(3)
    expect(() => few.take(issued[0] as string)).toThrow(UnknownChallengeError)
    for (const challenge of issued.slice(1)) few.take(challenge)
    expect(few.size()).toBe(0)
  })

  test('that nobody uses is forgotten', () => {
    for (let i = 0; i < 100; i++) challenges.issue()
    monotonic += 2 * challengeLifetime
    challenges.issue()
    expect(challenges.size()).toBe(1)
  })
})

describe('an attestation', () => {
  const ask = () => ({ ...parts, challenge: challenges.issue().challenge })

  test('of the registered key is taken, once', () => {
    const message = ask()
    const attestation = { message, key, proof: prove(message) }
    expect(() => verifyAttestation(challenges, attestation)).not.toThrow()
    expect(() => verifyAttestation(challenges, attestation)).toThrow(UnknownChallengeError)
  })

  test('of another key is refused and uses the challenge up', () => {
    const message = ask()
    const other = generateKeyPairSync('ed25519').privateKey
    expect(() => verifyAttestation(challenges, { message, key, proof: prove(message, other) })).toThrow(
      BadProofError,
    )
    expect(() => verifyAttestation(challenges, { message, key, proof: prove(message) })).toThrow(
      UnknownChallengeError,
    )
  })

  test('too late is refused', () => {
    const message = ask()
    monotonic += challengeLifetime
    expect(() => verifyAttestation(challenges, { message, key, proof: prove(message) })).toThrow(
      ExpiredChallengeError,
    )
  })

  test.each<[string, Partial<typeof parts>]>([
    ['trust domain', { trustDomain: 'other.ai' }],
    ['relayer', { relayer: 'another-relayer' }],
    ['SPIFFE ID', { spiffeId: parts.spiffeId.replace(/e$/, 'f') }],
    ['CSR key', { spki: Uint8Array.of(1, 2, 4) }],
  ])('relayed with another %s is refused', (_, changes) => {
    const message = ask()
    const proof = prove({ ...message, ...changes })
    expect(() => verifyAttestation(challenges, { message, key, proof })).toThrow(BadProofError)
  })

  test('with the challenge of another attestation is refused', () => {
    const message = ask()
    const proof = prove(ask())
    expect(() => verifyAttestation(challenges, { message, key, proof })).toThrow(BadProofError)
  })

  test('with a line break in a part is refused', () => {
    const message = { ...ask(), relayer: 'a\nb' }
    const attestation = { message, key, proof: new Uint8Array(64) }
    expect(() => verifyAttestation(challenges, attestation)).toThrow(InvalidAttestationError)
  })

  test.each([0, 63, 65])('with a proof of %i octets is refused', (length) => {
    const proof = new Uint8Array(length)
    expect(() => verifyAttestation(challenges, { message: ask(), key, proof })).toThrow(BadProofError)
  })

  // R = the neutral element and S = 0: by the equation of RFC 8032, section 5.1.7, a signature of every message for a
  // key of order 1, and of one message in two, four or eight for the others.
  const forged = Uint8Array.from([1, ...new Uint8Array(63)])
  const neutral = `0x01${'00'.repeat(31)}` as const

  test.each<[string, Hex]>([
    ['no key', `0x${'00'.repeat(32)}`],
    ['the neutral element', neutral],
    ['the neutral element, sign bit set', `0x01${'00'.repeat(30)}80`],
    ['order 2', `0xec${'ff'.repeat(30)}7f`],
    ['order 4, unreduced', `0xed${'ff'.repeat(30)}7f`],
    ['the neutral element, unreduced', `0xee${'ff'.repeat(30)}7f`],
    ['order 8', '0x26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8, the other', '0xc7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['31 octets', `0x${'11'.repeat(31)}`],
    ['upper case', `0x${'AA'.repeat(32)}`],
  ])('for a registered key that is %s is refused', (_, weak) => {
    expect(() => verifyAttestation(challenges, { message: ask(), key: weak, proof: forged })).toThrow(
      UnusableAgentKeyError,
    )
  })
})
