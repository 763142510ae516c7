import {
  createWalletClient,
  type Hex,
  http,
  keccak256,
  type LocalAccount,
  parseEventLogs,
  publicActions,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killOrderDigest, killOrderTypedData } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { createGasWatch } from '../../relayer/chain/land/gasWatch.ts'
import { createSender } from '../../relayer/chain/land/sender.ts'
import { createTransactionKeeper } from '../../relayer/chain/land/transactionKeeper.ts'
import { createRpcPool, type RpcPool } from '../../relayer/chain/rpc/rpcPool.ts'
import type { DueOrder, LandingOutcome, SignedOrder } from '../../relayer/kill/chainPort.ts'
import { systemSchedule } from '../../relayer/schedule.ts'
import { type ChainNode, startAnvil } from './anvil.ts'
import { accountAt, chainId, deployKillSwitch, type TestContract } from './contract.ts'
import { startRpcProxy } from './rpcProxy.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const gasKey = accountAt(9)
const otherGasKey = accountAt(8)
const council = accountAt(7)
const gwei = 1_000_000_000n

let node: ChainNode
let contract: TestContract
let snapshot: string
beforeAll(async () => {
  node = await startAnvil()
  contract = await deployKillSwitch(node)
  for (const owner of [1, 2, 3, 4, 5]) await contract.register(owner, 1)
  await governance('setCouncil', [council.address])
})
afterAll(() => node.stop())

let now: number
const clock = { wall: () => Date.now(), monotonic: () => now }
const pools: RpcPool[] = []
const asked: Promise<unknown>[] = []
beforeEach(async () => {
  now = 0
  snapshot = await node.request('evm_snapshot')
  // By hand: by itself the node mines some time after it has answered.
  await node.request('evm_setAutomine', [false])
})
afterEach(async () => {
  // A transaction goes to all nodes, and the first that takes it is the answer: none may come after the revert.
  await Promise.allSettled(asked.splice(0))
  for (const pool of pools.splice(0)) pool.close()
  await node.request('evm_revert', [snapshot])
  // The node reverts neither its pool nor what it was told of the next block.
  await node.request('anvil_dropAllTransactions')
  await node.request('anvil_setNextBlockBaseFeePerGas', ['0x3b9aca00'])
})

const client = () =>
  createWalletClient({ transport: http(node.httpUrl), pollingInterval: 20 }).extend(publicActions)

async function governance(functionName: 'setCouncil', args: readonly [Hex]) {
  const hash = await client().writeContract({
    account: accountAt(0),
    chain: null,
    address: contract.deployment.contract,
    abi: killSwitchAbi,
    functionName,
    args,
  })
  await client().waitForTransactionReceipt({ hash })
}

const poolOf = (...rpcs: readonly string[]): RpcPool => {
  const created = createRpcPool({
    rpcs: rpcs.length === 0 ? [node.httpUrl] : rpcs,
    chainId,
    clock,
    schedule: systemSchedule,
    random: Math.random,
    log: quiet,
  })
  pools.push(created)
  return {
    ...created,
    rpcs: created.rpcs.map((rpc) => ({
      ...rpc,
      request(...call) {
        const answer = rpc.request(...call)
        asked.push(answer)
        return answer
      },
    })),
  }
}
const senderOf = (options: { pool?: RpcPool; account?: LocalAccount; maxFee?: bigint } = {}) =>
  createSender({
    pool: poolOf(),
    deployment: contract.deployment,
    account: gasKey,
    maxFee: 500n * gwei,
    clock,
    log: quiet,
    ...options,
  })

const due = (signed: SignedOrder, rank: Rank = Rank.Owner, sentTx: Hex | null = null): DueOrder => ({
  ...signed,
  rank,
  sentTx,
})
/** Found on chain, or mined by us: then with the gas that it took. */
const landed = (digest: Hex | undefined) => expect.objectContaining({ type: 'landed', digest })
const typesOf = (outcomes: readonly LandingOutcome[]) => outcomes.map(({ type }) => type)
const sentTxOf = (outcomes: readonly LandingOutcome[]): Hex => {
  const sent = outcomes.find((outcome) => outcome.type === 'sent')
  if (sent?.type !== 'sent') throw new Error(`nothing was sent: ${JSON.stringify(outcomes)}`)
  return sent.txHash
}
const failures = (outcomes: readonly LandingOutcome[]) =>
  outcomes.flatMap((outcome) => (outcome.type === 'failed' ? [outcome] : []))

