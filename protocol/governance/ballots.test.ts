import { encodeAbiParameters, encodeEventTopics, getAddress, type Hex } from 'viem'
import { describe, expect, test } from 'vitest'
import { emergencyGovernorAbi } from '../generated/emergencyGovernorAbi.ts'
import { killswitchTokenAbi } from '../generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../generated/policyTimelockAbi.ts'
import {
  foldProposals,
  operationId,
  type PlacedEvent,
  type ProposalRecord,
  proposalKey,
  proposalState,
  settingAt,
  settingChanges,
  thresholdsAt,
} from './ballots.ts'
import type { GovernedContracts } from './contracts.ts'
import { decodeGovernanceLog, type GovernanceEvent, type Support } from './governanceLog.ts'
import { type Proposal, proposalId } from './proposal.ts'

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
const alice = place(0xa11ce)
const proposal: Proposal = {
  actions: [{ target: contracts.killPolicies, value: 0n, data: '0x1234' }],
  description: 'why',
}
const id = proposalId(proposal)
const supply = 1_000n
const thresholds = { quorum: 40n, superQuorum: null }

let logs = 0
const at = (event: GovernanceEvent, time = 0): PlacedEvent => ({
  event,
  block: BigInt(++logs),
  logIndex: 0,
  txHash: `0x${logs.toString(16).padStart(64, '0')}`,
  time,
})
const created = (governor: 'policy' | 'emergency', of = proposal, as = proposalId(of)) =>
  at({
    type: 'ProposalCreated',
    governor,
    id: as,
    proposer: alice,
    proposal: of,
    voteStart: 100,
    voteEnd: 200,
  })
const ballot = (governor: 'policy' | 'emergency', support: Support, weight: bigint, n: number) =>
  at({ type: 'VoteCast', governor, id, voter: place(n), support, weight, reason: '' })
const record = (governor: 'policy' | 'emergency', ...events: readonly PlacedEvent[]): ProposalRecord => {
  const found = foldProposals(contracts, [created(governor), ...events]).get(proposalKey(governor, id))
  if (found === undefined) throw new Error('no such proposal')
  return found
}

describe('logs are decoded', () => {
  const governorLog = (eventName: 'ProposalCreated' | 'VoteCast', args: readonly unknown[]) => {
    const event = policyGovernorAbi.find((item) => item.type === 'event' && item.name === eventName)
    const inputs = (event as { inputs: readonly { indexed: boolean; name: string; type: string }[] }).inputs
    return {
      address: contracts.policyGovernor,
      topics: encodeEventTopics({
        abi: policyGovernorAbi,
        eventName,
        args: Object.fromEntries(inputs.map(({ name }, index) => [name, args[index]])),
      } as never) as Hex[],
      data: encodeAbiParameters(
        inputs.filter(({ indexed }) => !indexed),
        args.filter((_, index) => inputs[index]?.indexed === false),
      ),
    }
  }

  test('a proposal, with its actions in lower case', () => {
    const target = getAddress(`0x${'ab'.repeat(20)}`)
    const log = governorLog('ProposalCreated', [
      id,
      alice,
      [target],
      [5n],
      [''],
      ['0x1234'],
      100n,
      200n,
      'why',
    ])
    expect(decodeGovernanceLog(contracts, log)).toEqual({
      type: 'ProposalCreated',
      governor: 'policy',
      id,
      proposer: alice,
      proposal: {
        actions: [{ target: target.toLowerCase(), value: 5n, data: '0x1234' }],
        description: 'why',
      },
      voteStart: 100,
      voteEnd: 200,
    })
  })

  test('a vote, a setting, a delegation; what is of no known event or contract is passed over', () => {
    const vote = governorLog('VoteCast', [alice, id, 2, 7n, 'because'])
    expect(decodeGovernanceLog(contracts, vote)).toEqual({
      type: 'VoteCast',
      governor: 'policy',
      id,
      voter: alice,
      support: 2,
      weight: 7n,
      reason: 'because',
    })
    const setting = {
      address: contracts.emergencyGovernor,
      topics: encodeEventTopics({
        abi: emergencyGovernorAbi,
        eventName: 'SuperQuorumNumeratorUpdated',
      }) as Hex[],
      data: encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [30n, 35n]),
    }
    expect(decodeGovernanceLog(contracts, setting)).toEqual({
      type: 'SettingSet',
      governor: 'emergency',
      setting: 'superQuorum',
      value: 35n,
    })
    const delegation = {
      address: contracts.token,
      topics: encodeEventTopics({
        abi: killswitchTokenAbi,
        eventName: 'DelegateChanged',
        args: { delegator: alice, fromDelegate: alice, toDelegate: place(0) },
      }) as Hex[],
      data: '0x',
    } as const
    expect(decodeGovernanceLog(contracts, delegation)).toEqual({
      type: 'DelegateChanged',
      delegator: alice,
      delegate: null,
    })
    expect(decodeGovernanceLog(contracts, { ...vote, address: place(99) })).toBeNull()
    expect(decodeGovernanceLog(contracts, { ...vote, topics: [`0x${'99'.repeat(32)}`] })).toBeNull()
    expect(decodeGovernanceLog(contracts, { ...vote, data: vote.data.slice(0, 40) as Hex })).toBeNull()
  })
})

