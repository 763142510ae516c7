// What readers of the logs say of proposals is what the governors say themselves, in every state.
import { encodeFunctionData, type Hex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyTimelockAbi } from '../../protocol/generated/policyTimelockAbi.ts'
import {
  expiryOf,
  foldProposals,
  operationId,
  type PlacedEvent,
  type ProposalState,
  proposalKey,
  proposalState,
  settingChanges,
  thresholdsAt,
} from '../../protocol/governance/ballots.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import {
  decodeGovernanceLog,
  type GovernorName,
  governanceEvents,
} from '../../protocol/governance/governanceLog.ts'
import {
  descriptionHash,
  type Proposal,
  proposalId,
  proposeArguments,
  settleArguments,
} from '../../protocol/governance/proposal.ts'
import { localPace } from '../../protocol/governance/settings.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { defaultWord, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { fleetTarget } from '../../protocol/scope.ts'
import { type Chain, roles, type Signer, startChain } from '../differential/chain.ts'
import { deployGovernance, supply } from './governed.ts'

const [alice, bob, carol] = roles.owners
/** Percent of the supply: above the super-quorum alone, at the emergency quorum, and one percent. */
const holders = [
  [alice, 31n],
  [bob, 15n],
  [carol, 1n],
] as const
let chain: Chain
let at: GovernedContracts

beforeAll(async () => {
  chain = await startChain()
  at = await deployGovernance(chain)
  for (const [holder, percent] of holders) {
    const token = (functionName: 'transfer' | 'delegate', args: readonly unknown[]) =>
      encodeFunctionData({ abi: killswitchTokenAbi, functionName, args } as never)
    await send(roles.sender, at.token, token('transfer', [holder.address, (supply * percent) / 100n]))
    await send(holder, at.token, token('delegate', [holder.address]))
  }
  await pass(1)
})
afterAll(() => chain.close())

async function send(from: Signer, to: Hex, data: Hex): Promise<boolean> {
  const hash = await chain.client
    .sendTransaction({ account: from.address, chain: null, to, data, gas: 16_000_000n })
    .catch(() => null)
  return hash !== null && (await chain.mined(hash)).status === 'success'
}
const pass = async (seconds: number) => {
  await chain.client.increaseTime({ seconds })
  await chain.client.mine({ blocks: 1 })
}
const addressOf = (governor: GovernorName): Hex =>
  governor === 'policy' ? at.policyGovernor : at.emergencyGovernor
const onGovernor = (from: Signer, governor: GovernorName, functionName: string, args: readonly unknown[]) =>
  send(from, addressOf(governor), encodeFunctionData({ abi: policyGovernorAbi, functionName, args } as never))

async function readEvents(): Promise<readonly PlacedEvent[]> {
  const logs = await chain.client.getLogs({
    address: Object.values(at),
    events: governanceEvents,
    fromBlock: 0n,
  } as never)
  const times = new Map<bigint, number>()
  const events: PlacedEvent[] = []
  for (const log of logs as readonly {
    address: Hex
    topics: Hex[]
    data: Hex
    blockNumber: bigint
    logIndex: number
    transactionHash: Hex
  }[]) {
    const event = decodeGovernanceLog(at, log)
    if (event === null) continue
    const { blockNumber: block, logIndex, transactionHash: txHash } = log
    const time = times.get(block) ?? Number((await chain.client.getBlock({ blockNumber: block })).timestamp)
    times.set(block, time)
    events.push({ event, block, logIndex, txHash, time })
  }
  return events
}

const names = [
  'pending',
  'active',
  'canceled',
  'defeated',
  'succeeded',
  'queued',
  'expired',
  'executed',
] as const