const mine = (blocks = 1) => node.request('anvil_mine', [`0x${blocks.toString(16)}`])
const countOf = (account: LocalAccount) => client().getTransactionCount({ address: account.address })
const transaction = (hash: Hex) => client().getTransaction({ hash })

/** Digests of the orders that landed on the present chain, in their order. */
const landings = async (): Promise<readonly Hex[]> => {
  const logs = await client().getLogs({ address: contract.deployment.contract, fromBlock: 0n })
  return parseEventLogs({ abi: killSwitchAbi, eventName: 'OrderLanded', logs }).map(
    ({ args }) => args.orderDigest,
  )
}

test.each(['httpUrl', 'wsUrl'] as const)('%s: an order lands, and is known to have landed', async (url) => {
  const sender = senderOf({ pool: poolOf(node[url]) })
  const order = due(await contract.signOrder(1, { text: 'stop' }))
  expect(typesOf(await sender.step([order]))).toEqual(['sent'])
  await mine()
  expect(await contract.isKilled(1, 1)).toBe(true)
  expect(await sender.step([order])).toEqual([landed(order.digest)])
  expect(await countOf(gasKey)).toBe(1)
})

test('a batch lands by rank in one transaction, and a bad order among them reverts no other', async () => {
  const sender = senderOf()
  const first = due(await contract.signOrder(1, { nonce: 1n }))
  // Each is good by itself; after the first the second is not.
  const twin = due(await contract.signOrder(1, { nonce: 1n, text: 'again' }))
  const other = due(await contract.signOrder(2))
  const sent = await sender.step([first, twin, other])
  expect(typesOf(sent)).toEqual(['sent', 'sent', 'sent'])
  expect(new Set(sent.map((one) => one.type === 'sent' && one.txHash)).size).toBe(1)
  await mine()
  expect(await landings()).toEqual([first.digest, other.digest])

  const outcomes = await sender.step([first, twin, other])
  expect(outcomes).toContainEqual(landed(first.digest))
  expect(outcomes).toContainEqual(landed(other.digest))
  const [mined] = failures(outcomes)
  expect(mined).toMatchObject({ digest: twin.digest, spent: true, error: { ofOrder: true } })
  expect(mined?.error.revert?.name).toBe('NonceUsed')
  const [refused] = failures(await sender.step([twin]))
  expect(refused).toMatchObject({ digest: twin.digest, spent: false, error: { ofOrder: true } })
  expect(await countOf(gasKey)).toBe(1)
})

test("the contract's refusal costs no gas, is told by its own error, and holds up no other order", async () => {
  const sender = senderOf()
  const subject = (await contract.signOrder(3)).order.subject
  const stranger = due(await contract.signOrder(1, { subject, nonce: 2n }))
  const forged = due({ ...(await contract.signOrder(1, { nonce: 3n })), signature: stranger.signature })
  const ahead = BigInt(Math.floor(Date.now() / 1000)) + 3_600n
  const early = due(await contract.signOrder(1, { nonce: 4n, issuedAt: ahead, deadline: ahead + 60n }))
  const good = due(await contract.signOrder(2))
  const outcomes = await sender.step([stranger, forged, early, good])
  expect(
    failures(outcomes).map(({ digest, spent, error }) => [digest, error.revert?.name, error.ofOrder, spent]),
  ).toEqual([
    [stranger.digest, 'NotAuthorized', true, false],
    [forged.digest, 'InvalidSignature', true, false],
    [early.digest, 'InvalidOrderTimes', true, false],
  ])
  await mine()
  expect(await landings()).toEqual([good.digest])
})

test('an emergency of higher rank takes the place of what is outstanding; equals wait for it', async () => {
  const sender = senderOf()
  const calm = due(await contract.signOrder(1))
  const before = await transaction(sentTxOf(await sender.step([calm])))
  const equal = due(await contract.signOrder(2))
  expect(await sender.step([calm, equal])).toEqual([])

  const signed = await contract.signOrder(3)
  const { signature, digest, order } = await signAs(council, { ...signed.order, nonce: 77n })
  const emergency = due({ signature, digest, order }, Rank.Council)
  const replaced = await sender.step([emergency, calm, equal])
  expect(typesOf(replaced)).toEqual(['sent', 'sent', 'sent'])
  const after = await transaction(sentTxOf(replaced))
  expect(after.nonce).toBe(before.nonce)
  expect(after.maxFeePerGas as bigint).toBeGreaterThanOrEqual(((before.maxFeePerGas as bigint) * 11n) / 10n)
  await mine()
  expect(await landings()).toEqual([emergency.digest, calm.digest, equal.digest])
  expect(await countOf(gasKey)).toBe(1)
})

