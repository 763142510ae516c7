// A relayer starts only with policies and quotas of its own deployment, as a real chain tells it.
import { createWalletClient, type Hex, http } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killPoliciesBytecode } from '../../protocol/generated/killPoliciesBytecode.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { killswitchTokenBytecode } from '../../protocol/generated/killswitchTokenBytecode.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import { subscriptionsBytecode } from '../../protocol/generated/subscriptionsBytecode.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import type { NodeOptions } from '../../relayer/node/options.ts'
import { startRpcProxy } from '../chain/rpcProxy.ts'
import { accounts, startChain, startRelayer, type TestChain, trustDomain, until } from './world.ts'

type Governed = { readonly killPolicies: Hex; readonly subscriptions: Hex }
const { governance } = accounts
let chain: TestChain
let own: Governed
let foreign: Governed
let foreignKillSwitch: Hex

beforeAll(async () => {
  chain = await startChain()
  foreignKillSwitch = await deploy(killSwitchAbi, killSwitchBytecode, [
    {
      trustDomain,
      governance: governance.address,
      council: accounts.council.address,
      emergencyGovernor: accounts.emergency.address,
      minCooldown: 300,
      cooldowns: [300, 300, 300, 300],
    },
  ])
  own = await deployGoverned(chain.contract)
  foreign = await deployGoverned(foreignKillSwitch)
})
afterAll(() => chain?.stop())

async function deploy(abi: unknown, bytecode: Hex, args: readonly unknown[]): Promise<Hex> {
  const wallet = createWalletClient({ chain: chain.client.chain, transport: http(chain.rpc) })
  const hash = await wallet.deployContract({
    ...{ account: governance, abi, bytecode, args },
  } as unknown as Parameters<typeof wallet.deployContract>[0])
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash })
  return contractAddress?.toLowerCase() as Hex
}

async function deployGoverned(killSwitch: Hex): Promise<Governed> {
  const token = await deploy(killswitchTokenAbi, killswitchTokenBytecode, [governance.address, 10n ** 24n])
  return {
    killPolicies: await deploy(killPoliciesAbi, killPoliciesBytecode, [
      killSwitch,
      toPolicyStruct(initialPolicy),
    ]),
    subscriptions: await deploy(subscriptionsAbi, subscriptionsBytecode, [
      ...[killSwitch, token, token, 1],
      ...[{ interval: 1, samples: 3 }, 2],
    ]),
  }
}

/** How a start ends: the error, or null where the relayer is there. */
const started = (change: Partial<NodeOptions>): Promise<unknown> =>
  startRelayer(chain, change).then(
    async ({ remove }) => {
      await remove()
      return null
    },
    (error: unknown) => error,
  )

test('policies and quotas of the deployment are followed', async () => {
  expect(await started(own)).toBe(null)
})

test.each(['killPolicies', 'subscriptions'] as const)(
  '%s of another deployment is refused',
  async (option) => {
    expect(await started({ ...own, [option]: foreign[option] })).toMatchObject({
      name: 'OtherKillSwitchError',
      contract: foreign[option],
      killSwitch: foreignKillSwitch,
    })
  },
)

test('an address without such a contract is refused: nothing there, another of the deployment, the KillSwitch', async () => {
  for (const [option, contract] of [
    ['killPolicies', `0x${'99'.repeat(20)}`],
    ['subscriptions', `0x${'99'.repeat(20)}`],
    ['killPolicies', own.subscriptions],
    ['subscriptions', own.killPolicies],
    ['killPolicies', chain.contract],
  ] as const)
    expect([option, await started({ ...own, [option]: contract })]).toMatchObject([
      option,
      { name: 'NoGovernedContractError', contract },
    ])
})

test('without an RPC it waits for one, and then refuses or starts', async () => {
  for (const [governed, expected] of [
    [foreign, { name: 'OtherKillSwitchError' }],
    [own, null],
  ] as const) {
    let down = true
    let refused = 0
    const proxy = await startRpcProxy(chain.rpc, async () => {
      if (!down) return null
      refused += 1
      throw new Error('down')
    })
    try {
      let ended = false
      const start = started({ ...governed, rpcs: [proxy.url] }).finally(() => {
        ended = true
      })
      await until('several questions', async () => ended || refused > 4)
      expect(ended).toBe(false)
      down = false
      const end = await start
      expected === null ? expect(end).toBe(null) : expect(end).toMatchObject(expected)
    } finally {
      await proxy.stop()
    }
  }
})
