import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { ownerTarget, targetKey } from '../../protocol/scope.ts'
import { createRevocationList } from './revocationList.ts'

const owner: Hex = `0x${'a1'.repeat(20)}`
const row: RevocationRow = {
  ...ownerTarget(owner),
  provisional: true,
  finalSequence: 0,
  rank: 2,
  reason: 1,
  text: '',
  killId: 'kill',
}
const svid = (serial: string) => ({
  serial,
  spiffeId: `spiffe://a.test/worker/01234567-89ab-8def-8123-45678900000${serial}`,
  owner,
  generation: 1,
  issuedAt: 0,
  expiresAt: 9_000,
  provedAt: 0,
  certificate: '',
})

function world(killedAt: number | undefined) {
  let asked = 0
  let now = 5_000
  const lists: (readonly { readonly serial: string; readonly revokedAt: number }[])[] = []
  const list = createRevocationList({
    provider: {
      async crl(revoked) {
        lists.push([...revoked])
        return new Uint8Array() as never
      },
    },
    table: { get: (key) => (key === targetKey(row) ? row : undefined) },
    deployment: { chainId: 1, contract: `0x${'c0'.repeat(20)}` },
    published: () => 1,
    validSvids: async () => [svid('1'), svid('2')],
    killedAt: async () => {
      asked += 1
      return killedAt
    },
    clock: { wall: () => now, monotonic: () => now },
  })
  return {
    list,
    lists,
    asked: () => asked,
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('SVIDs are dated by their kill, which is looked up once', async () => {
  const w = world(1_234)
  await w.list()
  expect(w.lists).toEqual([
    [
      { serial: '1', revokedAt: 1_234 },
      { serial: '2', revokedAt: 1_234 },
    ],
  ])
  expect(w.asked()).toBe(1)
})

test('a list is made anew only when it is old', async () => {
  const w = world(undefined)
  await w.list()
  await w.list()
  expect(w.lists).toHaveLength(1)
  w.pass(60_001)
  await w.list()
  expect(w.lists.at(-1)?.[0]?.revokedAt).toBe(65_001)
})