async function signAs(authority: LocalAccount, order: SignedOrder['order']): Promise<SignedOrder> {
  const own = { ...order, authority: authority.address.toLowerCase() as Hex }
  return {
    order: own,
    signature: await authority.signTypedData(killOrderTypedData(contract.deployment, own)),
    digest: killOrderDigest(contract.deployment, own),
  }
}

describe('an outstanding transaction', () => {
  test('whose fee the base fee has outgrown is replaced at a higher one, up to the cap', async () => {
    const sender = senderOf({ maxFee: 30n * gwei })
    const order = due(await contract.signOrder(1))
    const firstTx = sentTxOf(await sender.step([order]))
    const { maxFeePerGas } = await transaction(firstTx)
    const nextBase = (maxFeePerGas as bigint) + gwei
    await node.request('anvil_setNextBlockBaseFeePerGas', [`0x${nextBase.toString(16)}`])
    await mine()
    expect(await landings()).toEqual([])

    const second = await transaction(sentTxOf(await sender.step([order])))
    expect(second.maxFeePerGas as bigint).toBeGreaterThan(nextBase)
    await mine()
    expect(await landings()).toEqual([order.digest])
    expect(await sender.step([order])).toEqual([landed(order.digest)])

    const next = due(await contract.signOrder(2))
    await sender.step([next])
    await node.request('anvil_setNextBlockBaseFeePerGas', [`0x${(31n * gwei).toString(16)}`])
    await mine()
    expect(failures(await sender.step([next]))).toEqual([])
    const capped = await node.request<{ pending: object }>('txpool_content')
    const [waiting] = Object.values(Object.values(capped.pending)[0] as object) as { maxFeePerGas: Hex }[]
    expect(BigInt((waiting as { maxFeePerGas: Hex }).maxFeePerGas)).toBe(30n * gwei)
    const why = expect.stringContaining(`more than ${30n * gwei} wei`)
    expect(await sender.step([next])).toEqual([{ type: 'waits', digest: next.digest, why }])
  })

  test('that blocks pass by for long enough is replaced; in a halted chain it is not', async () => {
    // A node that takes the transaction and keeps it from the miner.
    const held: Hex[] = []
    const proxy = await startRpcProxy(node.httpUrl, async ({ method, params }) => {
      if (method === 'eth_getTransactionByHash' && held.includes(params[0] as Hex)) return { result: {} }
      if (method !== 'eth_sendRawTransaction' || held.length > 0) return null
      held.push(keccak256(params[0] as Hex))
      return { result: held[0] }
    })
    const sender = senderOf({ pool: poolOf(proxy.url) })
    const order = due(await contract.signOrder(1))
    expect(sentTxOf(await sender.step([order]))).toBe(held[0])
    now += 60_000
    expect(await sender.step([order])).toEqual([])
    await mine(3)
    const replaced = sentTxOf(await sender.step([order]))
    expect(replaced).not.toBe(held[0])
    await mine()
    expect(await landings()).toEqual([order.digest])
    await proxy.stop()
  })

  test('that the nodes dropped is sent again as it was', async () => {
    const sender = senderOf()
    const order = due(await contract.signOrder(1))
    const hash = sentTxOf(await sender.step([order]))
    await node.request('anvil_dropTransaction', [hash])
    expect(await sender.step([order])).toEqual([])
    await mine()
    expect((await client().getTransactionReceipt({ hash })).status).toBe('success')
    expect(await landings()).toEqual([order.digest])
  })

  test('is found again after a restart, and none is sent beside it', async () => {
    const order = due(await contract.signOrder(1))
    const sentTx = sentTxOf(await senderOf().step([order]))
    const restarted = senderOf()
    expect(await restarted.step([{ ...order, sentTx }])).toEqual([])
    await node.request('anvil_dropTransaction', [sentTx])
    expect(await restarted.step([{ ...order, sentTx }])).toEqual([])
    await mine()
    expect(await landings()).toEqual([order.digest])
    expect(await restarted.step([{ ...order, sentTx }])).toEqual([landed(order.digest)])
    expect(await countOf(gasKey)).toBe(1)
  })

  test('that a crash left unrecorded is replaced, not followed', async () => {
    const order = due(await contract.signOrder(1))
    const lost = await transaction(sentTxOf(await senderOf().step([order])))
    const found = await transaction(
      sentTxOf(await senderOf().step([order, due(await contract.signOrder(2))])),
    )
    expect(found.nonce).toBe(lost.nonce)
    await mine(2)
    expect((await landings()).length).toBe(2)
    expect(await countOf(gasKey)).toBe(1)
  })
})

