import { expect, test } from 'vitest'
import { DelegationTextError, readSignedDelegation, writeSignedDelegation } from './delegation.ts'

const place = { chainId: 31337, token: `0x${'aa'.repeat(20)}` } as const
const signed = {
  ...place,
  delegatee: `0x${'bb'.repeat(20)}`,
  nonce: 2n ** 200n,
  expiry: 1_900_000_000n,
  signature: `0x${'12'.repeat(65)}`,
} as const
const fields = JSON.parse(writeSignedDelegation(signed)) as Record<string, unknown>

test('what was copied is what was signed', () => {
  expect(readSignedDelegation(writeSignedDelegation(signed), place)).toEqual(signed)
  expect(readSignedDelegation(JSON.stringify({ ...fields, token: `0x${'AA'.repeat(20)}` }), place)).toEqual(
    signed,
  )
})

test.each([
  ['text', 'nonsense'],
  ['signature', 'null'],
  ['token', JSON.stringify({ ...fields, token: `0x${'cc'.repeat(20)}` })],
  ['token', JSON.stringify({ ...fields, chainId: 1 })],
  ['signature', JSON.stringify({ ...fields, signature: '0x12' })],
  ['delegatee', JSON.stringify({ ...fields, delegatee: 'bob' })],
  ['nonce', JSON.stringify({ ...fields, nonce: -1 })],
  ['expiry', JSON.stringify({ ...fields, expiry: '1.5' })],
])('%s: %s is refused by name', (field, text) => {
  const read = () => readSignedDelegation(text, place)
  expect(read).toThrow(DelegationTextError)
  expect(read).toThrow(field)
})
