// What transactions of the contract cost, as totals of receipts (intrinsic gas included), against the committed
// snapshot and against the limits that were set. KILLSWITCH_UPDATE_GAS=1 writes the snapshot anew.
// Order matters: what is "first" fills storage slots that later ones only change.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { encodeFunctionData, type Hex, hexToBytes } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deriveAgentId } from '../../protocol/agentId.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { type KillOrder, killOrderTypedData } from '../../protocol/order.ts'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import { type Chain, roles, type Signer, startChain } from './chain.ts'

const file = path.join(import.meta.dirname, 'gas.json')

/** Limits of the issue, in gas; `runtimeBytes` is EIP-170's. */
const limits: Readonly<Record<string, number>> = {
  'kill Agent, first': 65_000,
  'kill Agent, later': 45_000,
  'kill Owner, first': 65_000,
  'kill Owner, later': 45_000,
  'kill AgentType, first': 65_000,
  'kill AgentType, later': 45_000,
  'kill Fleet, first': 65_000,
  'kill Fleet, later': 45_000,
  'emergencyKill of 1 agent, first': 58_000,
  'emergencyKill of 1 agent, later': 40_000,
  'emergencyKill of 1,000 agents, first': 58_000,
  'emergencyKill of 1,000 agents, later': 40_000,
  'register, first of a wallet': 200_000,
  'isKilled, alive': 16_000,
  'isKilled, killed': 16_000,
  runtimeBytes: 24_576,
}

let chain: Chain
let contract: Hex
const measured: Record<string, number> = {}
beforeAll(async () => {
  chain = await startChain()
  contract = await chain.deploy()
})
afterAll(() => chain.close())

const call = (functionName: string, args: readonly unknown[]): Hex =>
  encodeFunctionData({ abi: killSwitchAbi, functionName, args } as never)

async function gasOf(from: Signer, functionName: string, args: readonly unknown[]): Promise<number> {
  const hash = await chain.client.sendTransaction({
    account: from.address,
    chain: null,
    to: contract,
    data: call(functionName, args),
    gas: 16_000_000n,
  })
  const receipt = await chain.mined(hash)
  if (receipt.status !== 'success') throw new Error(`${functionName} was refused`)
  return Number(receipt.gasUsed)
}

/** 21,000 and the calldata at 4 and 16 (EIP-2028), which a contract that asks would not pay. */
const intrinsic = (data: Hex) =>
  21_000 + hexToBytes(data).reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0)
/** Gas that the view itself needs, cold. */
async function executionOf(functionName: string, args: readonly unknown[]): Promise<number> {
  const data = call(functionName, args)
  const estimate = await chain.client.estimateGas({ account: roles.sender.address, to: contract, data })
  return Number(estimate) - intrinsic(data)
}

/** Without zero bytes, which are cheaper. */
const bytes32 = (n: number): Hex => `0x${'cc'.repeat(30)}${(0x1111 + n).toString(16)}`
const agentOf = (owner: Signer, n: number) =>
  deriveAgentId({ chainId: chain.chainId, contract }, owner.address, bytes32(n))
const registrations = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    agentType: 'worker',
    key: bytes32(from + i),
    salt: bytes32(from + i),
  }))
/** The limits are of a kill without free text; what text adds is in the snapshot. */
const reason = [1, ''] as const

