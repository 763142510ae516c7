import { expect, test } from 'vitest'
import { createExpectation } from './expectation.ts'

test('a kill is expected for 15 ms, and not again within 45, however often it is promised', () => {
  let now = 1_000
  const { expect: promise, isExpected } = createExpectation({ monotonic: () => now })
  const seen: number[] = []
  expect(isExpected()).toBe(false)
  for (; now < 1_100; now += 1) {
    promise()
    if (isExpected()) seen.push(now - 1_000)
  }
  const from = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)
  expect(seen).toEqual([...from(0, 15), ...from(45, 15), ...from(90, 10)])
})

test('what is for later is done in the first turn in which no kill is expected', () => {
  let now = 1_000
  const turns: (() => void)[] = []
  const { expect: promise, later } = createExpectation({ monotonic: () => now }, (task) => turns.push(task))
  const done: number[] = []
  const turn = () => turns.shift()?.()
  later(() => done.push(now))
  expect(done).toEqual([])
  turn()
  expect(done).toEqual([1_000])
  promise()
  later(() => done.push(now))
  for (; now < 1_030; now += 5) turn()
  expect(done).toEqual([1_000, 1_015])
  expect(turns).toEqual([])
})