/** Compares every proposal with its governor, at one block. @returns the states that were compared */
async function compare(): Promise<readonly ProposalState[]> {
  const events = await readEvents()
  const { number: blockNumber, timestamp } = await chain.client.getBlock()
  const changes = settingChanges(events)
  const states: ProposalState[] = []
  for (const record of foldProposals(at, events).values()) {
    const { governor, id, snapshot, deadline, eta, votes } = record
    const thresholds = thresholdsAt(changes, governor, supply, snapshot)
    const state = proposalState(record, thresholds, Number(timestamp))
    const read = (functionName: string, args: readonly unknown[]) =>
      chain.client.readContract({
        address: addressOf(governor),
        abi: governor === 'policy' ? policyGovernorAbi : emergencyGovernorAbi,
        functionName,
        args,
        blockNumber,
      } as never)
    const [code, against, supporting, abstain] = [
      await read('state', [id]),
      ...((await read('proposalVotes', [id])) as readonly bigint[]),
    ]
    expect({ id, state, votes, deadline, eta: eta ?? 0, isGenuine: record.isGenuine }).toEqual({
      id,
      state: names[Number(code)],
      votes: { against, for: supporting, abstain },
      deadline: Number(await read('proposalDeadline', [id])),
      eta: Number(await read('proposalEta', [id])),
      isGenuine: true,
    })
    if (snapshot < Number(timestamp)) {
      expect(thresholds.quorum).toBe(await read('quorum', [BigInt(snapshot)]))
      if (thresholds.superQuorum !== null)
        expect(thresholds.superQuorum).toBe(await read('superQuorum', [BigInt(snapshot)]))
    }
    states.push(state)
  }
  return states
}

/** Of the default policy. */
async function versionNow(): Promise<bigint> {
  const [, version] = await chain.client.readContract({
    address: at.killPolicies,
    abi: killPoliciesAbi,
    functionName: 'policyOf',
    args: [defaultWord],
  })
  return version
}

const kill = (n: number): Proposal => ({
  actions: [
    {
      target: at.killSwitch,
      value: 0n,
      data: encodeFunctionData({
        abi: killSwitchAbi,
        functionName: 'kill',
        args: [fleetTarget.scope, fleetTarget.subject, 2, `number ${n}`],
      }),
    },
  ],
  description: `Kill ${n}`,
})
/** @param version the one that it replaces */
const policy = (n: number, version: bigint): Proposal => ({
  actions: [
    {
      target: at.killPolicies,
      value: 0n,
      data: encodeFunctionData({
        abi: killPoliciesAbi,
        functionName: 'setDefault',
        args: [
          toPolicyStruct({
            ...initialPolicy,
            limits: { ...initialPolicy.limits, consecutiveFailures: 2 + n },
          }),
          version,
        ],
      }),
    },
    // The quorums move on the way, so that thresholds differ from snapshot to snapshot.
    {
      target: at.emergencyGovernor,
      value: 0n,
      data: encodeFunctionData({
        abi: emergencyGovernorAbi,
        functionName: 'updateQuorumNumerator',
        args: [BigInt(12 + (n % 4))],
      }),
    },
    // Only its governor can execute what changes that governor itself.
    ...(n % 2 === 1
      ? []
      : [
          {
            target: at.policyGovernor,
            value: 0n,
            data: encodeFunctionData({
              abi: policyGovernorAbi,
              functionName: 'updateQuorumNumerator',
              args: [BigInt(1 + (n % 6))],
            }),
          },
        ]),
  ],
  description: `Policy ${n}`,
})

