// The events of everything that token holders govern, decoded: governors, timelock, token and plans. Those of KillPolicies
// are read by protocol/policy/, those of the KillSwitch by protocol/registryLog.ts.
import { type Abi, type AbiEvent, decodeEventLog, toEventSelector } from 'viem'
import { emergencyGovernorAbi } from '../generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../generated/killPoliciesAbi.ts'
import { killswitchTokenAbi } from '../generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../generated/policyTimelockAbi.ts'
import { subscriptionsAbi } from '../generated/subscriptionsAbi.ts'
import type { Hex } from '../hex.ts'
import type { PolicyEvent } from '../policy/policies.ts'
import { decodePolicyLog } from '../policy/policyLog.ts'
import type { GovernedContracts } from './contracts.ts'
import type { Proposal } from './proposal.ts'

/** Which of the two governors. */
export type GovernorName = 'policy' | 'emergency'

/** What votes change about votes. Times in seconds, quorums in percent of the supply, thresholds in the smallest unit. */
export type SettingName =
  | 'votingDelay'
  | 'votingPeriod'
  | 'voteExtension'
  | 'timelockDelay'
  | 'proposalThreshold'
  | 'quorum'
  | 'superQuorum'

/** Bravo's numbers: 0 against, 1 for, 2 abstain. */
export type Support = 0 | 1 | 2

/** A subscription's plan; price in the currency's smallest unit, period in seconds. */
export type Plan = {
  readonly planId: number
  readonly price: bigint
  readonly period: number
  readonly agentQuota: number
  readonly offered: boolean
}

/** An event, decoded: addresses in lower case, times in Unix seconds. */
export type GovernanceEvent =
  | {
      readonly type: 'ProposalCreated'
      readonly governor: GovernorName
      readonly id: bigint
      readonly proposer: Hex
      readonly proposal: Proposal
      readonly voteStart: number
      readonly voteEnd: number
    }
  | {
      readonly type: 'VoteCast'
      readonly governor: GovernorName
      readonly id: bigint
      readonly voter: Hex
      readonly support: Support
      readonly weight: bigint
      readonly reason: string
    }
  | {
      readonly type: 'ProposalQueued'
      readonly governor: GovernorName
      readonly id: bigint
      readonly eta: number
    }
  | { readonly type: 'ProposalExecuted'; readonly governor: GovernorName; readonly id: bigint }
  | { readonly type: 'ProposalCanceled'; readonly governor: GovernorName; readonly id: bigint }
  | {
      readonly type: 'ProposalExtended'
      readonly governor: GovernorName
      readonly id: bigint
      readonly deadline: number
    }
  | {
      readonly type: 'SettingSet'
      readonly governor: GovernorName
      readonly setting: SettingName
      readonly value: bigint
    }
  /** Of the timelock, by its operation. */
  | { readonly type: 'OperationExecuted'; readonly operation: Hex }
  | { readonly type: 'DelegateChanged'; readonly delegator: Hex; readonly delegate: Hex | null }
  | { readonly type: 'VotesChanged'; readonly delegate: Hex; readonly votes: bigint }
  | { readonly type: 'PolicyChanged'; readonly change: PolicyEvent }
  | { readonly type: 'PlanSet'; readonly plan: Plan }

const readEvents: readonly (readonly [Abi, readonly string[]])[] = [
  [
    policyGovernorAbi,
    [
      'ProposalCreated',
      'VoteCast',
      'VoteCastWithParams',
      'ProposalQueued',
      'ProposalExecuted',
      'ProposalCanceled',
      'ProposalExtended',
      'VotingDelaySet',
      'VotingPeriodSet',
      'LateQuorumVoteExtensionSet',
      'ProposalThresholdSet',
      'QuorumNumeratorUpdated',
    ],
  ],
  [emergencyGovernorAbi, ['SuperQuorumNumeratorUpdated']],
  [policyTimelockAbi, ['MinDelayChange', 'CallExecuted']],
  [killswitchTokenAbi, ['DelegateChanged', 'DelegateVotesChanged']],
  [killPoliciesAbi, ['PolicySet', 'PolicyRemoved', 'AgentAdmitted']],
  [subscriptionsAbi, ['PlanSet']],
]

/** The events that `decodeGovernanceLog` reads, to ask a node for these only: a token's transfers are many. */
export const governanceEvents: readonly AbiEvent[] = [
  ...new Map(
    readEvents
      .flatMap(([abi, names]) =>
        abi.filter((item): item is AbiEvent => item.type === 'event' && names.includes(item.name)),
      )
      .map((event) => [toEventSelector(event), event] as const),
  ).values(),
]

type Log = { readonly address: Hex; readonly topics: readonly Hex[]; readonly data: Hex }
type Decoded = { readonly eventName: string; readonly args: Readonly<Record<string, unknown>> }

