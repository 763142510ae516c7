import { expect, test } from 'vitest'
import { share, tokens } from './tokens.ts'

const ksw = 10n ** 18n

test.each([
  [0n, '0'],
  [1n, '< 0.01'],
  [ksw / 100n - 1n, '< 0.01'],
  [ksw / 100n, '0.01'],
  [ksw * 400_000n, '400,000'],
  [(ksw * 12_345n) / 10n, '1,234.5'],
  [ksw * 10n ** 9n + ksw / 3n, '1,000,000,000.33'],
])('%s is %s', (amount, words) => {
  expect(tokens(amount)).toBe(words)
})

test('currencies with few decimals', () => {
  expect([tokens(1n, 0), tokens(1_500_000n, 6), tokens(1n, 6), tokens(99n, 2)]).toEqual([
    '1',
    '1.5',
    '< 0.01',
    '0.99',
  ])
})

test('shares of the supply', () => {
  expect([0n, 1n, 4_000n, 9_999n, 10_000n].map((amount) => share(amount, 10_000n))).toEqual([
    '0 %',
    '0.01 %',
    '40 %',
    '99.99 %',
    '100 %',
  ])
  expect([share(1n, 10n ** 9n), share(0n, 0n)]).toEqual(['< 0.01 %', '0 %'])
})
