import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { bloomMayContain, bloomOfLogs } from './bloom.ts'

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((value): Hex => `0x${Buffer.from(value).toString('hex')}`)
const logs = fc.array(fc.record({ address: hex(20), topics: fc.array(hex(32), { maxLength: 4 }) }), {
  maxLength: 20,
})

test('the filter of no logs is empty and excludes everything', () => {
  expect(bloomOfLogs([])).toBe(`0x${'00'.repeat(256)}`)
  expect(bloomMayContain(bloomOfLogs([]), `0x${'11'.repeat(20)}`)).toBe(false)
})

test('a filter contains what it was made of', () => {
  fc.assert(
    fc.property(logs, (some) => {
      const bloom = bloomOfLogs(some)
      for (const log of some) {
        for (const value of [log.address, ...log.topics]) expect(bloomMayContain(bloom, value)).toBe(true)
      }
    }),
  )
})

// Yellow Paper bits of keccak-256(0x00…00, 20 bytes) = 0x5380c7b7…: 0x5380, 0xc7b7, 0xae81, low 11 bits each.
test('the three bits are those of the Yellow Paper', () => {
  const bits = [0x5380, 0xc7b7, 0xae81].map((pair) => pair & 2047)
  const bytes = new Uint8Array(256)
  for (const bit of bits) bytes[255 - (bit >> 3)] = (bytes[255 - (bit >> 3)] as number) | (1 << (bit & 7))
  expect(bloomOfLogs([{ address: `0x${'00'.repeat(20)}`, topics: [] }])).toBe(
    `0x${Buffer.from(bytes).toString('hex')}`,
  )
})
