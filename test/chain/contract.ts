import { createHash } from 'node:crypto'
import {
  type Address,
  createWalletClient,
  defineChain,
  type Hash,
  http,
  type LocalAccount,
  publicActions,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest, killOrderTypedData } from '../../protocol/order.ts'
import { ownerTarget } from '../../protocol/scope.ts'
import type { SignedOrder } from '../../relayer/kill/chainPort.ts'
import type { ChainNode } from './anvil.ts'

/** The funded accounts of anvil and Hardhat. */
export const accountAt = (addressIndex: number): LocalAccount =>
  mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex })

export const chainId = 31337

const chain = defineChain({
  id: chainId,
  name: 'local',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [] } },
})

export type TestContract = {
  readonly deployment: Deployment
  readonly deployedAt: number
  /** Registers one agent of account `index`. */
  register(index: number, salt: number): Promise<Hash>
  /** Kills all of account `index`'s agents by its transaction; resolves when mined. */
  killAll(index: number, text?: string): Promise<{ readonly txHash: Hash; readonly raw: Hex }>
  signOrder(index: number, change?: Partial<KillOrder>): Promise<SignedOrder>
  isKilled(index: number, salt: number): Promise<boolean>
}

const salted = (salt: number): Hex => `0x${createHash('sha256').update(`salt ${salt}`).digest('hex')}`

export async function deployKillSwitch(node: Pick<ChainNode, 'httpUrl' | 'request'>): Promise<TestContract> {
  const walletOf = (index: number) =>
    createWalletClient({
      account: accountAt(index),
      chain,
      transport: http(node.httpUrl, { retryCount: 0 }),
      pollingInterval: 20,
    }).extend(publicActions)
  const deployer = walletOf(0)
  const hash = await deployer.deployContract({
    abi: killSwitchAbi,
    bytecode: killSwitchBytecode,
    args: [
      {
        trustDomain: 'killswitch.test',
        governance: deployer.account.address,
        council: '0x0000000000000000000000000000000000000000',
        emergencyGovernor: '0x0000000000000000000000000000000000000000',
        minCooldown: 300,
        cooldowns: [300, 300, 300, 300],
      },
    ],
  })
  const receipt = await deployer.waitForTransactionReceipt({ hash })
  const contract = (receipt.contractAddress as Address).toLowerCase() as Hex
  const deployment = { chainId, contract }
  const at = { address: contract, abi: killSwitchAbi } as const

  return {
    deployment,
    deployedAt: Number(receipt.blockNumber),
    async register(index, salt) {
      const wallet = walletOf(index)
      const txHash = await wallet.writeContract({
        ...at,
        functionName: 'register',
        args: ['worker', salted(1000 + salt), salted(salt)],
      })
      await wallet.waitForTransactionReceipt({ hash: txHash })
      return txHash
    },
    async killAll(index, text = '') {
      const wallet = walletOf(index)
      const txHash = await wallet.writeContract({
        ...at,
        functionName: 'emergencyKill',
        args: [wallet.account.address, 1, text],
      })
      await wallet.waitForTransactionReceipt({ hash: txHash })
      return {
        txHash,
        raw: await node.request<Hex>('eth_getRawTransactionByHash', [txHash]).catch(() => '0x' as Hex),
      }
    },
    async signOrder(index, change = {}) {
      const account = accountAt(index)
      const now = BigInt(Math.floor(Date.now() / 1000))
      const order: KillOrder = {
        authority: account.address.toLowerCase() as Hex,
        ...ownerTarget(account.address),
        reason: 1,
        text: '',
        issuedAt: now - 5n,
        deadline: now + 3_600n,
        nonce: 1n,
        ...change,
      }
      const signature = (await account.signTypedData(killOrderTypedData(deployment, order))) as Hex
      return { order, signature, digest: killOrderDigest(deployment, order) }
    },
    async isKilled(index, salt) {
      const wallet = walletOf(index)
      const agentId = await wallet.readContract({
        ...at,
        functionName: 'deriveAgentId',
        args: [wallet.account.address, salted(salt)],
      })
      return wallet.readContract({ ...at, functionName: 'isKilled', args: [agentId] })
    },
  }
}
