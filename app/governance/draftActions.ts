// The calls that the forms propose.
import { encodeFunctionData, getAddress } from 'viem'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { Action } from '../../protocol/governance/proposal.ts'
import type { KillPolicy } from '../../protocol/policy/killPolicy.ts'
import { policyWord, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { Scope, subjectLabel, type Target } from '../../protocol/scope.ts'
import { agentIdFromUuid } from '../../protocol/uuid.ts'

const call = (target: Action['target'], data: Action['data']): Action => ({ target, value: 0n, data })

/**
 * @param agentType null for the default, which knows no admission
 * @param expectedVersion the version that it replaces, 0 for a type that never had a policy
 */
export const setPolicyAction = (
  { killPolicies }: GovernedContracts,
  agentType: string | null,
  policy: KillPolicy,
  byAdmission: boolean,
  expectedVersion: number,
): Action =>
  call(
    killPolicies,
    agentType === null
      ? encodeFunctionData({
          abi: killPoliciesAbi,
          functionName: 'setDefault',
          args: [toPolicyStruct(policy), BigInt(expectedVersion)],
        })
      : encodeFunctionData({
          abi: killPoliciesAbi,
          functionName: 'setPolicy',
          args: [policyWord(agentType), toPolicyStruct(policy), byAdmission, BigInt(expectedVersion)],
        }),
  )

/** @param expectedVersion the version that it removes */
export const removePolicyAction = (
  { killPolicies }: GovernedContracts,
  agentType: string,
  expectedVersion: number,
): Action =>
  call(
    killPolicies,
    encodeFunctionData({
      abi: killPoliciesAbi,
      functionName: 'removePolicy',
      args: [policyWord(agentType), BigInt(expectedVersion)],
    }),
  )

/** @param owner who owns the agent, as voters are told; null ends its admission @throws {InvalidUuidError} */
export const admitAction = (
  { killPolicies }: GovernedContracts,
  uuid: string,
  owner: `0x${string}` | null,
): Action =>
  call(
    killPolicies,
    owner === null
      ? encodeFunctionData({
          abi: killPoliciesAbi,
          functionName: 'dismiss',
          args: [agentIdFromUuid(uuid)],
        })
      : encodeFunctionData({
          abi: killPoliciesAbi,
          functionName: 'admit',
          args: [agentIdFromUuid(uuid), getAddress(owner)],
        }),
  )

export const killAction = (
  { killSwitch }: GovernedContracts,
  target: Target,
  reason: number,
  text: string,
): Action =>
  call(
    killSwitch,
    target.scope === Scope.Owner
      ? encodeFunctionData({
          abi: killSwitchAbi,
          functionName: 'emergencyKill',
          args: [getAddress(subjectLabel(target)), reason, text],
        })
      : encodeFunctionData({
          abi: killSwitchAbi,
          functionName: 'kill',
          args: [target.scope, target.subject, reason, text],
        }),
  )

/** @param step a resume takes two votes: one that asks, and one, a cool-down later, that releases */
export const resumeAction = (
  { killSwitch }: GovernedContracts,
  target: Target,
  step: 'request' | 'resume',
): Action =>
  call(
    killSwitch,
    encodeFunctionData({
      abi: killSwitchAbi,
      functionName: step === 'request' ? 'requestResume' : 'resume',
      args: [target.scope, target.subject],
    }),
  )
