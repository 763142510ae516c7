import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { attestationMessage, InvalidAttestationError } from './attestation.ts'

const line = fc.string({ unit: fc.constantFrom(...'abc:/.-_19'), minLength: 1, maxLength: 8 })
const parts = fc.record({
  trustDomain: line,
  relayer: line,
  challenge: line,
  spiffeId: line,
  spki: fc.uint8Array({ maxLength: 8 }),
})

test('is the six lines of docs/protocol.md, Identities', () => {
  fc.assert(
    fc.property(parts, (p) => {
      const hash = createHash('sha256').update(p.spki).digest('base64url')
      expect(new TextDecoder().decode(attestationMessage(p))).toBe(
        `killswitch-attest-v1\n${p.trustDomain}\n${p.relayer}\n${p.challenge}\n${p.spiffeId}\n${hash}`,
      )
    }),
  )
})

test('no two sets of parts share a message', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = JSON.stringify({ ...a, spki: [...a.spki] }) === JSON.stringify({ ...b, spki: [...b.spki] })
      expect(Buffer.from(attestationMessage(a)).equals(attestationMessage(b))).toBe(same)
    }),
  )
})

test.each(['trustDomain', 'relayer', 'challenge', 'spiffeId'] as const)(
  '%s cannot hold another line',
  (field) => {
    const good = { trustDomain: 'a', relayer: 'b', challenge: 'c', spiffeId: 'd', spki: new Uint8Array() }
    for (const value of ['', 'x\ny', 'x\r', 'x y', 'é']) {
      expect(() => attestationMessage({ ...good, [field]: value })).toThrow(InvalidAttestationError)
    }
  },
)
