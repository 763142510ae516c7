import { expect, test } from 'vitest'
import { countsFrom, discountWords } from './discountWords.ts'

const ksw = 10n ** 18n
const terms = { interval: 10, samples: 3, held: 50n * ksw }
const steps = [
  { balance: 10n * ksw, discount: 500 },
  { balance: 100n * ksw, discount: 1000 },
  { balance: 1000n * ksw, discount: 2500 },
]

/** The contract's look at a moment: the least of the last samples of a balance that is held since `since`. */
const counts = (since: number, now: number): boolean => {
  const last = Math.floor((now - 1) / terms.interval) * terms.interval
  return Array.from({ length: terms.samples }, (_, i) => last - i * terms.interval).every(
    (time) => time >= since,
  )
}

test('a balance counts at the latest at the time that is named, and seldom long before', () => {
  for (let since = 1000; since < 1050; since++) {
    const from = countsFrom(since, terms.interval, terms.samples)
    expect([since, counts(since, from)]).toEqual([since, true])
    expect(counts(since, from - terms.interval - 1)).toBe(false)
  }
})

test('what holding more would change: only steps that are not reached', () => {
  const words = discountWords({ ...terms, steps }, 120n * ksw, 1005)
  expect(words.map(({ text, at }) => [text, at])).toEqual([
    ['You hold enough for 10 %: keep 100 KSW, and it counts in 26 s at the latest', 1031],
    ['With 880 KSW more it would be 25 %, in 26 s if you bought them now', 1031],
  ])
})

test('nothing to reach is said', () => {
  expect(discountWords({ ...terms, steps: [] }, 0n, 1005)[0]?.text).toMatch(/^No discount is offered/)
  expect(discountWords({ ...terms, steps, held: 1000n * ksw }, 0n, 1005)[0]?.text).toMatch(/highest/)
})