test('an id that is not of the actions and the description is told from one that is', () => {
  const forged = created('policy', { ...proposal, description: 'a better one' }, id)
  expect(record('policy').isGenuine).toBe(true)
  expect(foldProposals(contracts, [forged]).get(proposalKey('policy', id))?.isGenuine).toBe(false)
})

test('the same proposal at both governors is two', () => {
  const both = foldProposals(contracts, [
    created('policy'),
    created('emergency'),
    ballot('emergency', 1, 5n, 1),
  ])
  expect([...both.values()].map(({ governor, votes }) => [governor, votes.for])).toEqual([
    ['policy', 0n],
    ['emergency', 5n],
  ])
})

test('one second before, at and after the snapshot and the deadline', () => {
  const one = record('policy', ballot('policy', 1, 40n, 1))
  const states = [99, 100, 101, 199, 200, 201].map((now) => proposalState(one, thresholds, now))
  expect(states).toEqual(['pending', 'pending', 'active', 'active', 'active', 'succeeded'])
})

test('one second before, at and after the end of each grace period', () => {
  const day = 86_400
  const carried = (governor: 'policy' | 'emergency') => ballot(governor, 1, 40n, 1)
  const queued = at({ type: 'ProposalQueued', governor: 'policy', id, eta: 300 })
  const around = (one: ProposalRecord, last: number) =>
    [last - 1, last, last + 1].map((now) => proposalState(one, thresholds, now))
  // The deadline is 200.
  expect(around(record('policy', carried('policy')), 200 + 14 * day)).toEqual([
    'succeeded',
    'succeeded',
    'expired',
  ])
  expect(around(record('policy', carried('policy'), queued), 300 + 14 * day)).toEqual([
    'queued',
    'queued',
    'expired',
  ])
  expect(around(record('emergency', carried('emergency')), 200 + 7 * day)).toEqual([
    'succeeded',
    'succeeded',
    'expired',
  ])
  const executed = at({ type: 'ProposalExecuted', governor: 'policy', id })
  const settled = record('policy', carried('policy'), queued, executed)
  expect(proposalState(settled, thresholds, 400 * day)).toBe('executed')
  expect(proposalState(record('policy'), thresholds, 400 * day)).toBe('defeated')
})

