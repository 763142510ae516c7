import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limitBounds, policyProblems } from './bounds.ts'
import { initialPolicy, type KillPolicy, type LimitName, limitNames, looserLimits } from './killPolicy.ts'
import {
  applyPolicyEvent,
  effectivePolicy,
  NoDefaultPolicyError,
  noPolicies,
  type Policies,
  type PolicyEvent,
  PolicyGapError,
} from './policies.ts'

const minCooldown = 300
const uuid = '0f8fad5b-d9cb-869f-a165-70867728950e'
const [alice, bob] = [`0x${'a1'.repeat(20)}`, `0x${'b0'.repeat(20)}`] as const
const withLimit = (name: LimitName, value: number): KillPolicy => ({
  ...initialPolicy,
  limits: { ...initialPolicy.limits, [name]: value },
})
const set = (
  agentType: string | null,
  version: number,
  policy: KillPolicy,
  byAdmission = false,
): PolicyEvent => ({ type: 'PolicySet', agentType, version, byAdmission, policy })
const after = (...events: readonly PolicyEvent[]): Policies => events.reduce(applyPolicyEvent, noPolicies)
const document = (name: string) => ({ hash: `0x${'12'.repeat(32)}`, uri: `https://a.test/${name}` }) as const

test('a type tightens the default and keeps what a later default tightens', () => {
  const policies = after(
    set(null, 1, initialPolicy),
    set('worker', 1, withLimit('consecutiveFailures', 3)),
    set(null, 2, withLimit('anomalyScore', 50)),
  )
  expect(effectivePolicy(policies, 'worker')).toEqual({
    limits: { ...initialPolicy.limits, consecutiveFailures: 3, anomalyScore: 50 },
    boundaries: [],
    decisions: [],
    defaultVersion: 2,
    typeVersion: 1,
    admitted: false,
  })
  expect(effectivePolicy(policies, 'other').limits.consecutiveFailures).toBe(10)
  expect(effectivePolicy(policies, null).typeVersion).toBe(0)
})

test('a looser policy holds for the admitted agent of the same owner only', () => {
  const loose = { ...withLimit('consecutiveFailures', 50), boundary: document('wide') }
  const policies = after(
    set(null, 1, { ...initialPolicy, boundary: document('narrow') }),
    set('worker', 1, loose, true),
    { type: 'AgentAdmitted', uuid, owner: alice },
  )
  const of = (owner: typeof alice | typeof bob, what = policies) =>
    effectivePolicy(what, 'worker', { uuid, owner })
  expect(of(alice)).toMatchObject({ admitted: true, boundaries: [document('wide')] })
  expect(of(alice).limits.consecutiveFailures).toBe(50)
  expect(of(bob)).toMatchObject({ admitted: false, boundaries: [document('narrow')] })
  expect(of(bob).limits.consecutiveFailures).toBe(10)
  const dismissed = applyPolicyEvent(policies, { type: 'AgentAdmitted', uuid, owner: null })
  expect(of(alice, dismissed).admitted).toBe(false)
})

test('a removed policy leaves the default, and its version', () => {
  const policies = after(set(null, 1, initialPolicy), set('worker', 1, withLimit('errorRate', 1000)), {
    type: 'PolicyRemoved',
    agentType: 'worker',
    version: 2,
  })
  expect(effectivePolicy(policies, 'worker')).toMatchObject({
    limits: initialPolicy.limits,
    typeVersion: 2,
  })
})

test('applying an event changes nothing that was there before', () => {
  const before = after(set(null, 1, initialPolicy))
  const copy = structuredClone(before)
  applyPolicyEvent(before, set('worker', 1, initialPolicy))
  applyPolicyEvent(before, { type: 'AgentAdmitted', uuid, owner: alice })
  applyPolicyEvent(before, set(null, 2, initialPolicy))
  expect(before).toEqual(copy)
})

test.each([
  [set(null, 1, initialPolicy)],
  [set(null, 3, initialPolicy)],
  [set('worker', 2, initialPolicy)],
  [{ type: 'PolicyRemoved', agentType: 'worker', version: 3 } as const],
])('an event that does not follow is refused: %j', (event) => {
  expect(() => applyPolicyEvent(after(set(null, 1, initialPolicy)), event)).toThrow(PolicyGapError)
})

test('without a default nothing holds', () => {
  expect(() => effectivePolicy(noPolicies, 'worker')).toThrow(NoDefaultPolicyError)
})

test('the initial policy is within its bounds, and each limit is refused one beyond them', () => {
  expect(policyProblems(initialPolicy, minCooldown)).toEqual([])
  const bounds = limitBounds(initialPolicy.limits, minCooldown)
  for (const name of limitNames) {
    for (const value of [bounds[name].least - 1, bounds[name].most + 1, Number.NaN, 2.5])
      expect(policyProblems(withLimit(name, value), minCooldown)).not.toEqual([])
  }
})

test.each([
  [{ hash: `0x${'00'.repeat(32)}`, uri: 'https://a.test' }, 'incomplete'],
  [{ hash: `0x${'12'.repeat(32)}`, uri: '' }, 'incomplete'],
  [{ hash: `0x${'12'.repeat(32)}`, uri: 'é'.repeat(129) }, 'uri-too-long'],
] as const)('a document %j is %s', (boundary, problem) => {
  expect(policyProblems({ ...initialPolicy, boundary }, minCooldown)).toEqual([
    { field: 'boundary', problem },
  ])
})

test('of two limits that differ exactly one is looser, unless the field has no tighter side', () => {
  fc.assert(
    fc.property(fc.constantFrom(...limitNames), fc.nat(1000), fc.nat(1000), (name, a, b) => {
      fc.pre(a !== b)
      const [one, other] = [withLimit(name, a).limits, withLimit(name, b).limits]
      const looser = [looserLimits(one, other).length, looserLimits(other, one).length]
      expect(looser.sort()).toEqual(name === 'errorWindow' ? [1, 1] : [0, 1])
    }),
  )
})