test('two relayers with the same orders: each lands once, whoever is first', async () => {
  const [one, other] = [senderOf(), senderOf({ account: otherGasKey })]
  const orders = [due(await contract.signOrder(1)), due(await contract.signOrder(2))]
  await Promise.all([one.step(orders), other.step(orders)])
  await mine()
  expect([await countOf(gasKey), await countOf(otherGasKey)]).toEqual([1, 1])
  expect(new Set(await landings())).toEqual(new Set(orders.map(({ digest }) => digest)))
  expect((await landings()).length).toBe(2)
  for (const sender of [one, other]) expect(typesOf(await sender.step(orders))).toEqual(['landed', 'landed'])

  const late = due(await contract.signOrder(3))
  await one.step([late])
  await mine()
  expect(await other.step([late])).toEqual([landed(late.digest)])
  expect(await countOf(otherGasKey)).toBe(1)
})

test('an order whose landing a reorg took back lands again', async () => {
  const sender = senderOf()
  const order = due(await contract.signOrder(1))
  const sentTx = sentTxOf(await sender.step([order]))
  await mine()
  expect(await sender.step([{ ...order, sentTx }])).toEqual([landed(order.digest)])
  await node.request('anvil_reorg', [1, []])
  expect(await landings()).toEqual([])
  sentTxOf(await sender.step([{ ...order, sentTx }]))
  await mine()
  expect(await landings()).toEqual([order.digest])
})

test("another's transaction is kept as it was signed, and lands again after a reorg", async () => {
  const keeper = createTransactionKeeper(poolOf())
  await node.request('evm_setAutomine', [true])
  const { txHash } = await contract.killAll(4, 'by transaction')
  await node.request('evm_setAutomine', [false])
  const raw = (await keeper.keep(txHash)) as Hex
  await node.request('anvil_reorg', [1, []])
  expect(await contract.isKilled(4, 1)).toBe(false)
  await keeper.broadcast(raw)
  await mine()
  expect((await client().getTransactionReceipt({ hash: txHash })).status).toBe('success')
  expect(await contract.isKilled(4, 1)).toBe(true)
  expect(await keeper.keep(`0x${'12'.repeat(32)}`)).toBe(null)
  await expect(keeper.broadcast(raw)).rejects.toMatchObject({ txHash, retryable: false })
})

