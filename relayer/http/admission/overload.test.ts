import { expect, test } from 'vitest'
import { createOverloadJudge, utilizationOf } from './overload.ts'

const after = (...utilizations: readonly number[]) => {
  const judge = createOverloadJudge()
  for (const utilization of utilizations) judge.note(utilization)
  return judge.overloaded()
}

test('busy for a whole second is overload; a burst is not', () => {
  expect(after(1, 1, 1)).toBe(false)
  expect(after(0.2, 0.99, 1, 0.97, 0.96)).toBe(true)
  expect(after(1, 0.5, 1, 1, 1)).toBe(false)
})

test('a second with room ends it; a pause, or what is only not busy, does not', () => {
  expect(after(1, 1, 1, 1, 0.5, 0.5, 0.5)).toBe(true)
  expect(after(1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5)).toBe(false)
  expect(after(1, 1, 1, 1, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5)).toBe(true)
  expect(after(1, 1, 1, 1, 0.8, 0.8, 0.8, 0.8)).toBe(true)
})

test('what is slept while work is held up counts as busy, and no more than that', () => {
  expect(utilizationOf({ active: 200, idle: 50 }, 0)).toBe(0.8)
  expect(utilizationOf({ active: 200, idle: 50 }, 45)).toBe(0.98)
  expect(utilizationOf({ active: 200, idle: 50 }, 75)).toBe(1)
})
