import { createPublicClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { createSender, OrderNotLandedError } from '../../relayer/chain/sender.ts'
import { systemClock } from '../../relayer/clock.ts'
import { type ChainNode, startAnvil } from './anvil.ts'
import { accountAt, deployKillSwitch, type TestContract } from './contract.ts'
import { startRpcProxy } from './rpcProxy.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const gasKey = accountAt(9)

let node: ChainNode
let contract: TestContract
beforeAll(async () => {
  node = await startAnvil()
  contract = await deployKillSwitch(node)
  for (const owner of [1, 2, 3, 4, 5]) await contract.register(owner, 1)
})
afterAll(() => node.stop())

const senderOf = (rpcs: readonly string[], account = gasKey) =>
  createSender({ rpcs, deployment: contract.deployment, account, clock: systemClock, log: quiet })

const refusalOf = async (sending: Promise<unknown>): Promise<OrderNotLandedError> => {
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(OrderNotLandedError)
  return error as OrderNotLandedError
}

const statusOf = async (txHash: Hex) =>
  (
    await createPublicClient({
      transport: http(node.httpUrl),
      pollingInterval: 20,
    }).waitForTransactionReceipt({ hash: txHash })
  ).status

test.each(['httpUrl', 'wsUrl'] as const)('%s: an order lands', async (url) => {
  const owner = url === 'httpUrl' ? 1 : 2
  const sender = senderOf([node[url]])
  const signed = await contract.signOrder(owner, { text: 'stop' })
  expect(await contract.isKilled(owner, 1)).toBe(false)
  const { txHash } = await sender.send(signed)
  expect(await statusOf(txHash)).toBe('success')
  expect(await contract.isKilled(owner, 1)).toBe(true)
  sender.close()
})

test('orders sent at once get a nonce each, also when a node does not count the pending ones', async () => {
  await node.request('evm_setAutomine', [false])
  const count = await node.request('eth_getTransactionCount', [gasKey.address, 'latest'])
  const forgetful = await startRpcProxy(node.httpUrl, async ({ method }) =>
    method === 'eth_getTransactionCount' ? { result: count } : null,
  )
  const sender = senderOf([forgetful.url])
  const sent = await Promise.all(
    [3, 4, 5].map(async (owner) => sender.send(await contract.signOrder(owner, { nonce: 9n }))),
  )
  await node.request('evm_mine')
  await node.request('evm_setAutomine', [true])
  expect(await Promise.all(sent.map(({ txHash }) => statusOf(txHash)))).toEqual([
    'success',
    'success',
    'success',
  ])
  sender.close()
  await forgetful.stop()
})

test("the contract's refusal is told by its own error, and holds up no other order", async () => {
  const sender = senderOf([node.httpUrl])
  const stranger = await contract.signOrder(1, {
    subject: (await contract.signOrder(3)).order.subject,
    nonce: 2n,
  })
  const forged = { ...(await contract.signOrder(1, { nonce: 3n })), signature: stranger.signature }
  const [refused, unsigned, landed] = await Promise.all([
    refusalOf(sender.send(stranger)),
    refusalOf(sender.send(forged)),
    sender.send(await contract.signOrder(1, { nonce: 4n })),
  ])
  expect(refused.revert?.name).toBe('NotAuthorized')
  expect(refused.revert?.args[1]).toBe(1)
  expect(refused).toMatchObject({ digest: stranger.digest, retryable: false })
  expect(unsigned.revert?.name).toBe('InvalidSignature')
  expect(await statusOf(landed.txHash)).toBe('success')
  sender.close()
})

test('without a node, or without funds, the order may be sent again', async () => {
  const signed = await contract.signOrder(1, { nonce: 5n })
  const unheard = senderOf(['http://127.0.0.1:1'])
  expect(await refusalOf(unheard.send(signed))).toMatchObject({ revert: null, retryable: true })
  unheard.close()
  const poor = privateKeyToAccount(`0x${'17'.repeat(32)}`)
  const broke = senderOf([node.httpUrl], poor)
  const refused = await refusalOf(broke.send(signed))
  expect(refused).toMatchObject({ revert: null, retryable: true })
  expect(refused.message).toContain(`${poor.address} cannot pay`)
  broke.close()
  const next = senderOf(['http://127.0.0.1:1', node.httpUrl])
  expect(await statusOf((await next.send(signed)).txHash)).toBe('success')
  next.close()
})
