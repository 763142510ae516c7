// Seeded histories of chain, RPCs, relayers and enforcement points against the truth (DESIGN, section 3).
//   KILLSWITCH_SIMULATIONS  how many histories (default 60)
//   npm run simulate -- --seed <n> --shrink --trace  shows one of them
import { describe, expect, test } from 'vitest'
import { type Failure, planOf, play } from './history.ts'
import { allRules, type Rule } from './rules.ts'

const histories = Number(process.env.KILLSWITCH_SIMULATIONS ?? 60)

const told = (failure: Failure | null): string | null =>
  failure === null ? null : `seed ${failure.seed}, after step ${failure.step}: ${failure.error.message}`

test(
  `${histories} histories hold every invariant`,
  async () => {
    for (let seed = 1; seed <= histories; seed++) expect(told(await play(planOf(seed)))).toBeNull()
  },
  10_000 * histories,
)

test('a seed is one history', async () => {
  const trace = async () => {
    const lines: string[] = []
    await play(planOf(3), new Set(), (line) => lines.push(line))
    return lines
  }
  const first = await trace()
  expect(first.length).toBeGreaterThan(100)
  expect(await trace()).toEqual(first)
})

/** Seeds that failed once, with what was wrong then. */
describe('what once failed holds', () => {
  test.each([
    [26, 'an RPC that gave a block another parent was never followed again, since its first word was kept'],
    [185, 'an order that was brought after it had been seen in a block was withdrawn with that block'],
    [20, 'a block that the store had refused was granted although a reorg had dropped it'],
  ])('seed %i: %s', async (seed) => {
    expect(told(await play(planOf(seed)))).toBeNull()
  })
})

/** The first seed that notices that a rule is left out; found by trying them in order. */
const noticedBy: Partial<Record<Rule, number>> = {}

/** Rules whose absence no history has shown yet: what the histories still have to learn. */
const unnoticed: readonly Rule[] = [
  'a withdrawal leaves the final sequence',
  'a blind relayer issues nothing',
  'the rows of a stale relayer stand',
  'only a fresh view lets anybody in',
  'a new epoch leaves final kills',
  'what is rolled back is refused',
]

describe('a rule that is left out is noticed', () => {
  test.each(allRules.filter((rule) => !unnoticed.includes(rule)))('%s', async (rule) => {
    const first = noticedBy[rule] ?? 1
    let failure: Failure | null = null
    for (let seed = first; seed < first + 20 && failure === null; seed++)
      failure = await play(planOf(seed), new Set([rule]))
    expect(failure?.error.name).toBe('Violation')
  })
})
