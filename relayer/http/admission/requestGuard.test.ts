import { expect, test } from 'vitest'
import { createRequestGuard, requestClass } from './requestGuard.ts'

function world() {
  let now = 0
  let lagging = false
  const guard = createRequestGuard({ perSecond: 2, now: () => now, overloaded: () => lagging })
  const many = (count: number, method: string, path: string, address = '192.0.2.1') =>
    Array.from({ length: count }, () => guard(address, requestClass(method, path)))
  return {
    many,
    pass: (ms: number) => {
      now += ms
    },
    lag: (on: boolean) => {
      lagging = on
    },
  }
}
const admitted = (all: readonly string[]) => all.filter((one) => one === 'admitted').length

test('one address has its rate; others are not touched', () => {
  const w = world()
  expect(admitted(w.many(100, 'GET', '/agents'))).toBe(20)
  expect(admitted(w.many(1, 'GET', '/agents', '192.0.2.2'))).toBe(1)
  w.pass(1_000)
  expect(admitted(w.many(100, 'POST', '/agents/attest'))).toBe(2)
})

test.each([
  ['POST', '/api/kill'],
  ['POST', '/api/kill/emergency'],
  ['GET', '/revocations'],
  ['GET', '/revocations/stream'],
  ['GET', '/bundle'],
  ['POST', '/acknowledgements'],
])('%s %s is never shed', (method, path) => {
  const w = world()
  w.lag(true)
  expect(admitted(w.many(1_000, method, path))).toBe(1_000)
})

test.each([
  ['POST', '/svid/renew'],
  ['GET', '/'],
  ['GET', '/assets/index-1a2b.js'],
  ['GET', '/config.json'],
])('%s %s is served while the relayer is overloaded, at the rate of its address', (method, path) => {
  const w = world()
  w.lag(true)
  expect(admitted(w.many(100, method, path))).toBe(20)
})

test.each([
  ['GET', '/api/kill'],
  ['POST', '/api/killer'],
  ['POST', '/agents/challenges'],
  ['GET', '/revocationsx'],
  ['GET', '/metrics/../kills'],
  ['POST', '/bundle/../agents/attest'],
  ['POST', '/api/kill/../../agents/attest'],
  ['POST', '/'],
  ['GET', '/config.jsonx'],
])('while the relayer is overloaded %s %s is shed', (method, path) => {
  const w = world()
  w.lag(true)
  expect(w.many(1, method, path)).toEqual(['overloaded'])
  w.lag(false)
  expect(w.many(1, method, path)).toEqual(['admitted'])
})
