import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import {
  createPublicClient,
  createTestClient,
  createWalletClient,
  defineChain,
  type Hex,
  http,
  type LocalAccount,
  parseEventLogs,
} from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'
import { type KillOrder, killOrderTypedData } from '../../protocol/order.ts'
import { agentTarget, type Target } from '../../protocol/scope.ts'
import { uuidFromAgentId } from '../../protocol/uuid.ts'
import type { NodeOptions } from '../../relayer/node/options.ts'
import { startNode } from '../../relayer/node.ts'
import { startAnvil } from '../chain/anvil.ts'

export const trustDomain = 'killswitch.test'

/** Accounts of anvil's own mnemonic, funded. */
const account = (index: number): LocalAccount =>
  mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: index })
export const accounts = {
  governance: account(0),
  council: account(1),
  emergency: account(2),
  alice: account(3),
  bob: account(4),
  guardian: account(5),
  gas: account(6),
  stranger: account(7),
}

export type TestAgent = {
  readonly uuid: string
  readonly spiffeId: string
  readonly privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']
}

/** A real chain (anvil) with the contract deployed. Blocks are mined with each transaction. */
export async function startChain() {
  const node = await startAnvil('--chain-id', '31337')
  const rpc = node.httpUrl
  const chain = defineChain({
    id: 31337,
    name: 'anvil',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  })
  const client = createPublicClient({ chain, transport: http(rpc), pollingInterval: 20 })
  const test = createTestClient({ chain, mode: 'anvil', transport: http(rpc) })
  const wallet = createWalletClient({ chain, transport: http(rpc) })
  const { governance, council, emergency } = accounts
  const hash = await wallet.deployContract({
    account: governance,
    abi: killSwitchAbi,
    bytecode: killSwitchBytecode,
    args: [
      {
        trustDomain,
        governance: governance.address,
        council: council.address,
        emergencyGovernor: emergency.address,
        minCooldown: 300,
        cooldowns: [300, 3600, 7200, 10_800],
      },
    ],
  })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash })
  const contract = contractAddress?.toLowerCase() as Hex
  const deployment: Deployment = { chainId: 31337, contract }

  /** Sends a call and waits for its block. */
  const send = async (from: LocalAccount, functionName: string, args: readonly unknown[]) => {
    const sent = await wallet.writeContract({
      account: from,
      address: contract,
      abi: killSwitchAbi,
      functionName,
      args,
    } as unknown as Parameters<typeof wallet.writeContract>[0])
    const receipt = await client.waitForTransactionReceipt({ hash: sent })
    if (receipt.status !== 'success') throw new Error(`${functionName} reverted`)
    return receipt
  }

  const register = async (owner: LocalAccount, agentType = 'worker'): Promise<TestAgent> => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const key =
      `0x${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')}` as const
    const salt = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')}` as const
    const receipt = await send(owner, 'register', [agentType, key, salt])
    const [event] = parseEventLogs({ abi: killSwitchAbi, eventName: 'AgentRegistered', logs: receipt.logs })
    const uuid = uuidFromAgentId((event as NonNullable<typeof event>).args.agentId)
    return { uuid, spiffeId: `spiffe://${trustDomain}/${agentType}/${uuid}`, privateKey }
  }

  const now = async () => (await client.getBlock()).timestamp

  return { rpc, client, test, send, register, now, contract, deployment, stop: node.stop }
}

export type TestChain = Awaited<ReturnType<typeof startChain>>

/** A relayer in this process over a folder of its own. */
export async function startRelayer(chain: TestChain, change: Partial<NodeOptions> = {}) {
  const data = change.data ?? mkdtempSync(join(tmpdir(), 'killswitch-relayer-'))
  const node = await startNode({
    rpcs: [chain.rpc],
    deployment: chain.deployment,
    startBlock: 0,
    grantPoint: { kind: 'depth', blocks: 0 },
    trustDomain,
    data,
    listen: { host: '127.0.0.1', port: 0 },
    mtlsListen: { host: '127.0.0.1', port: 0 },
    hosts: ['localhost', '127.0.0.1'],
    gasAccount: accounts.gas,
    limits: {
      requestsPerSecond: 1_000,
      connectionsPerAddress: 1_000,
      connections: 10_000,
      proxies: [],
    },
    peers: [],
    svidLife: 300_000,
    maxBlind: 600_000,
    pollInterval: 50,
    // The tests run in the same event loop.
    overloaded: () => false,
    log: pino({ level: process.env.KILLSWITCH_TEST_LOG ?? 'silent' }),
    ...change,
  })
  return {
    ...node,
    data,
    post: (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${node.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: async <T>(path: string): Promise<T> => (await (await fetch(`${node.url}${path}`)).json()) as T,
    /** The snapshot's document, unverified. */
    snapshot: async () =>
      JSON.parse(
        (await (await fetch(`${node.url}/revocations`)).text()).split('\n')[0] as string,
      ) as Snapshot,
    remove: async () => {
      await node.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

type Snapshot = {
  readonly epoch: string
  readonly number: number
  readonly rows: readonly { readonly subject: string }[]
}

export type TestRelayer = Awaited<ReturnType<typeof startRelayer>>

/** A chain and a relayer that follows it. */
export async function startWorld() {
  const chain = await startChain()
  try {
    const relayer = await startRelayer(chain)
    const stop = async () => {
      await relayer.remove()
      await chain.stop()
    }
    return { chain, relayer, stop }
  } catch (error) {
    await chain.stop()
    throw error
  }
}

const known = (relayer: TestRelayer, agent: TestAgent): Promise<boolean> =>
  until('the registration', async () => (await fetch(`${relayer.url}/agents/${agent.uuid}`)).ok)

/** A registered agent that the relayers know. */
export async function newAgent(
  chain: TestChain,
  relayers: TestRelayer | readonly TestRelayer[],
  owner: LocalAccount = accounts.alice,
): Promise<TestAgent> {
  const agent = await chain.register(owner)
  await Promise.all([relayers].flat().map((relayer) => known(relayer, agent)))
  return agent
}

let nonces = 0n

/** An order as a wallet would sign it, valid for ten minutes. */
export function orderFor(
  authority: LocalAccount,
  target: Target,
  change: Partial<KillOrder> = {},
): KillOrder {
  const now = BigInt(Math.floor(Date.now() / 1000))
  nonces += 1n
  return {
    authority: authority.address.toLowerCase() as Hex,
    ...target,
    reason: 2,
    text: 'it misbehaves',
    issuedAt: now,
    deadline: now + 600n,
    nonce: nonces,
    ...change,
  }
}

export const signOrder = (signer: LocalAccount, deployment: Deployment, order: KillOrder): Promise<Hex> =>
  signer.signTypedData(killOrderTypedData(deployment, order))

export const orderJson = (order: KillOrder) => ({
  ...order,
  issuedAt: String(order.issuedAt),
  deadline: String(order.deadline),
  nonce: String(order.nonce),
})

/** The body of `POST /api/kill` for an agent. */
export async function killBody(
  deployment: Deployment,
  signer: LocalAccount,
  agent: TestAgent,
  change: Partial<KillOrder> = {},
) {
  const order = orderFor(signer, agentTarget(agent.uuid), change)
  return {
    spiffeId: agent.spiffeId,
    reason: order.reason,
    order: orderJson(order),
    signature: await signOrder(signer, deployment, order),
  }
}

/** Waits for something that happens by itself: the chain's next block, a relayer's next step. */
export async function until<T>(what: string, probe: () => Promise<T | null | undefined | false>): Promise<T> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const value = await probe()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`waited 20 s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
