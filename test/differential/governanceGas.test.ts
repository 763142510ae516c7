// What a vote costs, as totals of receipts (intrinsic gas included), with one action and a description of 100 bytes,
// against the committed snapshot and the limits that were set. KILLSWITCH_UPDATE_GAS=1 writes the snapshot anew.
// Order matters: what is "first" fills storage slots that later ones only change.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodeFunctionData, type Hex, keccak256, stringToBytes } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { publicPace } from '../../protocol/governance/settings.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { fleetTarget } from '../../protocol/scope.ts'
import { deployGoverned } from '../../scripts/lib/deployGoverned.ts'
import { type Chain, cooldowns, minCooldown, roles, type Signer, startChain, trustDomain } from './chain.ts'

const file = path.join(import.meta.dirname, 'governanceGas.json')

/**
 * In gas. The first seven were set beforehand (execution without its action); the others are what was measured, rounded up
 * to a thousand, so that nothing grows unseen. `runtimeBytes` are EIP-170's.
 */
const limits = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'governanceGasLimits.json'), 'utf8'),
) as Readonly<Record<string, number>>

const supply = 10n ** 24n
const measured: Record<string, number> = {}
let chain: Chain
let at: GovernedContracts
beforeAll(async () => {
  chain = await startChain()
  const { contracts } = await deployGoverned({
    transport: chain.transport,
    account: roles.sender,
    pollingInterval: 5,
    config: {
      trustDomain,
      council: null,
      minCooldown,
      cooldowns: {
        breaker: cooldowns[0],
        owner: cooldowns[1],
        council: cooldowns[2],
        governance: cooldowns[3],
      },
    },
    governance: {
      ...publicPace,
      holder: roles.sender.address,
      supply,
      defaultPolicy: initialPolicy,
      subscriptions: { currency: null, interval: 86_400, leastInterval: 86_400, samples: 7, freeQuota: 3 },
    },
  })
  at = contracts
})
afterAll(() => chain.close())

async function gasOf(from: Signer, to: Hex, data: Hex): Promise<number> {
  const hash = await chain.client.sendTransaction({
    account: from.address,
    chain: null,
    to,
    data,
    gas: 16_000_000n,
  })
  const receipt = await chain.mined(hash)
  if (receipt.status !== 'success') throw new Error(`refused: ${data.slice(0, 10)}`)
  return Number(receipt.gasUsed)
}
const token = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: killswitchTokenAbi, functionName, args } as never)
const pass = async (seconds: number) => {
  await chain.client.increaseTime({ seconds })
  await chain.client.mine({ blocks: 1 })
}

/** 100 bytes with the suffix that nobody else may use. */
const describe100 = (what: string, proposer: Signer): string => {
  const suffix = `#proposer=${proposer.address}`
  return `${what.padEnd(100 - suffix.length, '.')}${suffix}`
}

type Proposal = { readonly target: Hex; readonly data: Hex; readonly description: string }
const propose = (abi: typeof policyGovernorAbi, { target, data, description }: Proposal): Hex =>
  encodeFunctionData({ abi, functionName: 'propose', args: [[target], [0n], [data], description] })
const settle = (functionName: 'queue' | 'execute', { target, data, description }: Proposal): Hex =>
  encodeFunctionData({
    abi: policyGovernorAbi,
    functionName,
    args: [[target], [0n], [data], keccak256(stringToBytes(description))],
  })
const idOf = ({ target, data, description }: Proposal): Promise<bigint> =>
  chain.client.readContract({
    address: at.policyGovernor,
    abi: policyGovernorAbi,
    functionName: 'hashProposal',
    args: [[target], [0n], [data], keccak256(stringToBytes(description))],
  })
const vote = (id: bigint): Hex =>
  encodeFunctionData({ abi: policyGovernorAbi, functionName: 'castVote', args: [id, 1] })