test('transactions and views', async () => {
  const [one, two, many] = roles.owners
  const firstAgent = agentOf(one, 0)

  // A counter at zero would make the very first transaction of the deployment dearer than all later ones.
  await gasOf(roles.governance, 'setBreaker', [roles.breaker.address, true])
  await gasOf(two, 'register', ['worker', bytes32(0), bytes32(0)])
  measured['register, first of a wallet'] = await gasOf(one, 'register', ['worker', bytes32(0), bytes32(0)])
  measured['register, next of a wallet'] = await gasOf(one, 'register', ['worker', bytes32(1), bytes32(1)])
  await gasOf(one, 'register', ['worker', bytes32(2), bytes32(2)])
  measured['register without type and key, first of a wallet'] = await gasOf(roles.stranger, 'register', [])
  measured['register without type and key, next of a wallet'] = await gasOf(roles.stranger, 'register', [])
  const incomplete = await chain.client.simulateContract({
    address: contract,
    abi: killSwitchAbi,
    functionName: 'register',
    account: roles.stranger.address,
  })
  await gasOf(roles.stranger, 'register', [])
  measured.completeAgent = await gasOf(roles.stranger, 'completeAgent', [
    incomplete.result,
    'worker',
    bytes32(0),
  ])
  measured['registerBatch of 100, per agent'] = Math.round(
    (await gasOf(many, 'registerBatch', [registrations(0, 100)])) / 100,
  )
  for (let n = 100; n < 1000; n += 100)
    await gasOf(many, 'registerBatch', [registrations(n, Math.min(100, 1000 - n))])

  measured['transferFrom, to a first-time owner'] = await gasOf(one, 'transferFrom', [
    one.address,
    roles.agentWallet.address,
    agentOf(one, 2),
  ])
  measured['isKilled, alive'] = await executionOf('isKilled', [firstAgent])
  const kill = (from: Signer, target: Target) =>
    gasOf(from, 'kill', [target.scope, target.subject, ...reason])
  for (const [name, from, target] of [
    ['Agent', one, agentTarget(uuidFromAgentId(firstAgent))],
    ['Owner', one, ownerTarget(one.address)],
    ['AgentType', roles.council, agentTypeTarget('worker')],
    ['Fleet', roles.council, fleetTarget],
  ] as const) {
    measured[`kill ${name}, first`] = await kill(from, target)
    measured[`kill ${name}, later`] = await kill(from, target)
  }
  measured['isKilled, killed'] = await executionOf('isKilled', [firstAgent])
  for (const [name, owner] of [
    ['1 agent', two],
    ['1,000 agents', many],
  ] as const) {
    measured[`emergencyKill of ${name}, first`] = await gasOf(owner, 'emergencyKill', [
      owner.address,
      ...reason,
    ])
    measured[`emergencyKill of ${name}, later`] = await gasOf(owner, 'emergencyKill', [
      owner.address,
      ...reason,
    ])
  }

  // Bytes of time and signature count too, so the time is always the same.
  const issuedAt = 4_102_444_800n
  await chain.client.setNextBlockTimestamp({ timestamp: issuedAt })
  await chain.client.mine({ blocks: 1 })
  const sign = async (nonce: bigint) => {
    const order: KillOrder = {
      authority: one.address,
      ...agentTarget(uuidFromAgentId(agentOf(one, 1))),
      reason: reason[0],
      text: reason[1],
      issuedAt,
      deadline: issuedAt + 3600n,
      nonce,
    }
    const signature = await one.signTypedData(killOrderTypedData({ chainId: chain.chainId, contract }, order))
    return [order, signature]
  }
  measured['killBySig Agent, first'] = await gasOf(roles.sender, 'killBySig', await sign(1n))
  measured['killBySig Agent, later'] = await gasOf(roles.sender, 'killBySig', await sign(2n))
  measured['killBySig Agent, the same again'] = await gasOf(roles.sender, 'killBySig', await sign(2n))

  // Bad orders among the good would cost more, but never more than their share (KillSwitch.batch.t.sol).
  const batch = await Promise.all(Array.from({ length: 20 }, (_, i) => sign(BigInt(i + 3))))
  const ofBatch = await gasOf(roles.sender, 'landOrders', [
    batch.map(([order]) => order),
    batch.map(([, signature]) => signature),
  ])
  measured['landOrders of 20 Agent kills, later, per order'] = Math.round(ofBatch / 20)
  measured['landOrders of 1 Agent kill, later'] = await gasOf(
    roles.sender,
    'landOrders',
    (await sign(23n)).map((part) => [part]),
  )

  const subject = agentTarget(uuidFromAgentId(agentOf(one, 1)))
  measured['requestResume of an agent'] = await gasOf(one, 'requestResume', [subject.scope, subject.subject])
  measured.setKey = await gasOf(one, 'setKey', [agentOf(one, 1), bytes32(3)])

  const words = [1, 'It trades against its instructions.'] as const
  measured['emergencyKill with 35 bytes of text, later'] = await gasOf(one, 'emergencyKill', [
    one.address,
    ...words,
  ])

  const code = await chain.client.getCode({ address: contract })
  measured.runtimeBytes = ((code ?? '0x').length - 2) / 2
})

test('nothing is over its limit', () => {
  const over = Object.entries(limits).filter(([name, limit]) => !((measured[name] ?? Number.NaN) <= limit))
  expect(over.map(([name, limit]) => `${name}: ${measured[name]}, at most ${limit}`)).toEqual([])
})

test('an emergency kill costs the same however many agents it covers', () => {
  // The bytes of the two wallets may differ by zeros.
  for (const which of ['first', 'later'])
    expect(
      Math.abs(
        (measured[`emergencyKill of 1 agent, ${which}`] ?? 0) -
          (measured[`emergencyKill of 1,000 agents, ${which}`] ?? 0),
      ),
    ).toBeLessThanOrEqual(24)
})

test('the snapshot holds; KILLSWITCH_UPDATE_GAS=1 writes it anew', () => {
  expect(Object.keys(measured)).toContain('runtimeBytes')
  if (process.env.KILLSWITCH_UPDATE_GAS === '1') writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`)
  expect(measured).toEqual(JSON.parse(readFileSync(file, 'utf8')))
})
