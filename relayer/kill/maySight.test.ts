import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../protocol/registry.ts'
import { ownerTarget } from '../../protocol/scope.ts'
import { maySight } from './maySight.ts'

const alice: Hex = `0x${'a1'.repeat(20)}`
const mallory: Hex = `0x${'bad0'.repeat(10)}`
const digest: Hex = `0x${'12'.repeat(32)}`
const other: Hex = `0x${'34'.repeat(32)}`
const target = ownerTarget(alice)
const order: KillOrder = {
  authority: alice,
  ...target,
  reason: 1,
  text: '',
  issuedAt: 1_000n,
  deadline: 2_000n,
  nonce: 5n,
}
const killed = (orderDigest: Hex | null, authority = alice) =>
  ({
    type: 'Killed',
    ...target,
    authority,
    rank: Rank.Owner,
    reason: 1,
    sequence: 7,
    orderDigest,
    text: '',
  }) as const

const judge = (
  granted: readonly RegistryEvent[],
  now: number,
  proof: KillOrder | null = order,
  authority = alice,
) => {
  const registry = createRegistry()
  for (const event of granted) applyRegistryEvent(registry, event, 1_000)
  return maySight(registry, killed(proof === null ? null : digest, authority), proof, now)
}

test("the authority's own call and an order that could still land may act on the word of one RPC", () => {
  expect(judge([], 1_500, null)).toBe(true)
  expect(judge([], 1_500)).toBe(true)
})

test('without power over the subject at that rank, neither may', () => {
  expect(judge([], 1_500, null, mallory)).toBe(false)
  const breaker = { type: 'EmergencyGovernorChanged', emergencyGovernor: alice } as const
  expect(judge([breaker], 1_500, null)).toBe(false)
})

test.each([
  [2_000, true],
  [2_060, true],
  [2_061, false],
])('at %i s an order of deadline 2000, whose last block takes its time, may: %s', (now, may) => {
  expect(judge([], now)).toBe(may)
})

const taken = { authority: alice, nonce: 5n, sequence: 3 } as const
test.each<[string, RegistryEvent, boolean]>([
  [
    'burnt',
    { type: 'OrderBurned', authority: alice, nonce: 5n, orderDigest: digest, effectiveAt: 1_500 },
    false,
  ],
  [
    'burnt from later on',
    { type: 'OrderBurned', authority: alice, nonce: 5n, orderDigest: digest, effectiveAt: 1_501 },
    true,
  ],
  ['landed', killed(digest), false],
  ['of a nonce that another took', { type: 'OrderLanded', ...taken, orderDigest: other }, false],
  [
    'from before a resume was requested',
    { type: 'Resumed', ...target, authority: alice, sequence: 4, requestTime: 1_001 },
    false,
  ],
  [
    'from when a resume was requested',
    { type: 'Resumed', ...target, authority: alice, sequence: 4, requestTime: 1_000 },
    true,
  ],
])('an order %s: %#', (_, event, may) => {
  expect(judge([event], 1_500)).toBe(may)
})
