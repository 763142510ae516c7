import fc from 'fast-check'
import { expect, test } from 'vitest'
import { age, clockTime, count, dateTime, duration, ether, shortHex, whole, wholeDuration } from './format.ts'

// Intl is what people expect; the app only avoids its price.
test('dates and numbers read as en-GB writes them', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }), (date) => {
      const time = date.toLocaleTimeString('en-GB')
      expect(clockTime(date.getTime())).toBe(time)
      const day = String(date.getDate()).padStart(2, '0')
      const month = date.toLocaleDateString('en-US', { month: 'short' })
      expect(dateTime(date.getTime())).toBe(`${day} ${month} ${date.getFullYear()}, ${time}`)
    }),
  )
  fc.assert(
    fc.property(fc.nat(), (number) => {
      expect(whole(number)).toBe(number.toLocaleString('en-GB'))
    }),
  )
  expect(whole(12_345_678_901n)).toBe('12,345,678,901')
})

test.each([
  [0, '0.0 ms'],
  [99.94, '99.9 ms'],
  [100, '100 ms'],
  [1_000, '1.00 s'],
  [59_990, '59.99 s'],
  [60_000, '1 min'],
  [200_000, '3 min 20 s'],
])('%d ms took %s', (ms, text) => expect(duration(ms)).toBe(text))

test.each([
  [-5, '0 s'],
  [1, '1 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
])('%d ms are left as %s', (ms, text) => expect(wholeDuration(ms)).toBe(text))

test.each([
  [400, 'now'],
  [12_000, '12 s'],
  [300_000, '5 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
])('%d ms ago is %s', (ms, text) => expect(age(ms)).toBe(text))

test('amounts, ids and counts are short and exact', () => {
  expect([ether(0n), ether(10n ** 18n), ether(21_000n * 10n ** 9n)]).toEqual(['0', '1.000', '0.000021'])
  expect(shortHex(`0x${'ab'.repeat(20)}`)).toBe('0xabab…abab')
  expect(shortHex('0x1234')).toBe('0x1234')
  expect([count(1, 'agent'), count(1_000, 'agent')]).toEqual(['1 agent', '1,000 agents'])
})
