import {
  encodeFunctionData,
  keccak256,
  numberToHex,
  parseTransaction,
  type TransactionSerializable,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { type KillOrder, killOrderDigest, killOrderTypedData } from '../../../protocol/order.ts'
import { Rank } from '../../../protocol/rank.ts'
import { Reason } from '../../../protocol/reason.ts'
import { agentTarget, ownerTarget } from '../../../protocol/scope.ts'
import { agentIdFromUuid } from '../../../protocol/uuid.ts'
import { type KilledEvent, proofOfKill } from './killProof.ts'

const deployment = { chainId: 31337, contract: `0x${'c0'.repeat(20)}` } as const
const owner = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const stranger = privateKeyToAccount(`0x${'22'.repeat(32)}`)
const authority = owner.address.toLowerCase() as Hex
const target = ownerTarget(authority)
const killed: KilledEvent = {
  type: 'Killed',
  ...target,
  authority,
  rank: Rank.Owner,
  reason: 1,
  sequence: 7,
  orderDigest: null,
  text: 'stop',
}
const call = encodeFunctionData({
  abi: killSwitchAbi,
  functionName: 'emergencyKill',
  args: [owner.address, 1, 'stop'],
})

const fees = {
  legacy: { gasPrice: 9n },
  eip2930: { gasPrice: 9n, accessList: [] },
  eip1559: { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n },
  eip4844: {
    maxFeePerGas: 9n,
    maxPriorityFeePerGas: 1n,
    maxFeePerBlobGas: 3n,
    blobVersionedHashes: [`0x01${'00'.repeat(31)}`],
  },
  eip7702: { maxFeePerGas: 9n, maxPriorityFeePerGas: 1n, authorizationList: [] },
} as const
const typeNumbers = { legacy: '0x0', eip2930: '0x1', eip1559: '0x2', eip4844: '0x3', eip7702: '0x4' } as const
type Kind = keyof typeof fees

/** A signed transaction as `eth_getTransactionByHash` gives it. */
async function transactionOf(
  kind: Kind = 'eip1559',
  change: Partial<{ data: Hex; to: Hex; chainId: number; signer: typeof owner }> = {},
) {
  const { signer = owner, ...fields } = change
  const serialized = await signer.signTransaction({
    type: kind,
    chainId: 31337,
    nonce: 3,
    gas: 100_000n,
    to: deployment.contract,
    data: call,
    ...fees[kind],
    ...fields,
  } as TransactionSerializable)
  const { data, r, s, ...parsed } = parseTransaction(serialized) as unknown as Record<string, unknown> & {
    readonly data: Hex
    readonly r: Hex
    readonly s: Hex
  }
  const rpc = Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      name,
      typeof value === 'bigint' || typeof value === 'number' ? numberToHex(value) : value,
    ]),
  )
  return {
    txHash: keccak256(serialized),
    transaction: {
      ...rpc,
      input: data,
      r,
      s,
      nonce: rpc.nonce ?? '0x0',
      value: rpc.value ?? '0x0',
      type: typeNumbers[kind],
      hash: keccak256(serialized),
      from: signer.address,
      blockHash: `0x${'ab'.repeat(32)}`,
      blockNumber: '0x9',
      transactionIndex: '0x0',
    },
  }
}

const proves = async (made: Awaited<ReturnType<typeof transactionOf>>, event: KilledEvent = killed) =>
  proofOfKill(deployment, event, made.txHash, made.transaction) !== null

test.each(Object.keys(fees) as Kind[])("the authority's own %s transaction proves its kill", async (kind) => {
  expect(await proves(await transactionOf(kind))).toBe(true)
})

test('a call of kill proves it, and a transfer proves the kill that it makes', async () => {
  const data = encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'kill',
    args: [target.scope, target.subject, 1, 'stop'],
  })
  expect(await proves(await transactionOf('eip1559', { data }))).toBe(true)
  const uuid = '01234567-89ab-8def-8123-456789abcdef'
  const transfer = encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'transferFrom',
    args: [owner.address, stranger.address, agentIdFromUuid(uuid)],
  })
  const transferred = { ...killed, ...agentTarget(uuid), reason: Reason.Transferred, text: '' }
  expect(await proves(await transactionOf('eip1559', { data: transfer }), transferred)).toBe(true)
  expect(
    await proves(await transactionOf('eip1559', { data: transfer }), { ...transferred, reason: 1 }),
  ).toBe(false)
})

