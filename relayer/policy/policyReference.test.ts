import { expect, test } from 'vitest'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import type { PolicyEvent } from '../../protocol/policy/policies.ts'
import { emptyMirror, grantPolicies, type PolicyBlock, takePolicies } from './mirror.ts'
import { policyReference } from './policyReference.ts'

const at = (number: number): PolicyBlock => ({ number, hash: `0x${number}`, time: number })
const set = (agentType: string | null, version: number): PolicyEvent => ({
  type: 'PolicySet',
  ...{ agentType, version, byAdmission: false, policy: initialPolicy },
})

test('names the versions seen last, their block and the block that is granted', () => {
  expect(policyReference(emptyMirror, 'worker')).toBeNull()
  const unfinal = takePolicies(emptyMirror, at(3), [set(null, 1)])
  expect(policyReference(unfinal, null)).toEqual({ default: 1, type: null, block: 3, grantedBlock: null })
  const granted = grantPolicies(unfinal, 4)
  expect(policyReference(granted, null)).toEqual({ default: 1, type: null, block: 3, grantedBlock: 3 })
  const more = takePolicies(granted, at(7), [set('worker', 1), set(null, 2)])
  expect(policyReference(more, 'worker')).toEqual({ default: 2, type: 1, block: 7, grantedBlock: 3 })
  expect(policyReference(more, 'other')).toEqual({ default: 2, type: null, block: 7, grantedBlock: 3 })
  expect(policyReference(grantPolicies(more, 7), 'worker')).toMatchObject({ block: 7, grantedBlock: 7 })
})

test('an admission has no version, but a block', () => {
  const granted = grantPolicies(takePolicies(emptyMirror, at(3), [set(null, 1)]), 3)
  const admitted = takePolicies(granted, at(5), [{ type: 'AgentAdmitted', uuid: 'u', owner: '0xa1' }])
  expect(policyReference(admitted, null)).toMatchObject({ default: 1, block: 5, grantedBlock: 3 })
  expect(policyReference(grantPolicies(admitted, 5), null)).toMatchObject({ block: 5, grantedBlock: 5 })
})