test('votes', async () => {
  const [one, two, three] = roles.owners
  const holders = [
    [one, 1n],
    [two, 16n],
    [three, 20n],
  ] as const
  for (const [holder, percent] of holders)
    await gasOf(roles.sender, at.token, token('transfer', [holder.address, (supply * percent) / 100n]))
  measured['delegate to oneself, first'] = await gasOf(one, at.token, token('delegate', [one.address]))
  for (const holder of [two, three]) await gasOf(holder, at.token, token('delegate', [holder.address]))
  measured['transfer between holders that vote'] = await gasOf(
    one,
    at.token,
    token('transfer', [two.address, 1n]),
  )
  await pass(1)

  const { votingDelay, votingPeriod, timelockDelay } = publicPace.policy
  const cooldown = encodeFunctionData({ abi: killSwitchAbi, functionName: 'setCooldown', args: [2, 1200] })
  const policy = { ...initialPolicy, limits: { ...initialPolicy.limits, consecutiveFailures: 3 } }
  const setDefault = encodeFunctionData({
    abi: killPoliciesAbi,
    functionName: 'setDefault',
    args: [toPolicyStruct(policy), 1n],
  })
  const carry = async (proposal: Proposal): Promise<number> => {
    await pass(1)
    const cost = await gasOf(one, at.policyGovernor, propose(policyGovernorAbi, proposal))
    await pass(votingDelay + 1)
    return cost
  }
  // The very first of all fills slots that no later proposal fills.
  const warmUp = { target: at.killSwitch, data: cooldown, description: describe100('A first vote', one) }
  await carry(warmUp)
  const proposal = {
    target: at.killSwitch,
    data: cooldown,
    description: describe100('A longer cool-down', one),
  }
  measured.propose = await carry(proposal)
  const id = await idOf(proposal)
  measured['castVote, first'] = await gasOf(one, at.policyGovernor, vote(id))
  measured['castVote, crossing quorum'] = await gasOf(two, at.policyGovernor, vote(id))
  measured['castVote, next'] = await gasOf(three, at.policyGovernor, vote(id))
  await pass(votingPeriod)
  measured.queue = await gasOf(roles.stranger, at.policyGovernor, settle('queue', proposal))
  await pass(timelockDelay)
  // The action itself, as the timelock calls it: what is left is the vote's own.
  const action = await actionGas(at.killSwitch, cooldown)
  const execute = await gasOf(roles.stranger, at.policyGovernor, settle('execute', proposal))
  measured['execute, setCooldown'] = execute
  measured['execute, without its action'] = execute - action

  const change = {
    target: at.killPolicies,
    data: setDefault,
    description: describe100('Three failures', one),
  }
  measured['propose, setDefault'] = await carry(change)
  await gasOf(two, at.policyGovernor, vote(await idOf(change)))
  await pass(votingPeriod)
  measured['queue, setDefault'] = await gasOf(roles.stranger, at.policyGovernor, settle('queue', change))
  await pass(timelockDelay)
  measured['execute, setDefault'] = await gasOf(roles.stranger, at.policyGovernor, settle('execute', change))
})

/** Gas of a call by the timelock, without what a transaction costs before it runs. */
async function actionGas(to: Hex, data: Hex): Promise<number> {
  const estimate = await chain.client.estimateGas({ account: at.timelock, to, data })
  const bytes = data.slice(2).match(/../g) ?? []
  return Number(estimate) - 21_000 - bytes.reduce((sum, byte) => sum + (byte === '00' ? 4 : 16), 0)
}

test('emergency votes', async () => {
  const [one, two, three] = roles.owners
  const data = encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [fleetTarget.scope, fleetTarget.subject, 1, 'by vote'],
  })
  const proposal = { target: at.killSwitch, data, description: describe100('Stop the fleet', one) }
  await pass(1)
  measured['emergency propose'] = await gasOf(
    one,
    at.emergencyGovernor,
    propose(emergencyGovernorAbi as unknown as typeof policyGovernorAbi, proposal),
  )
  await pass(publicPace.emergency.votingDelay + 1)
  const id = await idOf(proposal)
  measured['emergency castVote, first'] = await gasOf(two, at.emergencyGovernor, vote(id))
  measured['emergency castVote, crossing super-quorum'] = await gasOf(three, at.emergencyGovernor, vote(id))
  measured['emergency execute, kill of the fleet'] = await gasOf(
    roles.stranger,
    at.emergencyGovernor,
    settle('execute', proposal),
  )
})

test('no contract is too large', async () => {
  for (const [name, address] of [
    ['PolicyGovernor', at.policyGovernor],
    ['PolicyTimelock', at.timelock],
    ['EmergencyGovernor', at.emergencyGovernor],
    ['KillPolicies', at.killPolicies],
    ['Subscriptions', at.subscriptions],
    ['KillswitchToken', at.token],
  ] as const) {
    const code = (await chain.client.getCode({ address })) ?? '0x'
    measured[`runtimeBytes of ${name}`] = (code.length - 2) / 2
  }
})

test('nothing is over its limit, and nothing is without one', () => {
  expect(Object.keys(measured).sort()).toEqual(Object.keys(limits).sort())
  const over = Object.entries(limits).filter(([name, limit]) => !((measured[name] ?? Number.NaN) <= limit))
  expect(over.map(([name, limit]) => `${name}: ${measured[name]}, at most ${limit}`)).toEqual([])
})

test('the snapshot holds; KILLSWITCH_UPDATE_GAS=1 writes it anew', () => {
  expect(Object.keys(measured)).toContain('emergency execute, kill of the fleet')
  if (process.env.KILLSWITCH_UPDATE_GAS === '1') writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`)
  expect(measured).toEqual(JSON.parse(readFileSync(file, 'utf8')))
})