test('states, votes, deadlines and thresholds, through every turn that a vote can take', {
  timeout: 120_000,
}, async () => {
  const seen = new Set<ProposalState>()
  const look = async () => {
    for (const state of await compare()) seen.add(state)
  }
  // Every pair of votes of the two large holders, and who settles it how: a table, not chance.
  const turns = ([1, 0, 2, null] as const).flatMap((first) =>
    ([1, 0, null] as const).map((second) => [first, second] as const),
  )
  for (const [n, [first, second]] of turns.entries()) {
    const both = [
      ['policy', policy(n, await versionNow())],
      ['emergency', kill(n)],
    ] as const
    for (const [governor, proposal] of both) {
      expect(await onGovernor(carol, governor, 'propose', proposeArguments(proposal))).toBe(true)
      // In the next second: later it is too late.
      if (n === 3) await onGovernor(carol, governor, 'cancel', settleArguments(proposal))
    }
    await look()
    await pass(1)
    const vote = async (holder: Signer, support: number | null) => {
      if (support === null) return
      for (const [governor, proposal] of both)
        await onGovernor(holder, governor, 'castVote', [proposalId(proposal), support])
    }
    await vote(bob, second)
    await look()
    // Late, so that a quorum that only now is reached prolongs the vote.
    await pass(localPace.policy.votingPeriod - 6)
    await vote(alice, first)
    await look()
    await pass(localPace.policy.voteExtension + 4)
    await look()
    for (const [governor, proposal] of both) {
      await onGovernor(bob, governor, 'queue', settleArguments(proposal))
      if (n % 2 === 0) await look()
      await pass(localPace.policy.timelockDelay)
      if (governor === 'policy' && n % 2 === 1) {
        // By anybody, past the governor.
        const [targets, values, payloads] = proposeArguments(proposal)
        const salt = BigInt(descriptionHash(proposal.description)) ^ (BigInt(at.policyGovernor) << 96n)
        await send(
          roles.stranger,
          at.timelock,
          encodeFunctionData({
            abi: policyTimelockAbi,
            functionName: 'executeBatch',
            args: [
              targets,
              values,
              payloads,
              `0x${'0'.repeat(64)}`,
              `0x${salt.toString(16).padStart(64, '0')}`,
            ],
          }),
        )
      } else await onGovernor(bob, governor, 'execute', settleArguments(proposal))
    }
    await look()
  }
  const kept = [
    ['policy', policy(90, await versionNow())],
    ['policy', policy(91, await versionNow())],
    ['emergency', kill(90)],
  ] as const
  const [unqueued, queued, emergency] = kept
  for (const [governor, proposal] of kept)
    expect(await onGovernor(carol, governor, 'propose', proposeArguments(proposal))).toBe(true)
  await pass(2)
  for (const [governor, proposal] of kept)
    expect(await onGovernor(alice, governor, 'castVote', [proposalId(proposal), 1])).toBe(true)
  await pass(localPace.policy.votingPeriod)
  expect(await onGovernor(bob, 'policy', 'queue', settleArguments(queued[1]))).toBe(true)
  const records = foldProposals(at, await readEvents())
  for (const [governor, proposal] of [emergency, unqueued, queued]) {
    const one = records.get(proposalKey(governor, proposalId(proposal)))
    if (one === undefined) throw new Error('not read')
    // The last second in which it can be used, and the next.
    for (const timestamp of [expiryOf(one), expiryOf(one) + 1]) {
      await chain.client.setNextBlockTimestamp({ timestamp: BigInt(timestamp) })
      await chain.client.mine({ blocks: 1 })
      await look()
    }
    expect(await onGovernor(bob, governor, 'queue', settleArguments(proposal))).toBe(false)
    expect(await onGovernor(bob, governor, 'execute', settleArguments(proposal))).toBe(false)
  }
  expect([...seen].sort()).toEqual(
    ['active', 'canceled', 'defeated', 'executed', 'expired', 'pending', 'queued', 'succeeded'].sort(),
  )
  expect(operationId(at.policyGovernor, policy(0, 1n))).toBe(
    await chain.client.readContract({
      address: at.timelock,
      abi: policyTimelockAbi,
      functionName: 'hashOperationBatch',
      args: [
        ...(proposeArguments(policy(0, 1n)).slice(0, 3) as unknown as readonly [Hex[], bigint[], Hex[]]),
        `0x${'0'.repeat(64)}`,
        `0x${(BigInt(descriptionHash('Policy 0')) ^ (BigInt(at.policyGovernor) << 96n)).toString(16).padStart(64, '0')}`,
      ],
    }),
  )
})
