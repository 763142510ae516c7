// A whole Killswitch under votes on a real chain: what holders decide is what every reader of the chain then goes by.
import { encodeFunctionData, type Hex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import {
  type Action,
  describedFor,
  type Proposal,
  proposalId,
  proposeArguments,
  readAction,
  settleArguments,
} from '../../protocol/governance/proposal.ts'
import { gracePeriods, localPace } from '../../protocol/governance/settings.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { decodePolicyLog, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, stateIn } from '../../protocol/registry.ts'
import { decodeRegistryLog } from '../../protocol/registryLog.ts'
import { agentTypeTarget } from '../../protocol/scope.ts'
import {
  emptyMirror,
  grantPolicies,
  type PolicyMirror,
  policyInForce,
  policyVersions,
  takePolicies,
} from '../../relayer/policy/mirror.ts'
import { type Chain, roles, type Signer, startChain } from '../differential/chain.ts'
import { deployGovernance, supply } from './governed.ts'

const [alice, bob] = roles.owners
let chain: Chain
let at: GovernedContracts

beforeAll(async () => {
  chain = await startChain()
  at = await deployGovernance(chain)
  for (const [holder, percent] of [
    [alice, 35n],
    [bob, 16n],
  ] as const) {
    const amount = (supply * percent) / 100n
    await send(roles.sender, at.token, token('transfer', [holder.address, amount]))
    await send(holder, at.token, token('delegate', [holder.address]))
  }
  await send(
    bob,
    at.killSwitch,
    onKillSwitch('register', ['worker', `0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`]),
  )
  await pass(1)
})
afterAll(() => chain.close())

async function send(from: Signer, to: Hex, data: Hex): Promise<void> {
  const hash = await chain.client.sendTransaction({
    account: from.address,
    chain: null,
    to,
    data,
    gas: 16_000_000n,
  })
  const { status } = await chain.mined(hash)
  if (status !== 'success') throw new Error(`refused: ${data.slice(0, 10)}`)
}
const token = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: killswitchTokenAbi, functionName, args } as never)
const onKillSwitch = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: killSwitchAbi, functionName, args } as never)
const governor = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: policyGovernorAbi, functionName, args } as never)
const pass = async (seconds: number) => {
  await chain.client.increaseTime({ seconds })
  await chain.client.mine({ blocks: 1 })
}
const call = (target: Hex, data: Hex): Action => ({ target, value: 0n, data })

/** Proposed by Alice, voted for by both, queued and executed by a stranger. */
async function decide(actions: readonly Action[], text: string): Promise<void> {
  const proposal: Proposal = { actions, description: describedFor(text, alice.address) }
  const id = proposalId(proposal)
  await send(alice, at.policyGovernor, governor('propose', proposeArguments(proposal)))
  await pass(localPace.policy.votingDelay + 1)
  await send(alice, at.policyGovernor, governor('castVote', [id, 1]))
  await send(bob, at.policyGovernor, governor('castVoteWithReason', [id, 1, 'ten is too many']))
  await pass(localPace.policy.votingPeriod)
  await send(roles.stranger, at.policyGovernor, governor('queue', settleArguments(proposal)))
  await pass(localPace.policy.timelockDelay)
  await send(roles.stranger, at.policyGovernor, governor('execute', settleArguments(proposal)))
}

/** The mirror after every block up to the head, granted up to `granted`. */
async function follow(granted: bigint): Promise<PolicyMirror> {
  const logs = await chain.client.getLogs({ address: at.killPolicies, fromBlock: 0n })
  let mirror = emptyMirror
  for (const log of logs) {
    const block = { number: Number(log.blockNumber), hash: log.blockHash, time: 0 }
    mirror = takePolicies(mirror, block, [decodePolicyLog({ topics: log.topics as Hex[], data: log.data })])
  }
  return grantPolicies(mirror, Number(granted))
}

/** The KillSwitch's state as every reader rebuilds it. */
async function readKills() {
  const registry = createRegistry()
  for (const log of await chain.client.getLogs({ address: at.killSwitch, fromBlock: 0n })) {
    const event = decodeRegistryLog({ topics: log.topics as Hex[], data: log.data })
    if (event !== null) applyRegistryEvent(registry, event, 0)
  }
  return registry
}

test('the grace periods are those of the contracts', async () => {
  const gracePeriod = async (address: Hex): Promise<number> =>
    Number(await chain.client.readContract({ address, abi: policyGovernorAbi, functionName: 'gracePeriod' }))
  expect({
    emergency: await gracePeriod(at.emergencyGovernor),
    queueing: await gracePeriod(at.policyGovernor),
    execution: await gracePeriod(at.timelock),
  }).toEqual(gracePeriods)
})

test('holders change "consecutive failures" from 10 to 3, and the version that readers go by moves', async () => {
  const before = await chain.client.getBlockNumber()
  expect(policyInForce(await follow(before), 'worker')).toMatchObject({
    defaultVersion: 1,
    limits: { consecutiveFailures: 10 },
  })
  const policy = { ...initialPolicy, limits: { ...initialPolicy.limits, consecutiveFailures: 3 } }
  const data = encodeFunctionData({
    abi: killPoliciesAbi,
    functionName: 'setDefault',
    args: [toPolicyStruct(policy), 1n],
  })
  const action = call(at.killPolicies, data)
  expect(readAction(at, action)).toMatchObject({ contract: 'killPolicies', functionName: 'setDefault' })
  await decide([action], 'Three failures in a row are enough.')

  // Tighter: at first sight, before the block is granted.
  expect(policyInForce(await follow(before), 'worker').limits.consecutiveFailures).toBe(3)
  const mirror = await follow(await chain.client.getBlockNumber())
  expect(policyInForce(mirror, 'worker')).toMatchObject({
    defaultVersion: 2,
    limits: policy.limits,
  })
  expect(policyVersions(mirror).map(({ version, granted }) => [version, granted])).toEqual([
    [1, true],
    [2, true],
  ])
})

test('an emergency vote stops a type at once, and two slow votes release it', async () => {
  const target = agentTypeTarget('worker')
  const data = onKillSwitch('kill', [target.scope, target.subject, 2, 'by emergency vote'])
  const proposal: Proposal = {
    actions: [call(at.killSwitch, data)],
    description: describedFor('Workers run wild.', bob.address),
  }
  const emergency = (functionName: string, args: readonly unknown[]): Hex =>
    encodeFunctionData({ abi: emergencyGovernorAbi, functionName, args } as never)
  await send(bob, at.emergencyGovernor, emergency('propose', proposeArguments(proposal)))
  await pass(localPace.emergency.votingDelay + 1)
  await send(alice, at.emergencyGovernor, emergency('castVote', [proposalId(proposal), 1]))
  await send(roles.stranger, at.emergencyGovernor, emergency('execute', settleArguments(proposal)))
  const state = stateIn(await readKills())(target)
  expect(state.rank).toBe(Rank.Governance)
  expect(state.killedAt).toBeGreaterThan(state.aliveSince)

  await decide(
    [call(at.killSwitch, onKillSwitch('requestResume', [target.scope, target.subject]))],
    'Mended: ask',
  )
  await decide(
    [call(at.killSwitch, onKillSwitch('resume', [target.scope, target.subject]))],
    'Mended: release',
  )
  const released = stateIn(await readKills())(target)
  expect(released.aliveSince).toBeGreaterThan(released.killedAt)
})
