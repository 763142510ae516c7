import { expect, test } from 'vitest'
import { createExpectation } from './expectation.ts'

function world() {
  let now = 1_000
  const turns: (() => void)[] = []
  const timers: { readonly at: number; readonly task: () => void }[] = []
  const expectation = createExpectation(
    { monotonic: () => now },
    (delay, task) => {
      timers.push({ at: now + delay, task })
      return () => undefined
    },
    (task) => turns.push(task),
  )
  return {
    ...expectation,
    now: () => now - 1_000,
    timers,
    pass(ms: number) {
      now += ms
      for (const due of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(due), 1)
        due.task()
      }
      for (const task of turns.splice(0)) task()
    },
  }
}

test('a kill is expected for 15 ms, and not again within 45, however often it is promised', () => {
  const w = world()
  const seen: number[] = []
  expect(w.isOn()).toBe(false)
  for (; w.now() < 100; w.pass(1)) {
    w.expect()
    if (w.isOn()) seen.push(w.now())
  }
  const from = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)
  expect(seen).toEqual([...from(0, 15), ...from(45, 15), ...from(90, 10)])
})

test('what is for later is done after a turn, or when no kill is expected any more, asleep until then', () => {
  const w = world()
  const done: number[] = []
  const later = () => w.later(() => done.push(w.now()))
  later()
  expect(done).toEqual([])
  w.pass(0)
  expect(done).toEqual([0])
  w.expect()
  later()
  w.pass(5)
  expect(w.timers).toHaveLength(1)
  for (let ms = 0; ms < 30; ms += 1) w.pass(1)
  expect(done).toEqual([0, 15])
  expect(w.timers).toEqual([])
  expect(w.total()).toBe(15)
})

test('nothing is put off twice, whenever its timer is served', () => {
  const w = world()
  const done: number[] = []
  w.expect()
  w.later(() => done.push(w.now()))
  w.pass(0)
  for (const { task } of w.timers.splice(0)) {
    w.pass(45)
    w.expect()
    task()
  }
  expect(done).toEqual([45])
  expect(w.total()).toBe(15)
})
