import type { Hex } from '../hex.ts'

/** Where the contracts of a Killswitch stand that token holders govern; lower case. */
export type GovernedContracts = {
  readonly token: Hex
  readonly policyGovernor: Hex
  readonly timelock: Hex
  readonly emergencyGovernor: Hex
  readonly killSwitch: Hex
  readonly killPolicies: Hex
  readonly subscriptions: Hex
}
