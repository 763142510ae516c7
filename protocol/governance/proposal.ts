import {
  type Abi,
  decodeFunctionData,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  keccak256,
  stringToBytes,
} from 'viem'
import { emergencyGovernorAbi } from '../generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../generated/subscriptionsAbi.ts'
import type { GovernedContracts } from './contracts.ts'

/** One call that a vote makes; value in wei. */
export type Action = { readonly target: Hex; readonly value: bigint; readonly data: Hex }

export type Proposal = { readonly actions: readonly Action[]; readonly description: string }

const proposalParameters = [
  { type: 'address[]' },
  { type: 'uint256[]' },
  { type: 'bytes[]' },
  { type: 'bytes32' },
] as const

export const descriptionHash = (description: string): Hex => keccak256(stringToBytes(description))

/** As `propose` takes it. */
export const proposeArguments = ({ actions, description }: Proposal) =>
  [
    actions.map(({ target }) => target),
    actions.map(({ value }) => value),
    actions.map(({ data }) => data),
    description,
  ] as const

/** As `queue`, `execute` and `cancel` take it. */
export const settleArguments = (proposal: Proposal) => {
  const [targets, values, calldatas] = proposeArguments(proposal)
  return [targets, values, calldatas, descriptionHash(proposal.description)] as const
}

/** Twin of `Governor.hashProposal`; the same on every governor and chain. */
export const proposalId = (proposal: Proposal): bigint =>
  BigInt(keccak256(encodeAbiParameters(proposalParameters, settleArguments(proposal))))

/** The description that only this account can propose: nobody can propose it first and cancel it. */
export const describedFor = (text: string, proposer: Hex): string => `${text}#proposer=${proposer}`

/** Who alone can propose a description, and what it says; null where anybody can. */
export function readDescription(description: string): {
  readonly text: string
  readonly proposer: Hex | null
} {
  const suffix = /#proposer=(0x[0-9a-fA-F]{40})$/.exec(description)
  return suffix === null
    ? { text: description, proposer: null }
    : { text: description.slice(0, suffix.index), proposer: (suffix[1] as string).toLowerCase() as Hex }
}

/** What each of the contracts can be called with. */
export const contractAbis: Readonly<Record<keyof GovernedContracts, Abi>> = {
  token: killswitchTokenAbi,
  policyGovernor: policyGovernorAbi,
  timelock: policyTimelockAbi,
  emergencyGovernor: emergencyGovernorAbi,
  killSwitch: killSwitchAbi,
  killPolicies: killPoliciesAbi,
  subscriptions: subscriptionsAbi,
}

/** What an action calls; null where it is none of the contracts, or its bytes are not exactly a call of it. */
export type ActionMeaning = {
  readonly contract: keyof GovernedContracts
  readonly functionName: string
  readonly args: readonly unknown[]
}

/**
 * Reads an action of a proposal. What is shown of it is what it does: bytes that a decoder would pass over (beyond the
 * arguments, or dirty padding) make it unreadable.
 */
export function readAction(contracts: GovernedContracts, action: Action): ActionMeaning | null {
  const target = action.target.toLowerCase()
  const contract = (Object.keys(contractAbis) as (keyof GovernedContracts)[]).find(
    (name) => contracts[name] === target,
  )
  if (contract === undefined) return null
  try {
    const abi = contractAbis[contract]
    const { functionName, args = [] } = decodeFunctionData({ abi, data: action.data })
    const again = encodeFunctionData({ abi, functionName, args })
    return again === action.data.toLowerCase() ? { contract, functionName, args } : null
  } catch {
    // Not of this ABI: shown as the bytes that it is.
    return null
  }
}
