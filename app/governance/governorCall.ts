import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import type { GovernorName } from '../../protocol/governance/governanceLog.ts'
import type { ContractCall } from '../chain/contractWrites.ts'
import { governanceErrors } from './governanceWords.ts'
import type { Voting } from './useGovernance.ts'

/** A call of a governor. */
export const governorCall = (
  voting: Pick<Voting, 'contracts'>,
  governor: GovernorName,
  functionName: string,
  args: readonly unknown[],
): ContractCall => ({
  address: governor === 'policy' ? voting.contracts.policyGovernor : voting.contracts.emergencyGovernor,
  abi: [...(governor === 'policy' ? policyGovernorAbi : emergencyGovernorAbi), ...governanceErrors],
  functionName,
  args,
})
