import type { PlacedEvent, ProposalRecord } from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { type Action, readAction } from '../../protocol/governance/proposal.ts'
import type { Hex } from '../../protocol/hex.ts'
import { policyWord } from '../../protocol/policy/policyLog.ts'

/** A version of a policy; `agentType` is null for the default. */
type Version = { readonly agentType: string | null; readonly version: number }

/** Whether an action makes this version: it names the one that it replaces. */
function makes(contracts: GovernedContracts, action: Action, { agentType, version }: Version): boolean {
  const meaning = readAction(contracts, action)
  if (meaning?.contract !== 'killPolicies') return false
  const { functionName, args } = meaning
  const isOfType =
    functionName === 'setDefault'
      ? agentType === null
      : (functionName === 'setPolicy' || functionName === 'removePolicy') &&
        agentType !== null &&
        (args[0] as Hex) === policyWord(agentType)
  return isOfType && Number(args.at(-1)) === version - 1
}

/**
 * The vote that made a version of a policy at a place; undefined where none did. One transaction can execute several
 * votes, so the transaction alone does not say which: a vote counts whose actions make this version.
 */
export const voteBehind = (
  contracts: GovernedContracts,
  proposals: Iterable<ProposalRecord>,
  { txHash }: Pick<PlacedEvent, 'txHash'>,
  made: Version,
): ProposalRecord | undefined =>
  [...proposals].find(
    ({ executedAt, proposal }) =>
      executedAt?.txHash === txHash && proposal.actions.some((action) => makes(contracts, action, made)),
  )
