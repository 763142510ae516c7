import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveAgentId } from './agentId.ts'
import type { Hex } from './hex.ts'
import { uuidFromAgentId, uuidV8OfHash } from './uuid.ts'

const hex = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((b): Hex => `0x${Buffer.from(b).toString('hex')}`)

test('is the UUIDv8 over keccak256(chain id, contract, registrant, salt), each in 32 bytes', () => {
  fc.assert(
    fc.property(fc.nat(), hex(20), hex(20), hex(32), (chainId, contract, registrant, salt) => {
      const words = [chainId.toString(16), contract.slice(2), registrant.slice(2), salt.slice(2)]
      const bytes = Buffer.from(words.map((word) => word.padStart(64, '0')).join(''), 'hex')
      const hash = BigInt(`0x${Buffer.from(keccak_256(bytes)).toString('hex')}`)
      expect(deriveAgentId({ chainId, contract }, registrant, salt)).toBe(uuidV8OfHash(hash))
    }),
  )
})

test('another chain, contract, registrant or salt is another agent', () => {
  const contract: Hex = `0x${'11'.repeat(20)}`
  const registrant: Hex = `0x${'22'.repeat(20)}`
  const salt: Hex = `0x${'33'.repeat(32)}`
  const ids = [
    deriveAgentId({ chainId: 1, contract }, registrant, salt),
    deriveAgentId({ chainId: 2, contract }, registrant, salt),
    deriveAgentId({ chainId: 1, contract: registrant }, registrant, salt),
    deriveAgentId({ chainId: 1, contract }, contract, salt),
    deriveAgentId({ chainId: 1, contract }, registrant, `0x${'34'.repeat(32)}`),
  ]
  expect(new Set(ids.map(uuidFromAgentId)).size).toBe(5)
})
