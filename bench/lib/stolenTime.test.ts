import { expect, test } from 'vitest'
import { stolenTime } from './stolenTime.ts'

test('the eighth figure of the first line, in ms', () => {
  const stat = 'cpu  4090719 1524286 726536 2063543 7123 0 68290 16456 1 2\ncpu0 1 2 3 4 5 6 7 8 9 10\n'
  expect(stolenTime(stat)).toBe(164_560)
})

test('without it, none', () => {
  expect(stolenTime('cpu  1 2 3 4\n')).toBeNaN()
  expect(stolenTime('')).toBeNaN()
})
