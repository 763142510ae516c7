import { encodeAbiParameters, encodeEventTopics, type Hex } from 'viem'
import { expect, test } from 'vitest'
import { killPoliciesAbi } from '../generated/killPoliciesAbi.ts'
import { initialPolicy } from './killPolicy.ts'
import {
  decodePolicy,
  decodePolicyLog,
  encodePolicy,
  policyWord,
  UnknownPolicySchemaError,
} from './policyLog.ts'

const policy = {
  ...initialPolicy,
  boundary: { hash: `0x${'12'.repeat(32)}` as Hex, uri: 'https://a.test/boundary.json' },
}
const log = (agentType: string | null, schema = 1, body = encodePolicy(policy)) => ({
  topics: encodeEventTopics({
    abi: killPoliciesAbi,
    eventName: 'PolicySet',
    args: { agentType: policyWord(agentType) },
  }) as Hex[],
  data: encodeAbiParameters(
    [{ type: 'uint64' }, { type: 'uint16' }, { type: 'bool' }, { type: 'bytes' }],
    [7n, schema, true, body],
  ),
})

test('a policy is what it was encoded from', () => {
  expect(decodePolicy(encodePolicy(policy))).toEqual(policy)
})

test.each([['worker'], [null]])('a policy of %s is decoded', (agentType) => {
  expect(decodePolicyLog(log(agentType))).toEqual({
    type: 'PolicySet',
    agentType,
    version: 7,
    byAdmission: true,
    policy,
  })
})

test('another layout is refused and named', () => {
  expect(() => decodePolicyLog(log('worker', 2))).toThrow(UnknownPolicySchemaError)
  expect(() => decodePolicyLog(log('worker', 2))).toThrow(/layout 2/)
})

test('what does not fit the ABI is refused', () => {
  const good = log('worker')
  for (const bad of [
    { ...good, topics: [] },
    { ...good, topics: [`0x${'99'.repeat(32)}` as Hex] },
    { ...good, data: good.data.slice(0, 100) as Hex },
    log('worker', 1, encodePolicy(policy).slice(0, 200) as Hex),
  ])
    expect(() => decodePolicyLog(bad)).toThrow()
})
