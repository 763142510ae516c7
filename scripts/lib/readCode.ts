import { type Hex, hexToBytes, type PublicClient } from 'viem'
import { emergencyGovernorRuntime } from '../../protocol/generated/emergencyGovernorRuntime.ts'
import { killPoliciesRuntime } from '../../protocol/generated/killPoliciesRuntime.ts'
import { killSwitchRuntime } from '../../protocol/generated/killSwitchRuntime.ts'
import { killswitchTokenRuntime } from '../../protocol/generated/killswitchTokenRuntime.ts'
import { policyGovernorRuntime } from '../../protocol/generated/policyGovernorRuntime.ts'
import { policyTimelockRuntime } from '../../protocol/generated/policyTimelockRuntime.ts'
import { subscriptionsRuntime } from '../../protocol/generated/subscriptionsRuntime.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { Power } from './readPowers.ts'

/** Code as it stands on chain, but for the bytes that a constructor filled in: first byte and length of each. */
type Runtime = { readonly code: Hex; readonly immutables: readonly (readonly [number, number])[] }

const runtimes: Readonly<Record<keyof GovernedContracts, readonly [name: string, runtime: Runtime]>> = {
  token: ['KillswitchToken', killswitchTokenRuntime],
  policyGovernor: ['PolicyGovernor', policyGovernorRuntime],
  timelock: ['PolicyTimelock', policyTimelockRuntime],
  emergencyGovernor: ['EmergencyGovernor', emergencyGovernorRuntime],
  killSwitch: ['KillSwitch', killSwitchRuntime],
  killPolicies: ['KillPolicies', killPoliciesRuntime],
  subscriptions: ['Subscriptions', subscriptionsRuntime],
}

const expected = 'as compiled here'

function isRuntime(found: Hex, { code, immutables }: Runtime): boolean {
  if (found.length !== code.length) return false
  const [left, right] = [hexToBytes(found), hexToBytes(code)]
  for (const [start, length] of immutables) {
    left.fill(0, start, start + length)
    right.fill(0, start, start + length)
  }
  return left.every((byte, at) => byte === right[at])
}

/** Whether contracts are this repository's: one that is not can answer every other question as it likes. */
export const readCode = (
  client: PublicClient,
  contracts: Partial<GovernedContracts>,
): Promise<readonly Power[]> =>
  Promise.all(
    (Object.entries(contracts) as [keyof GovernedContracts, Hex][]).map(async ([key, address]) => {
      const [name, runtime] = runtimes[key]
      const code = await client.getCode({ address })
      const found = code === undefined ? 'none' : isRuntime(code, runtime) ? expected : 'other code'
      return { name: `${name} code`, may: '', found, expected, ok: found === expected }
    }),
  )
