import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import {
  initialPolicy,
  type KillPolicy,
  type LimitName,
  limitNames,
  tighterSides,
} from '../../protocol/policy/killPolicy.ts'
import { NoDefaultPolicyError, type PolicyEvent, PolicyGapError } from '../../protocol/policy/policies.ts'
import {
  emptyMirror,
  grantPolicies,
  type PolicyBlock,
  type PolicyMirror,
  policyInForce,
  policyVersions,
  takePolicies,
} from './mirror.ts'

const uuid = '0f8fad5b-d9cb-869f-a165-70867728950e'
const alice: Hex = `0x${'a1'.repeat(20)}`
const at = (number: number, fork = 'aa'): PolicyBlock => ({
  number,
  hash: `0x${fork}${number.toString(16).padStart(62, '0')}`,
  time: 1_800_000_000 + number,
})
const withLimits = (limits: Partial<Record<LimitName, number>>): KillPolicy => ({
  ...initialPolicy,
  limits: { ...initialPolicy.limits, ...limits },
})
const set = (
  agentType: string | null,
  version: number,
  policy: KillPolicy,
  byAdmission = false,
): PolicyEvent => ({ type: 'PolicySet', agentType, version, byAdmission, policy })
const document = (n: number) => ({ hash: `0x${`${n}`.repeat(64)}` as Hex, uri: `https://a.test/${n}` })

/** Deployed in block 1, which is granted. */
const deployed = grantPolicies(takePolicies(emptyMirror, at(1), [set(null, 1, initialPolicy)]), 1)
const failures = (mirror: PolicyMirror) => policyInForce(mirror, 'worker').limits.consecutiveFailures

test('tighter counts at first sight, looser from the grant point on', () => {
  const tightened = takePolicies(deployed, at(5), [set(null, 2, withLimits({ consecutiveFailures: 3 }))])
  expect(failures(tightened)).toBe(3)
  const loosened = takePolicies(grantPolicies(tightened, 5), at(8), [
    set(null, 3, withLimits({ consecutiveFailures: 50 })),
  ])
  expect(failures(loosened)).toBe(3)
  expect(failures(grantPolicies(loosened, 7))).toBe(3)
  expect(failures(grantPolicies(loosened, 8))).toBe(50)
})

test('tightened and loosened again before the grant point: the tightest stands until then', () => {
  let mirror = takePolicies(deployed, at(5), [set(null, 2, withLimits({ consecutiveFailures: 3 }))])
  mirror = takePolicies(mirror, at(6), [set(null, 3, initialPolicy)])
  expect(failures(mirror)).toBe(3)
  expect(policyInForce(mirror, null).defaultVersion).toBe(3)
  expect(failures(grantPolicies(mirror, 5))).toBe(3)
  expect(failures(grantPolicies(mirror, 6))).toBe(10)
})

test('one vote that tightens one field and loosens another', () => {
  const mirror = takePolicies(deployed, at(5), [
    set(null, 2, withLimits({ consecutiveFailures: 3, anomalyScore: 99, probation: 7200 })),
  ])
  const seen = { ...initialPolicy.limits, consecutiveFailures: 3, probation: 7200 }
  expect(policyInForce(mirror, 'worker').limits).toEqual(seen)
  expect(policyInForce(grantPolicies(mirror, 5), 'worker').limits).toEqual({ ...seen, anomalyScore: 99 })
})

test('a document that replaces another: both hold until the grant point', () => {
  const [one, two] = [document(1), document(2)]
  let mirror = takePolicies(deployed, at(2), [set(null, 2, { ...initialPolicy, boundary: one })])
  mirror = takePolicies(grantPolicies(mirror, 2), at(5), [
    set(null, 3, { ...initialPolicy, boundary: two, decisions: one }),
  ])
  expect(policyInForce(mirror, null)).toMatchObject({ boundaries: [one, two], decisions: [one] })
  expect(policyInForce(grantPolicies(mirror, 5), null).boundaries).toEqual([two])
  const removed = takePolicies(grantPolicies(mirror, 5), at(6), [set(null, 4, initialPolicy)])
  expect(policyInForce(removed, null).boundaries).toEqual([two])
})

