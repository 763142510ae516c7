import { useQuery } from '@tanstack/react-query'
import type { Client } from 'viem'
import { simulateContract } from 'viem/actions'
import type { GovernorName } from '../../protocol/governance/governanceLog.ts'
import {
  contractAbis,
  type Proposal,
  proposalId,
  proposeArguments,
  readAction,
} from '../../protocol/governance/proposal.ts'
import type { Hex } from '../../protocol/hex.ts'
import { plainError } from '../plainError.ts'
import { useServices } from '../services.ts'
import { governanceErrors, governanceWords } from './governanceWords.ts'
import type { Voting } from './useGovernance.ts'

/** What the user's node says would happen; null where it would work. */
export type Check = {
  /** Proposing it, now, by this wallet. */
  readonly propose: string | null
  /** Each action, if it were executed now, by who would execute it. */
  readonly actions: readonly (string | null)[]
}

/** ms between two tries */
const lookInterval = 3_000

const refusal = async (run: Promise<unknown>): Promise<string | null> => {
  try {
    await run
    return null
  } catch (error) {
    const told = plainError(error, governanceWords)
    // A node that is gone refuses nothing.
    if (told.kind === 'rpc down') throw error
    return told.kind === 'contract refused' ? told.next : `${told.title}. ${told.detail}`
  }
}

async function check(
  client: Client,
  { contracts }: Voting,
  governor: GovernorName,
  proposal: Proposal,
  account: Hex,
): Promise<Check> {
  const executor = governor === 'policy' ? contracts.timelock : contracts.emergencyGovernor
  const [propose, ...actions] = await Promise.all([
    refusal(
      simulateContract(client, {
        account,
        address: governor === 'policy' ? contracts.policyGovernor : contracts.emergencyGovernor,
        abi: [...contractAbis.policyGovernor, ...governanceErrors],
        functionName: 'propose',
        args: proposeArguments(proposal),
      } as never),
    ),
    ...proposal.actions.map((action) => {
      const meaning = readAction(contracts, action)
      if (meaning === null) return 'This page cannot read it.'
      const { contract, functionName, args } = meaning
      return refusal(
        simulateContract(client, {
          account: executor,
          address: action.target,
          abi: [...contractAbis[contract].filter(({ type }) => type === 'function'), ...governanceErrors],
          functionName,
          args,
        } as never),
      )
    }),
  ])
  return { propose: propose ?? null, actions }
}

/** Tries a proposal on the user's node, before anything is signed; undefined while it is not known. */
export function useCheck(
  voting: Voting,
  governor: GovernorName,
  proposal: Proposal | null,
  account: Hex | null,
): { readonly check: Check | undefined; readonly error: unknown } {
  const { client } = useServices()
  const about = ['check', governor, account, proposal === null ? null : proposalId(proposal).toString()]
  const { data, error } = useQuery({
    queryKey: [...about, voting.governance.events.length],
    enabled: proposal !== null && account !== null,
    queryFn: () => check(client, voting, governor, proposal as Proposal, account as Hex),
    // What would work changes with time, such as when a cool-down is over.
    refetchInterval: lookInterval,
    // While the same proposal is tried again its last answer stands: news of the chain must not swallow a press.
    placeholderData: (last: Check | undefined, query) =>
      query !== undefined && about.every((part, index) => query.queryKey[index] === part) ? last : undefined,
  })
  return { check: proposal === null ? undefined : data, error }
}
