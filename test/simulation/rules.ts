import type { ContractRule } from './chain/contract.ts'

/** What relayers decide by; each can be left out. */
export const relayerRules = [
  'a kill is enforced from first sight',
  'a provisional kill counts as infinite',
  'an orphaned kill is withdrawn only once finality has passed it',
  'a withdrawal leaves the final sequence',
  'a finally killed agent gets no SVID',
  'a provisionally killed agent gets no SVID',
  'the generation is that of the grant point',
  'a resume counts from the grant point on',
  'a renewal needs a generation of the present key',
  'a relayer withdraws a burnt order after the cool-down',
  'a relayer refuses an order of before a resume',
  'the identical order is answered with its record',
  'an order has a nonce of its own',
  'an order is signed by its authority',
  'only an authority kills',
  'an expired order is refused',
  'a row stands until no older SVID lives',
  'what is acknowledged is durable',
  'a start begins a new epoch',
  'a blind relayer issues nothing',
  'an order is sent until it lands',
] as const
export type RelayerRule = (typeof relayerRules)[number]

/** What enforcement points decide by; each can be left out. */
export const pointRules = [
  'the row of any relayer suffices',
  'the rows of a stale relayer stand',
  'only a fresh view lets anybody in',
  'an SVID of another deployment is refused',
  'an enrolled workload is no agent',
  'a new epoch leaves final kills',
  'what is rolled back is refused',
] as const
export type PointRule = (typeof pointRules)[number]

export type Rule = ContractRule | RelayerRule | PointRule
export const allRules: readonly Rule[] = [...relayerRules, ...pointRules]