test('an admission gives at the grant point; its end takes at first sight', () => {
  const loose = set('worker', 1, withLimits({ consecutiveFailures: 50 }), true)
  const admitted = takePolicies(deployed, at(3), [loose, { type: 'AgentAdmitted', uuid, owner: alice }])
  const of = (mirror: PolicyMirror) => policyInForce(mirror, 'worker', { uuid, owner: alice })
  expect(of(admitted)).toMatchObject({ admitted: false, limits: { consecutiveFailures: 10 } })
  const granted = grantPolicies(admitted, 3)
  expect(of(granted)).toMatchObject({ admitted: true, limits: { consecutiveFailures: 50 } })
  const dismissed = takePolicies(granted, at(4), [{ type: 'AgentAdmitted', uuid, owner: null }])
  expect(of(dismissed)).toMatchObject({ admitted: false, limits: { consecutiveFailures: 10 } })
})

test('after a reorg the granted state takes the blocks that are there now', () => {
  const five = takePolicies(deployed, at(5), [set(null, 2, withLimits({ consecutiveFailures: 5 }))])
  const dropped = takePolicies(five, at(6), [set(null, 3, withLimits({ consecutiveFailures: 3 }))])
  expect(failures(dropped)).toBe(3)
  const replaced = takePolicies(five, at(6, 'bb'), [set(null, 3, withLimits({ consecutiveFailures: 4 }))])
  expect([failures(five), failures(replaced), failures(deployed)]).toEqual([5, 4, 10])
})

test('every version is listed with its block, granted or not', () => {
  let mirror = takePolicies(deployed, at(5), [set('worker', 1, withLimits({ errorRate: 1000 }))])
  mirror = takePolicies(grantPolicies(mirror, 5), at(7), [
    { type: 'PolicyRemoved', agentType: 'worker', version: 2 },
  ])
  expect(
    policyVersions(mirror).map(({ agentType, version, granted, block, policy }) => [
      agentType,
      version,
      granted,
      block.number,
      policy?.limits.errorRate ?? null,
    ]),
  ).toEqual([
    [null, 1, true, 1, 8000],
    ['worker', 1, true, 5, 1000],
    ['worker', 2, false, 7, null],
  ])
})

test('missing events are noticed, and nothing holds before the first', () => {
  expect(() => takePolicies(deployed, at(5), [set(null, 3, initialPolicy)])).toThrow(PolicyGapError)
  expect(() => policyInForce(emptyMirror, null)).toThrow(NoDefaultPolicyError)
  expect(takePolicies(deployed, at(5), [])).toBe(deployed)
})

test('random votes, reorgs and grants: never looser than what is granted or than any block seen since', () => {
  const act = fc.oneof(
    fc.record({ kind: fc.constant('vote' as const), name: fc.constantFrom(...limitNames), by: fc.nat(40) }),
    fc.record({ kind: fc.constant('drop' as const), back: fc.nat(3) }),
    fc.record({ kind: fc.constant('grant' as const), back: fc.nat(3) }),
  )
  type Vote = { readonly block: PolicyBlock; readonly policy: KillPolicy }
  const over = (granted: PolicyMirror, votes: readonly Vote[]): PolicyMirror =>
    votes.reduce((mirror, { block, policy }, i) => {
      const version = granted.grantedVersions.length + 1 + i
      return takePolicies(mirror, block, [set(null, version, policy)])
    }, granted)
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      // As a reader has it: what is granted is kept, and the blocks above it are taken anew each time.
      let granted = deployed
      let grantedVote: Vote = { block: at(1), policy: initialPolicy }
      let above: readonly Vote[] = []
      let height = 1
      for (const one of acts) {
        if (one.kind === 'vote') {
          height++
          const value = initialPolicy.limits[one.name] - 20 + one.by
          above = [...above, { block: at(height), policy: withLimits({ [one.name]: value }) }]
        } else if (one.kind === 'drop') {
          height = Math.max(grantedVote.block.number, height - one.back)
          above = above.filter(({ block }) => block.number <= height)
        } else {
          const reached = above.filter(({ block }) => block.number <= height - one.back)
          granted = grantPolicies(over(granted, reached), height - one.back)
          grantedVote = reached.at(-1) ?? grantedVote
          above = above.slice(reached.length)
        }
        const mirror = over(granted, above)
        const held = policyInForce(mirror, 'worker').limits
        for (const name of limitNames) {
          const values = [grantedVote, ...above].map(({ policy }) => policy.limits[name])
          const side = tighterSides[name]
          const tightest = side === 'less' ? Math.min(...values) : Math.max(...values)
          expect(held[name]).toBe(side === 'neither' ? values[0] : tightest)
        }
      }
    }),
  )
})