describe('nodes that fail', () => {
  const refusing = (method: string, message: string) =>
    startRpcProxy(node.httpUrl, async (call) =>
      call.method === method ? { error: { code: 3, message } } : null,
    )

  test('one that calls an order refused against two others does not keep it off the chain', async () => {
    const liar = await refusing('eth_estimateGas', 'execution reverted')
    const [second, third] = [await startRpcProxy(node.httpUrl, async () => null), node.httpUrl]
    const sender = senderOf({ pool: poolOf(liar.url, second.url, third) })
    const order = due(await contract.signOrder(1))
    expect(typesOf(await sender.step([order]))).toEqual(['sent'])
    await Promise.all([liar.stop(), second.stop()])
  })

  const lying = (answers: Readonly<Record<string, unknown>>) =>
    startRpcProxy(node.httpUrl, async ({ method }) =>
      method in answers ? { result: answers[method] } : null,
    )

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a balance of nothing', { eth_getBalance: '0x0' }],
    ['a tiny need of gas', { eth_estimateGas: '0x1' }],
    ['a huge need of gas', { eth_estimateGas: '0xffffff' }],
    [
      'a head without room',
      { eth_getBlockByNumber: { number: '0x0', baseFeePerGas: '0xffffffffff', gasLimit: '0x0' } },
    ],
    ['a higher nonce', { eth_getTransactionCount: '0x63' }],
    ['no tip at all', { eth_maxPriorityFeePerGas: '0x0' }],
  ])('the preferred one tells of %s: all orders land all the same', async (_lie, answers) => {
    const liar = await lying(answers)
    const second = await startRpcProxy(node.httpUrl, async () => null)
    const sender = senderOf({ pool: poolOf(liar.url, second.url, node.httpUrl) })
    for (const owners of [[1], [2, 3]]) {
      const orders = await Promise.all(owners.map(async (owner) => due(await contract.signOrder(owner))))
      expect(typesOf(await sender.step(orders)).filter((type) => type === 'sent')).toHaveLength(owners.length)
      await Promise.allSettled(asked)
      await mine()
      expect(await landings()).toEqual(expect.arrayContaining(orders.map(({ digest }) => digest)))
    }
    await Promise.all([liar.stop(), second.stop()])
  })

  test('of two, one tells of a higher nonce: nothing goes out behind a gap', async () => {
    const liar = await lying({ eth_getTransactionCount: '0x63' })
    const sender = senderOf({ pool: poolOf(liar.url, node.httpUrl) })
    for (const owner of [1, 2]) {
      const order = due(await contract.signOrder(owner))
      expect(typesOf(await sender.step([order]))).toContain('sent')
      await Promise.allSettled(asked)
      await mine()
      expect(await landings()).toContain(order.digest)
    }
    await liar.stop()
  })

  test('one that swallows transactions is not the only one that gets them', async () => {
    const swallower = await startRpcProxy(node.httpUrl, async ({ method }) =>
      method === 'eth_sendRawTransaction' ? { result: `0x${'00'.repeat(32)}` } : null,
    )
    const order = due(await contract.signOrder(1))
    await senderOf({ pool: poolOf(swallower.url, node.httpUrl) }).step([order])
    await Promise.allSettled(asked)
    await mine()
    expect(await landings()).toEqual([order.digest])
    await swallower.stop()
  })

  test('without any, the order may be sent again, and is when one answers', async () => {
    let down = true
    const proxy = await startRpcProxy(node.httpUrl, async () =>
      down ? { error: { code: -32_603, message: 'starting up' } } : null,
    )
    const sender = senderOf({ pool: poolOf(proxy.url) })
    const order = due(await contract.signOrder(1))
    expect(failures(await sender.step([order]))).toMatchObject([{ error: { revert: null, ofOrder: false } }])
    down = false
    expect(typesOf(await sender.step([order]))).toEqual(['sent'])
    await proxy.stop()
  })
})

describe('a gas key', () => {
  const poor = privateKeyToAccount(`0x${'17'.repeat(32)}`)
  const give = (wei: bigint) => node.request('anvil_setBalance', [poor.address, `0x${wei.toString(16)}`])

  test('that cannot pay for the batch lands what it can, the most important first', async () => {
    await give(10n ** 16n)
    const sender = senderOf({ account: poor })
    const orders = [due(await contract.signOrder(1)), due(await contract.signOrder(2))]
    await node.request('anvil_setNextBlockBaseFeePerGas', [`0x${(20n * gwei).toString(16)}`])
    await mine()
    expect(await sender.step(orders)).toMatchObject([{ type: 'sent', digest: orders[0]?.digest }])
    await mine()
    await give(0n)
    const outcomes = await sender.step(orders)
    expect(outcomes).toContainEqual(landed(orders[0]?.digest))
    const [failed] = failures(outcomes)
    expect(failed).toMatchObject({ digest: orders[1]?.digest, error: { revert: null, ofOrder: false } })
    expect(failed?.error.message).toContain(`${poor.address} cannot pay`)
  })

  test('that runs low sounds the alarm at once, then hourly, and not after it was funded', async () => {
    const alarms: string[] = []
    const watch = createGasWatch({
      pool: poolOf(),
      gasKey: poor.address,
      clock,
      log: { ...quiet, error: (_fields, message) => alarms.push(message) },
    })
    expect(watch.state()).toBe(null)
    await give(1n)
    await watch.check()
    expect(watch.state()).toMatchObject({ balance: 1n, low: true })
    now += 3_599_999
    await watch.check()
    expect(alarms.length).toBe(1)
    now += 1
    await watch.check()
    expect(alarms.length).toBe(2)
    await give(10n ** 20n)
    await watch.check()
    expect(watch.state()).toMatchObject({ low: false })
    expect(alarms.length).toBe(2)
  })
})
