import type { PlacedEvent, ProposalRecord } from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { type Action, readAction } from '../../protocol/governance/proposal.ts'
import type { Hex } from '../../protocol/hex.ts'
import { policyWord } from '../../protocol/policy/policyLog.ts'

/** Whether an action sets or removes a policy. @param agentType null for the default */
function setsPolicy(contracts: GovernedContracts, action: Action, agentType: string | null): boolean {
  const meaning = readAction(contracts, action)
  if (meaning?.contract !== 'killPolicies') return false
  const { functionName, args } = meaning
  if (functionName === 'setDefault') return agentType === null
  const isOfType = functionName === 'setPolicy' || functionName === 'removePolicy'
  return isOfType && agentType !== null && (args[0] as Hex) === policyWord(agentType)
}

/**
 * The vote that changed a policy at a place; undefined where none did. One transaction can execute several votes, so the
 * transaction alone does not say which: a vote counts whose actions set this policy.
 */
export const voteBehind = (
  contracts: GovernedContracts,
  proposals: Iterable<ProposalRecord>,
  { txHash }: Pick<PlacedEvent, 'txHash'>,
  agentType: string | null,
): ProposalRecord | undefined =>
  [...proposals].find(
    ({ executedAt, proposal }) =>
      executedAt?.txHash === txHash &&
      proposal.actions.some((action) => setsPolicy(contracts, action, agentType)),
  )
