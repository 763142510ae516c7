import { encodeFunctionData, type Hex } from 'viem'
import { expect, test } from 'vitest'
import { killSwitchAbi } from '../generated/killSwitchAbi.ts'
import { fleetTarget } from '../scope.ts'
import type { GovernedContracts } from './contracts.ts'
import { describedFor, proposalId, readAction, readDescription } from './proposal.ts'

const place = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const contracts: GovernedContracts = {
  token: place(1),
  policyGovernor: place(2),
  timelock: place(3),
  emergencyGovernor: place(4),
  killSwitch: `0x${'ab'.repeat(20)}`,
  killPolicies: place(6),
  subscriptions: place(7),
}
const { scope, subject } = fleetTarget
const data = encodeFunctionData({
  abi: killSwitchAbi,
  functionName: 'kill',
  args: [scope, subject, 1, 'why'],
})
const call = (more: Partial<{ target: Hex; data: Hex }> = {}) => ({
  target: contracts.killSwitch,
  value: 0n,
  data,
  ...more,
})

test('an action is read by the contract that it calls, whatever the case of its address', () => {
  const meaning = { contract: 'killSwitch', functionName: 'kill', args: [scope, subject, 1, 'why'] }
  expect(readAction(contracts, call())).toEqual(meaning)
  expect(readAction(contracts, call({ target: `0x${'AB'.repeat(20)}` }))).toEqual(meaning)
})

test.each<[string, Partial<{ target: Hex; data: Hex }>]>([
  ['another contract', { target: place(99) }],
  ['a function of another contract', { target: contracts.subscriptions }],
  ['no function', { data: '0x' }],
  ['bytes beyond the arguments', { data: `${data}00` }],
  ['dirty padding', { data: `${data.slice(0, -2)}01` as Hex }],
  ['arguments cut off', { data: data.slice(0, 100) as Hex }],
])('%s has no meaning', (_, more) => {
  expect(readAction(contracts, call(more))).toBeNull()
})

test('the id depends on every part of a proposal', () => {
  const proposal = { actions: [call()], description: 'Stop the fleet' }
  const ids = [
    proposal,
    { ...proposal, description: 'Stop the fleet!' },
    { ...proposal, actions: [call(), call()] },
    { ...proposal, actions: [{ ...call(), value: 1n }] },
    { ...proposal, actions: [call({ target: place(9) })] },
  ].map(proposalId)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a description for one proposer', () => {
  const proposer: Hex = `0x${'Ab'.repeat(20)}`
  const description = describedFor('Stop it', proposer)
  expect(readDescription(description)).toEqual({ text: 'Stop it', proposer: proposer.toLowerCase() })
  expect(readDescription(`${description} `)).toEqual({ text: `${description} `, proposer: null })
  expect(readDescription('Stop it')).toEqual({ text: 'Stop it', proposer: null })
})