test.each([
  ['another authority', { authority: stranger.address.toLowerCase() as Hex }],
  ['another subject', ownerTarget(stranger.address)],
  ['another reason', { reason: 2 }],
  ['another text', { text: 'stop it' }],
  ['an order', { orderDigest: `0x${'12'.repeat(32)}` as Hex }],
])('a transaction does not prove the kill of %s', async (_, change) => {
  expect(await proves(await transactionOf(), { ...killed, ...change })).toBe(false)
})

test('a transaction proves nothing that is to another contract, for another chain, or no kill', async () => {
  for (const change of [
    { to: `0x${'c1'.repeat(20)}` as Hex },
    { chainId: 1 },
    { data: encodeFunctionData({ abi: killSwitchAbi, functionName: 'minCooldown' }) },
    { data: '0x' as Hex },
    { data: '0x12345678' as Hex },
  ]) {
    expect(await proves(await transactionOf('eip1559', change))).toBe(false)
  }
})

test('an RPC cannot make a proof up', async () => {
  const made = await transactionOf()
  const others = await transactionOf('eip1559', { signer: stranger })
  for (const transaction of [
    null,
    {},
    'x',
    // A stranger's call, said to be from the owner.
    { ...others.transaction, from: owner.address },
    { ...made.transaction, r: others.transaction.r, s: others.transaction.s },
    { ...made.transaction, input: others.transaction.input.replace('73746f70', '73746f71') },
    { ...made.transaction, nonce: '0x4' },
  ]) {
    expect(proofOfKill(deployment, killed, made.txHash, transaction)).toBeNull()
  }
  // The hash of another transaction.
  expect(proofOfKill(deployment, killed, others.txHash, made.transaction)).toBeNull()
})

const order: KillOrder = {
  authority: owner.address,
  ...target,
  reason: 1,
  text: 'stop',
  issuedAt: 1_000n,
  deadline: 2_000n,
  nonce: 5n,
}

test("an order in anyone's transaction proves its kill by the authority's signature, and only that kill", async () => {
  const digest = killOrderDigest(deployment, order)
  const landed = { ...killed, orderDigest: digest }
  const dataOf = async (signer: typeof owner) =>
    encodeFunctionData({
      abi: killSwitchAbi,
      functionName: 'killBySig',
      args: [order, await signer.signTypedData(killOrderTypedData(deployment, order))],
    })
  const sent = await transactionOf('eip1559', { data: await dataOf(owner), signer: stranger })
  expect(proofOfKill(deployment, landed, sent.txHash, sent.transaction)).toEqual({
    order: { ...order, authority },
  })
  for (const change of [
    { text: 'other' },
    { reason: 2 },
    { authority: stranger.address.toLowerCase() as Hex },
    { orderDigest: null },
    { orderDigest: `0x${'12'.repeat(32)}` as Hex },
  ]) {
    expect(await proves(sent, { ...landed, ...change })).toBe(false)
  }
  const forged = await transactionOf('eip1559', { data: await dataOf(stranger), signer: stranger })
  expect(await proves(forged, landed)).toBe(false)
})

test('of a batch, each order proves its own kill', async () => {
  const orders = [order, { ...order, nonce: 6n, reason: 2 }]
  const signatures = [
    await owner.signTypedData(killOrderTypedData(deployment, orders[0] as KillOrder)),
    // The second is forged.
    await stranger.signTypedData(killOrderTypedData(deployment, orders[1] as KillOrder)),
  ]
  const data = encodeFunctionData({
    abi: killSwitchAbi,
    functionName: 'landOrders',
    args: [orders, signatures],
  })
  const sent = await transactionOf('eip1559', { data, signer: stranger })
  const proven = orders.map((one) =>
    proves(sent, { ...killed, reason: one.reason, orderDigest: killOrderDigest(deployment, one) }),
  )
  expect(await Promise.all(proven)).toEqual([true, false])
})
