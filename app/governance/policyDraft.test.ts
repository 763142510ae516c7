import { expect, test } from 'vitest'
import { limitBounds, policyProblems } from '../../protocol/policy/bounds.ts'
import { initialPolicy, limitNames } from '../../protocol/policy/killPolicy.ts'
import { draftOf, readDraft } from './policyDraft.ts'

const minCooldown = 60
const hash = `0x${'12'.repeat(32)}` as const

test('a policy comes back as it was', () => {
  const policy = { ...initialPolicy, boundary: { hash, uri: 'https://a.test' } }
  expect(readDraft(draftOf(policy), minCooldown)).toEqual({ policy, faults: {} })
})

test('one below and one above each bound is a fault of that field, and no policy', () => {
  const draft = draftOf(initialPolicy)
  const bounds = limitBounds(initialPolicy.limits, minCooldown)
  for (const name of limitNames)
    for (const [value, isGood] of [
      [bounds[name].least - 1, false],
      [bounds[name].least, true],
      [bounds[name].most, true],
      [bounds[name].most + 1, false],
    ] as const) {
      const { policy, faults } = readDraft(
        { ...draft, limits: { ...draft.limits, [name]: String(value) } },
        minCooldown,
      )
      expect([name, value, faults[name] === undefined]).toEqual([name, value, isGood])
      // What the form lets through, the contract does.
      if (policy !== null) expect(policyProblems(policy, minCooldown)).toEqual([])
    }
})

test.each(['', ' ', '1.5', '1e3', '0x10', '-3', 'ten'])('%j is no whole number', (text) => {
  const draft = draftOf(initialPolicy)
  expect(readDraft({ ...draft, limits: { ...draft.limits, errorSample: text } }, minCooldown)).toEqual({
    policy: null,
    faults: { errorSample: 'A whole number.' },
  })
})

test('commas and spaces are read over', () => {
  const draft = draftOf(initialPolicy)
  const { policy } = readDraft(
    { ...draft, limits: { ...draft.limits, actionsPerDay: ' 200,000 ' } },
    minCooldown,
  )
  expect(policy?.limits.actionsPerDay).toBe(200_000)
})

test.each([
  [{ hash: '', uri: 'https://a.test' }, false],
  [{ hash, uri: '' }, false],
  [{ hash: `0x${'00'.repeat(32)}`, uri: 'https://a.test' }, false],
  [{ hash: '0x12', uri: 'https://a.test' }, false],
  [{ hash, uri: 'é'.repeat(129) }, false],
  [{ hash: hash.toUpperCase().replace('X', 'x'), uri: 'https://a.test' }, true],
])('a document %j is good: %s', (boundary, isGood) => {
  const { policy, faults } = readDraft({ ...draftOf(initialPolicy), boundary }, minCooldown)
  expect([policy !== null, faults.boundary === undefined]).toEqual([isGood, isGood])
})
