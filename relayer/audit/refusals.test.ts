import { expect, test } from 'vitest'
import type { AuditFields } from './entry.ts'
import { createRefusals } from './refusals.ts'

function world() {
  let now = 0
  const log: AuditFields[] = []
  const refusals = createRefusals({
    clock: { wall: () => now, monotonic: () => now },
    append: (fields) => void log.push(fields),
  })
  const refuse = (times: number, action = 'order refused') => {
    for (let i = 0; i < times; i += 1)
      refusals.note({ action, actor: 'stranger', spiffeId: null, time: now, detail: { i } })
  }
  const pass = (ms: number) => {
    now += ms
  }
  return { log, refusals, refuse, pass }
}

test('a flood of refusals is logged up to a bound and counted beyond it, by kind', () => {
  const w = world()
  w.refuse(5_000)
  w.refuse(7, 'SVID refused')
  expect(w.log).toHaveLength(100)
  w.refusals.flush()
  expect(w.log.at(-1)).toMatchObject({
    action: 'refusals counted',
    detail: { 'order refused': 4_900, 'SVID refused': 7 },
  })
  w.refusals.flush()
  expect(w.log).toHaveLength(101)
})

test('after a flood refusals are logged again', () => {
  const w = world()
  w.refuse(5_000)
  w.pass(3_000)
  w.refuse(5)
  expect(w.log).toHaveLength(103)
})