const decode = (abi: Abi, { topics, data }: Log): Decoded | null => {
  try {
    return decodeEventLog({ abi, topics: topics as [Hex, ...Hex[]], data }) as unknown as Decoded
  } catch {
    // Of no event that this program knows, such as one of a later contract.
    return null
  }
}

const lower = (address: unknown): Hex => (address as string).toLowerCase() as Hex
const accountOrNull = (address: unknown): Hex | null =>
  /^0x0*$/.test(address as string) ? null : lower(address)

/** The event that sets each setting of a governor, and its argument with the new value. */
const settingEvents: Readonly<Record<string, readonly [SettingName, string]>> = {
  VotingDelaySet: ['votingDelay', 'newVotingDelay'],
  VotingPeriodSet: ['votingPeriod', 'newVotingPeriod'],
  LateQuorumVoteExtensionSet: ['voteExtension', 'newVoteExtension'],
  ProposalThresholdSet: ['proposalThreshold', 'newProposalThreshold'],
  QuorumNumeratorUpdated: ['quorum', 'newQuorumNumerator'],
  SuperQuorumNumeratorUpdated: ['superQuorum', 'newSuperQuorumNumerator'],
}

function governorEvent(governor: GovernorName, { eventName, args }: Decoded): GovernanceEvent | null {
  const setting = settingEvents[eventName]
  if (setting !== undefined) {
    const [name, argument] = setting
    return { type: 'SettingSet', governor, setting: name, value: BigInt(args[argument] as bigint) }
  }
  const id = args.proposalId as bigint
  switch (eventName) {
    case 'ProposalCreated': {
      const targets = args.targets as readonly Hex[]
      const values = args.values as readonly bigint[]
      const calldatas = args.calldatas as readonly Hex[]
      return {
        type: eventName,
        governor,
        id,
        proposer: lower(args.proposer),
        proposal: {
          actions: targets.map((target, index) => ({
            target: lower(target),
            value: values[index] ?? 0n,
            data: calldatas[index] ?? '0x',
          })),
          description: args.description as string,
        },
        voteStart: Number(args.voteStart),
        voteEnd: Number(args.voteEnd),
      }
    }
    case 'VoteCast':
    case 'VoteCastWithParams':
      return {
        type: 'VoteCast',
        governor,
        id,
        voter: lower(args.voter),
        support: args.support as Support,
        weight: args.weight as bigint,
        reason: args.reason as string,
      }
    case 'ProposalQueued':
      return { type: eventName, governor, id, eta: Number(args.etaSeconds) }
    case 'ProposalExecuted':
    case 'ProposalCanceled':
      return { type: eventName, governor, id }
    case 'ProposalExtended':
      return { type: eventName, governor, id, deadline: Number(args.extendedDeadline) }
    default:
      return null
  }
}

const on = (
  abi: Abi,
  log: Log,
  read: (decoded: Decoded) => GovernanceEvent | null,
): GovernanceEvent | null => {
  const decoded = decode(abi, log)
  return decoded === null ? null : read(decoded)
}

/**
 * Decodes a log of one of the contracts.
 * @returns null for a log that says nothing about governance
 * @throws {UnknownPolicySchemaError} for a policy of a later layout
 */
export function decodeGovernanceLog(contracts: GovernedContracts, log: Log): GovernanceEvent | null {
  switch (lower(log.address)) {
    case contracts.policyGovernor:
      return on(policyGovernorAbi, log, (decoded) => governorEvent('policy', decoded))
    case contracts.emergencyGovernor:
      return on(emergencyGovernorAbi, log, (decoded) => governorEvent('emergency', decoded))
    case contracts.timelock:
      return on(policyTimelockAbi, log, ({ eventName, args }) =>
        eventName === 'MinDelayChange'
          ? {
              type: 'SettingSet',
              governor: 'policy',
              setting: 'timelockDelay',
              value: args.newDuration as bigint,
            }
          : eventName === 'CallExecuted'
            ? { type: 'OperationExecuted', operation: args.id as Hex }
            : null,
      )
    case contracts.token:
      return on(killswitchTokenAbi, log, ({ eventName, args }) =>
        eventName === 'DelegateChanged'
          ? {
              type: eventName,
              delegator: lower(args.delegator),
              delegate: accountOrNull(args.toDelegate),
            }
          : eventName === 'DelegateVotesChanged'
            ? { type: 'VotesChanged', delegate: lower(args.delegate), votes: args.newVotes as bigint }
            : null,
      )
    case contracts.subscriptions:
      return on(subscriptionsAbi, log, ({ eventName, args }) =>
        eventName === 'PlanSet'
          ? {
              type: eventName,
              plan: {
                planId: args.planId as number,
                price: args.price as bigint,
                period: args.period as number,
                agentQuota: args.agentQuota as number,
                offered: args.offered as boolean,
              },
            }
          : null,
      )
    case contracts.killPolicies:
      return { type: 'PolicyChanged', change: decodePolicyLog(log) }
    default:
      return null
  }
}
