import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentIdFromUuid, InvalidUuidError, isUuid, uuidFromAgentId, uuidV8OfHash } from './uuid.ts'

// RFC 9562, sections 5.9, 5.10 and appendices A and B.
const examples = [
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'c232ab00-9414-11ec-b3c8-9f6bdeced846',
  '5df41881-3aed-3515-88a7-2f4a814cf09e',
  '919108f7-52d1-4320-9bac-f847db4148a8',
  '2ed6657d-e927-568b-95e1-2665a8aea6a2',
  '1ec9414c-232a-6b00-b3c8-9f6bdeced846',
  '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  '2489e9ad-2ee2-8e00-8ec9-32d5f69181c0',
  '5c146b14-3c52-8afd-938a-375d0df1fbf6',
]

test.each(examples)('RFC 9562 example %s', (uuid) => {
  expect(isUuid(uuid)).toBe(true)
  expect(uuidFromAgentId(agentIdFromUuid(uuid))).toBe(uuid)
  if (/[a-f]/.test(uuid)) expect(isUuid(uuid.toUpperCase())).toBe(false)
})

test('the number is the one of the octets in order (RFC 9562, section 4)', () => {
  expect(agentIdFromUuid('f81d4fae-7dec-11d0-a765-00a0c91e6bf6')).toBe(0xf81d4fae7dec11d0a76500a0c91e6bf6n)
})

test('a version 8 UUID of a hash (RFC 9562, appendix B.2)', () => {
  const dnsNamespace = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex')
  const hash = createHash('sha256').update(dnsNamespace).update('www.example.com').digest('hex')
  expect(uuidFromAgentId(uuidV8OfHash(BigInt(`0x${hash}`)))).toBe('5c146b14-3c52-8afd-938a-375d0df1fbf6')
})

test('every hash gives version 8 and the RFC variant, and keeps its other 122 bits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (hash) => {
      const uuid = uuidFromAgentId(uuidV8OfHash(hash))
      expect(uuid).toMatch(/^.{8}-.{4}-8.{3}-[89ab].{3}-.{12}$/)
      const fixed = (0xfn << 76n) | (3n << 62n)
      expect(uuidV8OfHash(hash) & ~fixed).toBe((hash >> 128n) & ~fixed)
    }),
  )
})

test('number and text determine each other', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (id) => {
      expect(agentIdFromUuid(uuidFromAgentId(id))).toBe(id)
    }),
  )
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      expect(uuidFromAgentId(agentIdFromUuid(uuid))).toBe(uuid)
    }),
  )
})

test.each([-1n, 1n << 128n, 1n << 256n])('%s is no UUID', (id) => {
  expect(() => uuidFromAgentId(id)).toThrow(InvalidUuidError)
})

test.each([
  '',
  '5c146b143c528afd938a375d0df1fbf6',
  '{5c146b14-3c52-8afd-938a-375d0df1fbf6}',
  '5c146b14-3c52-8afd-938a-375d0df1fbf6\n',
  '5c146b14-3c52-8afd-938a-375d0df1fbfg',
  '5c146b14-3c52-8afd-938a-375d0df1fbf',
])('refuses %j', (text) => {
  expect(() => agentIdFromUuid(text)).toThrow(InvalidUuidError)
})
