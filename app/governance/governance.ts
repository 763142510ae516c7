import {
  foldProposals,
  type PlacedEvent,
  type ProposalRecord,
  type SettingChange,
  settingChanges,
} from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { Plan } from '../../protocol/governance/governanceLog.ts'
import type { Hex } from '../../protocol/hex.ts'
import { applyPolicyEvent, noPolicies, type Policies } from '../../protocol/policy/policies.ts'

/** All that token holders have decided and are deciding, as the logs tell it. */
export type Governance = {
  readonly events: readonly PlacedEvent[]
  /** The token's, in its smallest unit; it never changes. */
  readonly supply: bigint
  /** By `proposalKey`, oldest first. */
  readonly proposals: ReadonlyMap<string, ProposalRecord>
  readonly settings: readonly SettingChange[]
  readonly policies: Policies
  /** Votes by delegate. */
  readonly votes: ReadonlyMap<Hex, bigint>
  /** Delegate by holder, for those who have one. */
  readonly delegates: ReadonlyMap<Hex, Hex>
  readonly plans: ReadonlyMap<number, Plan>
}

export const emptyGovernance: Governance = {
  events: [],
  supply: 0n,
  proposals: new Map(),
  settings: [],
  policies: noPolicies,
  votes: new Map(),
  delegates: new Map(),
  plans: new Map(),
}

/** The policies after some events. @throws {PolicyGapError} */
export const foldPolicies = (events: readonly PlacedEvent[]): Policies =>
  events.reduce(
    (policies, { event }) =>
      event.type === 'PolicyChanged' ? applyPolicyEvent(policies, event.change) : policies,
    noPolicies,
  )

/** @param events in the order of the chain @throws {PolicyGapError} */
export function foldGovernance(
  contracts: GovernedContracts,
  events: readonly PlacedEvent[],
  supply: bigint,
): Governance {
  const votes = new Map<Hex, bigint>()
  const delegates = new Map<Hex, Hex>()
  const plans = new Map<number, Plan>()
  for (const { event } of events) {
    if (event.type === 'VotesChanged') votes.set(event.delegate, event.votes)
    else if (event.type === 'DelegateChanged') {
      if (event.delegate === null) delegates.delete(event.delegator)
      else delegates.set(event.delegator, event.delegate)
    } else if (event.type === 'PlanSet') plans.set(event.plan.planId, event.plan)
  }
  return {
    events,
    supply,
    proposals: foldProposals(contracts, events),
    settings: settingChanges(events),
    policies: foldPolicies(events),
    votes,
    delegates,
    plans,
  }
}
