// Whether the contracts of the configuration belong together, by what they say themselves: whoever wrote one wrong address,
// by mistake or not, must not have people sign for it.
import {
  type Abi,
  AbiDecodingZeroDataError,
  BaseError,
  type Client,
  ContractFunctionRevertedError,
  ContractFunctionZeroDataError,
} from 'viem'
import { readContract } from 'viem/actions'
import type { contractNames, GovernedContracts } from '../../protocol/governance/contracts.ts'
import { contractAbis } from '../../protocol/governance/proposal.ts'
import type { Hex } from '../../protocol/hex.ts'

type ContractName = (typeof contractNames)[number]

/** Of a contract: the function that names another one, and which of the configuration that must be. */
const links: readonly (readonly [contract: ContractName, functionName: string, other: ContractName])[] = [
  ['policyGovernor', 'token', 'token'],
  ['policyGovernor', 'timelock', 'timelock'],
  ['policyGovernor', 'killSwitch', 'killSwitch'],
  ['timelock', 'killSwitch', 'killSwitch'],
  ['emergencyGovernor', 'token', 'token'],
  ['emergencyGovernor', 'killSwitch', 'killSwitch'],
  ['killPolicies', 'killSwitch', 'killSwitch'],
  ['subscriptions', 'killSwitch', 'killSwitch'],
  ['subscriptions', 'token', 'token'],
]

/** What the contracts are called. */
const names: Readonly<Record<ContractName, string>> = {
  token: 'token',
  policyGovernor: 'policy governor',
  timelock: 'timelock',
  emergencyGovernor: 'emergency governor',
  killSwitch: 'KillSwitch',
  killPolicies: 'kill policies',
  subscriptions: 'subscriptions',
}

/** Whether the contract itself gave no such answer; else it is the node that did not. */
const isContractsWord = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk(
    (one) =>
      one instanceof ContractFunctionRevertedError ||
      one instanceof ContractFunctionZeroDataError ||
      one instanceof AbiDecodingZeroDataError,
  ) !== null

/**
 * What does not fit, one sentence for each contract and what it should name; none where all fit.
 * @throws viem's errors when the node does not answer: then nothing is known
 */
export async function readLinkFaults(
  client: Client,
  contracts: GovernedContracts,
): Promise<readonly string[]> {
  /** @returns null where the contract gives no such answer: there is none, or another one */
  const ask = async (contract: ContractName, functionName: string, args: readonly unknown[] = []) => {
    try {
      return await readContract(client, {
        address: contracts[contract],
        abi: contractAbis[contract] as Abi,
        functionName,
        args,
      })
    } catch (error) {
      if (isContractsWord(error)) return null
      throw error
    }
  }
  const roleFault = async (): Promise<string[]> => {
    const role = await ask('timelock', 'PROPOSER_ROLE')
    const has = role === null ? null : await ask('timelock', 'hasRole', [role, contracts.policyGovernor])
    return has === true
      ? []
      : [`The timelock (${contracts.timelock}) takes no proposals of the policy governor.`]
  }
  const linkFaults = links.map(async ([contract, functionName, other]): Promise<string[]> => {
    const told = (await ask(contract, functionName)) as Hex | null
    if (told?.toLowerCase() === contracts[other]) return []
    return [
      `Of the ${names[contract]} (${contracts[contract]}) the ${names[other]} is ${told === null ? 'nothing that it could name' : told.toLowerCase()}, not ${contracts[other]}.`,
    ]
  })
  return (await Promise.all([roleFault(), ...linkFaults])).flat()
}
