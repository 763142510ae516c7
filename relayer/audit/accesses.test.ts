import { expect, test } from 'vitest'
import { type Access, createAccesses } from './accesses.ts'

const alpha = 'spiffe://a.test/trader/1'
const beta = 'spiffe://a.test/trader/2'
const access = (spiffeId: string, at: number, count = 1): Access => ({
  ...{ spiffeId, at, method: 'GET', path: '/', status: 200, outcome: 'accepted' },
  count,
})

test('the latest accesses of one identity come newest first, each with its point', () => {
  const accesses = createAccesses(() => 0)
  accesses.note('one', [access(alpha, 1), access(beta, 2), access(alpha, 3)])
  accesses.note('two', [access(alpha, 4)])
  expect(accesses.recent(alpha, 2)).toEqual([
    { ...access(alpha, 4), point: 'two' },
    { ...access(alpha, 3), point: 'one' },
  ])
  expect(accesses.recent(beta, 9)).toHaveLength(1)
  expect(accesses.recent('spiffe://a.test/trader/3', 9)).toEqual([])
})

test('accesses of before a restart are shown, but make no rate', () => {
  const accesses = createAccesses(() => 5_000, [{ ...access(alpha, 1), point: 'one' }])
  expect(accesses.recent(alpha, 9)).toHaveLength(1)
  expect(accesses.of(alpha)).toEqual({ lastAccessAt: 1, lastOutcome: 'accepted', requestsPerSecond: 0 })
})

test('the rate is of the last ten whole seconds', () => {
  let now = 0
  const accesses = createAccesses(() => now)
  for (; now < 20_000; now += 1_000) accesses.note('one', [access(alpha, now, 7)])
  expect(accesses.of(alpha).requestsPerSecond).toBe(7)
})

test('only so many are kept, of all identities together', () => {
  const accesses = createAccesses(() => 0)
  accesses.note('one', [access(alpha, 1)])
  accesses.note(
    'one',
    Array.from({ length: 40_000 }, (_, i) => access(beta, i)),
  )
  expect(accesses.recent(alpha, 9)).toEqual([])
  expect(accesses.recent(beta, 100_000).length).toBe(20_000)
})
