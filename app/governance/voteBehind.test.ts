import type { Hex } from 'viem'
import { expect, test } from 'vitest'
import { foldProposals, type PlacedEvent } from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { type Action, proposalId } from '../../protocol/governance/proposal.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { fleetTarget } from '../../protocol/scope.ts'
import { removePolicyAction, resumeAction, setPolicyAction } from './draftActions.ts'
import { voteBehind } from './voteBehind.ts'

const place = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const contracts: GovernedContracts = {
  token: place(1),
  policyGovernor: place(2),
  timelock: place(3),
  emergencyGovernor: place(4),
  killSwitch: place(5),
  killPolicies: place(6),
  subscriptions: place(7),
}
const txHash: Hex = `0x${'ab'.repeat(32)}`

/** Votes that one transaction executed, in this order. */
function executed(...votes: readonly (readonly Action[])[]) {
  const at = { block: 1n, logIndex: 0, txHash, time: 1 }
  const events = votes.flatMap((actions, index): PlacedEvent[] => {
    const proposal = { actions, description: `${index}` }
    const rest = { governor: 'policy', id: proposalId(proposal) } as const
    return [
      {
        ...at,
        event: {
          ...{ type: 'ProposalCreated', ...rest, proposer: place(9), proposal },
          ...{ voteStart: 0, voteEnd: 1 },
        },
      },
      { ...at, event: { type: 'ProposalExecuted', ...rest } },
    ]
  })
  return [...foldProposals(contracts, events).values()]
}
const release = resumeAction(contracts, fleetTarget, 'resume')
const byDefault = (version: number) => setPolicyAction(contracts, null, initialPolicy, false, version)
const traders = setPolicyAction(contracts, 'trader', initialPolicy, false, 0)
const noWorkers = removePolicyAction(contracts, 'worker', 4)

test('of several votes in one transaction it is the one that makes this version', () => {
  const proposals = executed([release], [traders], [release, byDefault(1)], [noWorkers], [byDefault(2)])
  const behind = (agentType: string | null, version: number) =>
    voteBehind(contracts, proposals, { txHash }, { agentType, version })?.proposal.description
  expect([behind('trader', 1), behind(null, 2), behind('worker', 5), behind(null, 3)]).toEqual([
    '1',
    '2',
    '3',
    '4',
  ])
  expect([behind('trader', 2), behind('other', 1), behind(null, 5)]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})

test('a vote of another transaction is none', () => {
  const other: Hex = `0x${'cd'.repeat(32)}`
  const made = { agentType: null, version: 2 }
  expect(voteBehind(contracts, executed([byDefault(1)]), { txHash: other }, made)).toBeUndefined()
  expect(voteBehind(contracts, executed([byDefault(1)]), { txHash }, made)).toBeDefined()
})
