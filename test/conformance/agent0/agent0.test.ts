// ERC-8004 as others speak it: the registry under agent0-sdk (MIT), its functions, its ABI and its signatures.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createClient, type Hex, http, publicActions, stringToHex, testActions, walletActions } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../../protocol/generated/killSwitchBytecode.ts'
import { Scope } from '../../../protocol/scope.ts'
import { uuidFromAgentId } from '../../../protocol/uuid.ts'
import { type ChainNode, startAnvil } from '../../chain/anvil.ts'

const folder = import.meta.dirname
const entry = path.join(folder, 'node_modules/agent0-sdk/dist/index.js')

/** Installs the SDK where it is not yet; null if the registry cannot be reached. */
async function installSdk(): Promise<Agent0 | null> {
  if (!existsSync(entry)) {
    const bin = path.resolve(folder, '../../../node_modules/.bin')
    const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` }
    const options = [
      '--prefer-offline',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
    ]
    try {
      await promisify(execFile)('npm', ['install', ...options], { cwd: folder, env, timeout: 180_000 })
    } catch (error) {
      const why = (error as { stderr?: string }).stderr?.trim().split('\n').at(0)
      console.warn(`skipped: agent0-sdk could not be installed from the npm registry (${why})`)
      return null
    }
  }
  return (await import(pathToFileURL(entry).href)) as Agent0
}

/** What is used of the SDK. */
type Agent0 = {
  readonly SDK: new (config: object) => Sdk
  readonly IDENTITY_REGISTRY_ABI: readonly unknown[]
  parseAgentId(agentId: string): { readonly tokenId: number }
}
type Handle = { waitMined(): Promise<{ readonly result: { readonly agentId: string } }> }
type Sdk = {
  readonly chainClient: {
    readContract(call: object): Promise<unknown>
    writeContract(call: object): Promise<Hex>
    waitForTransaction(of: { hash: Hex }): Promise<{ readonly status: string }>
    signTypedData(data: object): Promise<Hex>
  }
  createAgent(
    name: string,
    description: string,
  ): {
    setMetadata(entries: Record<string, string>): unknown
    registerHTTP(uri: string): Promise<Handle>
    registerOnChain(): Promise<Handle>
    setAgentURI(uri: string): Promise<Handle>
  }
}

const agent0 = await installSdk()
const mnemonic = 'test test test test test test test test test test test junk'
const [deployer, owner, wallet] = [0, 1, 2].map((addressIndex) =>
  mnemonicToAccount(mnemonic, { addressIndex }),
) as [Account, Account, Account]
type Account = ReturnType<typeof mnemonicToAccount>
const privateKeyOf = (account: Account): Hex =>
  `0x${Buffer.from(account.getHdKey().privateKey ?? []).toString('hex')}`

describe.skipIf(agent0 === null)('agent0-sdk 1.7.1', () => {
  const { SDK, IDENTITY_REGISTRY_ABI, parseAgentId } = agent0 ?? ({} as Agent0)
  let chain: ChainNode
  let contract: Hex
  const clientOf = (node: ChainNode) =>
    createClient({ transport: http(node.httpUrl), pollingInterval: 20 })
      .extend(publicActions)
      .extend(walletActions)
      .extend(testActions({ mode: 'anvil' }))
  let client: ReturnType<typeof clientOf>
  const sdkOf = (account: Account): Sdk =>
    new SDK({
      chainId: 31337,
      rpcUrl: chain.httpUrl,
      privateKey: privateKeyOf(account),
      registryOverrides: { 31337: { IDENTITY: contract } },
    })

  beforeAll(async () => {
    chain = await startAnvil()
    client = clientOf(chain)
    const config = {
      trustDomain: 'killswitch.test',
      governance: deployer.address,
      council: deployer.address,
      emergencyGovernor: deployer.address,
      minCooldown: 300,
      cooldowns: [300, 300, 300, 300],
    } as const
    const hash = await client.deployContract({
      abi: killSwitchAbi,
      bytecode: killSwitchBytecode,
      account: deployer,
      chain: null,
      args: [config],
    })
    contract = (await client.waitForTransactionReceipt({ hash })).contractAddress as Hex
  })
  afterAll(() => chain?.stop())

  const read = (
    functionName: 'ownerOf' | 'tokenURI' | 'getAgentWallet' | 'agentTypeOf' | 'isKilled',
    agentId: bigint,
  ) => client.readContract({ address: contract, abi: killSwitchAbi, functionName, args: [agentId] })
  /** The id from what the SDK calls an agent id: `<chain id>:<token id>`. */
  const tokenOf = (agentId: string) => BigInt(agentId.split(':')[1] as string)
  async function registered(uri: string, note: string): Promise<bigint> {
    const agent = sdkOf(owner).createAgent('Panel', 'Controls a panel')
    agent.setMetadata({ note })
    const { result } = await (await agent.registerHTTP(uri)).waitMined()
    return tokenOf(result.agentId)
  }

  test('registers an agent with a URI and metadata, which its owner then completes and kills', async () => {
    const agentId = await registered('https://agents.test/1.json', 'first')
    expect(await read('ownerOf', agentId)).toBe(owner.address)
    expect(await read('tokenURI', agentId)).toBe('https://agents.test/1.json')
    expect(await read('getAgentWallet', agentId)).toBe(owner.address)
    expect(await read('agentTypeOf', agentId)).toBe('')
    // A UUID of version 8, or this throws.
    uuidFromAgentId(agentId)

    const write = async (functionName: 'completeAgent' | 'kill', args: readonly unknown[]) => {
      const call = { address: contract, abi: killSwitchAbi, functionName, args, account: owner, chain: null }
      const hash = await client.writeContract(call as never)
      expect((await client.waitForTransactionReceipt({ hash })).status).toBe('success')
    }
    await write('completeAgent', [agentId, 'panel', `0x${'42'.repeat(32)}`])
    expect(await read('agentTypeOf', agentId)).toBe('panel')
    await write('kill', [Scope.Agent, `0x${agentId.toString(16).padStart(64, '0')}`, 1, ''])
    expect(await read('isKilled', agentId)).toBe(true)
  })

  test('registers an agent whose file is on chain', async () => {
    const agent = sdkOf(owner).createAgent('Panel', 'Controls a panel')
    const { result } = await (await agent.registerOnChain()).waitMined()
    expect(await read('tokenURI', tokenOf(result.agentId))).toMatch(/^data:application\/json;base64,/)
  })

  test('its ABI reads and writes what an owner may', async () => {
    const agentId = await registered('', 'second')
    const { chainClient } = sdkOf(owner)
    const target = { address: contract, abi: IDENTITY_REGISTRY_ABI }
    const get = (functionName: string, ...args: readonly unknown[]) =>
      chainClient.readContract({ ...target, functionName, args })
    const send = async (functionName: string, ...args: readonly unknown[]) => {
      const hash = await chainClient.writeContract({ ...target, functionName, args })
      return (await chainClient.waitForTransaction({ hash })).status
    }
    expect(await get('getMetadata', agentId, 'note')).toBe(stringToHex('second'))
    await send('setMetadata', agentId, 'note', '0x0102')
    expect(await get('getMetadata', agentId, 'note')).toBe('0x0102')
    await send('setAgentURI', agentId, 'ipfs://file')
    expect(await get('tokenURI', agentId)).toBe('ipfs://file')
    await expect(send('setMetadata', agentId, 'agentWallet', '0x01')).rejects.toThrow()

    // As its setWallet does: the domain as the contract names it, the struct of the standard.
    const [, name, version] = (await get('eip712Domain')) as readonly [Hex, string, string]
    const { timestamp } = await client.getBlock()
    const deadline = timestamp + 60n
    const signature = await sdkOf(wallet).chainClient.signTypedData({
      domain: { name, version, chainId: 31337, verifyingContract: contract },
      types: {
        AgentWalletSet: [
          { name: 'agentId', type: 'uint256' },
          { name: 'newWallet', type: 'address' },
          { name: 'owner', type: 'address' },
          { name: 'deadline', type: 'uint256' },
        ],
      },
      primaryType: 'AgentWalletSet',
      message: { agentId, newWallet: wallet.address, owner: owner.address, deadline },
    })
    expect(name).toBe('ERC8004IdentityRegistry')
    expect(await send('setAgentWallet', agentId, wallet.address, deadline, signature)).toBe('success')
    expect(await get('getAgentWallet', agentId)).toBe(wallet.address)
    expect(await get('getMetadata', agentId, 'agentWallet')).toBe(wallet.address.toLowerCase())
    await send('unsetAgentWallet', agentId)
    expect(await read('getAgentWallet', agentId)).toBe(`0x${'0'.repeat(40)}`)
  })

  // It reads token ids as JavaScript numbers, which are exact up to 2^53; the standard's are of 256 bits, ours of 128.
  test('its later calls by agent id round the id, and are refused', async () => {
    const agent = sdkOf(owner).createAgent('Panel', 'Controls a panel')
    const { result } = await (await agent.registerHTTP('https://agents.test/3.json')).waitMined()
    expect(BigInt(parseAgentId(result.agentId).tokenId)).not.toBe(tokenOf(result.agentId))
    await expect(agent.setAgentURI('https://agents.test/4.json')).rejects.toThrow()
    expect(await read('tokenURI', tokenOf(result.agentId))).toBe('https://agents.test/3.json')
  })
})
