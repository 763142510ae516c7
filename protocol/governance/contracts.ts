import type { Hex } from '../hex.ts'

export const contractNames = [
  'token',
  'policyGovernor',
  'timelock',
  'emergencyGovernor',
  'killSwitch',
  'killPolicies',
  'subscriptions',
] as const

/** Where the contracts of a Killswitch stand that token holders govern; lower case. */
export type GovernedContracts = Readonly<Record<(typeof contractNames)[number], Hex>>