test.each([
  ['no votes', 'defeated', []],
  ['one below quorum', 'defeated', [[1, 39n]]],
  ['at quorum', 'succeeded', [[1, 40n]]],
  [
    'abstentions count for quorum, not for carrying',
    'succeeded',
    [
      [2, 39n],
      [1, 1n],
    ],
  ],
  ['abstentions alone', 'defeated', [[2, 100n]]],
  [
    'a tie',
    'defeated',
    [
      [1, 50n],
      [0, 50n],
    ],
  ],
] as const)('%s: %s', (_, state, votes) => {
  const cast = votes.map(([support, weight], index) => ballot('policy', support, weight, index + 1))
  expect(proposalState(record('policy', ...cast), thresholds, 201)).toBe(state)
})

test('a super-quorum ends an emergency vote early, if more are for it than against', () => {
  const limits = { quorum: 150n, superQuorum: 300n }
  const below = record('emergency', ballot('emergency', 1, 299n, 1))
  const reached = record('emergency', ballot('emergency', 1, 299n, 1), ballot('emergency', 1, 1n, 2))
  const against = record('emergency', ballot('emergency', 1, 300n, 1), ballot('emergency', 0, 300n, 2))
  expect([below, reached, against].map((one) => proposalState(one, limits, 150))).toEqual([
    'active',
    'succeeded',
    'active',
  ])
  // The same votes do nothing early where there is no super-quorum.
  expect(proposalState(reached, { quorum: 150n, superQuorum: null }, 150)).toBe('active')
})

test('a late quorum prolongs; queueing, executing and cancelling are told', () => {
  const extended = record(
    'policy',
    ballot('policy', 1, 40n, 1),
    at({ type: 'ProposalExtended', governor: 'policy', id, deadline: 250 }),
  )
  expect([extended.isExtended, proposalState(extended, thresholds, 201)]).toEqual([true, 'active'])
  const queued = record(
    'policy',
    ballot('policy', 1, 40n, 1),
    at({ type: 'ProposalQueued', governor: 'policy', id, eta: 300 }),
  )
  expect([queued.eta, proposalState(queued, thresholds, 201)]).toEqual([300, 'queued'])
  const executed = record('policy', at({ type: 'ProposalExecuted', governor: 'policy', id }))
  expect(proposalState(executed, thresholds, 201)).toBe('executed')
  const canceled = record('policy', at({ type: 'ProposalCanceled', governor: 'policy', id }))
  expect(proposalState(canceled, thresholds, 50)).toBe('canceled')
})

test('what anyone executed at the timelock itself is executed', () => {
  const log = {
    address: contracts.timelock,
    topics: encodeEventTopics({
      abi: policyTimelockAbi,
      eventName: 'CallExecuted',
      args: { id: operationId(contracts.policyGovernor, proposal), index: 0n },
    }) as Hex[],
    data: encodeAbiParameters(
      [{ type: 'address' }, { type: 'uint256' }, { type: 'bytes' }],
      [contracts.killPolicies, 0n, '0x1234'],
    ),
  }
  const event = decodeGovernanceLog(contracts, log)
  if (event === null) throw new Error('not decoded')
  expect(proposalState(record('policy', at(event)), thresholds, 201)).toBe('executed')
  const other = at({ type: 'OperationExecuted', operation: `0x${'12'.repeat(32)}` })
  expect(proposalState(record('policy', other), thresholds, 201)).toBe('defeated')
})

test('events of a proposal that nobody saw made change nothing', () => {
  expect(foldProposals(contracts, [ballot('policy', 1, 1n, 1)]).size).toBe(0)
})

test('thresholds are those of the snapshot, not of today', () => {
  const set = (setting: 'quorum' | 'superQuorum', value: bigint, time: number) =>
    at({ type: 'SettingSet', governor: 'emergency', setting, value }, time)
  const changes = settingChanges([
    set('quorum', 15n, 10),
    set('superQuorum', 30n, 10),
    set('quorum', 20n, 100),
  ])
  expect(thresholdsAt(changes, 'emergency', supply, 99)).toEqual({ quorum: 150n, superQuorum: 300n })
  expect(thresholdsAt(changes, 'emergency', supply, 100)).toEqual({ quorum: 200n, superQuorum: 300n })
  expect(settingAt(changes, 'policy', 'quorum')).toBeNull()
})
