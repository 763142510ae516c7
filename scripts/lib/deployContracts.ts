import {
  createPublicClient,
  createWalletClient,
  defineChain,
  type Hex,
  type LocalAccount,
  type Transport,
} from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'
import { isTrustDomain } from '../../protocol/spiffeId.ts'

/** Cool-downs of kills by the rank of their authority, in seconds. */
export type Cooldowns = {
  readonly breaker: number
  readonly owner: number
  readonly council: number
  readonly governance: number
}

/** What a KillSwitch is deployed with. */
export type DeployConfig = {
  readonly trustDomain: string
  /** Decides who holds which power; it must be able to act, so it is never zero. */
  readonly governance: Hex
  /** Null for a vacant office. */
  readonly council: Hex | null
  readonly emergencyGovernor: Hex | null
  /** The least cool-down, in seconds: the longest life of an SVID. */
  readonly minCooldown: number
  readonly cooldowns: Cooldowns
}

export const zeroAddress: Hex = `0x${'0'.repeat(40)}`

/** The longest `minCooldown` and the longest cool-down that the contract takes, in seconds. */
export const maxMinCooldown = 86_400
export const maxCooldown = 30 * 86_400

/** SVIDs live for 5 minutes; the higher an authority, the longer is thought before its kill is lifted. */
export const defaultCooldowns: Cooldowns = { breaker: 300, owner: 900, council: 86_400, governance: 172_800 }
export const defaultMinCooldown = 300

export class DeployConfigError extends Error {
  override readonly name = 'DeployConfigError'
  readonly field: string
  constructor(field: string, why: string) {
    super(`${field} ${why}`)
    this.field = field
  }
}

/** What the contract would refuse, found before anything is paid for. @throws {DeployConfigError} */
export function checkDeployConfig(config: DeployConfig): void {
  if (!isTrustDomain(config.trustDomain))
    throw new DeployConfigError('trustDomain', 'must be [a-z0-9._-]{1,255}')
  for (const field of ['governance', 'council', 'emergencyGovernor'] as const) {
    const value = config[field]
    if (value !== null && !/^0x[0-9a-fA-F]{40}$/.test(value))
      throw new DeployConfigError(field, 'must be an address')
  }
  if (BigInt(config.governance) === 0n)
    throw new DeployConfigError(
      'governance',
      'must not be the zero address: nobody could ever resume or hand over',
    )
  const within = (field: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new DeployConfigError(field, `must be a whole number of seconds from ${least} to ${most}`)
  }
  within('minCooldown', config.minCooldown, 1, maxMinCooldown)
  for (const rank of ['breaker', 'owner', 'council', 'governance'] as const)
    within(`cooldowns.${rank}`, config.cooldowns[rank], config.minCooldown, maxCooldown)
}

export type Deployed = {
  readonly deployment: Deployment
  readonly block: bigint
  readonly txHash: Hex
  readonly gasUsed: bigint
}

/** The deployment got into a block and failed there. */
export class DeployFailedError extends Error {
  override readonly name = 'DeployFailedError'
  readonly txHash: Hex
  constructor(txHash: Hex) {
    super(`the deployment ${txHash} failed on the chain`)
    this.txHash = txHash
  }
}

/** A wallet on the chain that the transport leads to, whatever chain that is. */
export async function openWallet(transport: Transport, account: LocalAccount, pollingInterval: number) {
  const chainId = await createPublicClient({ transport }).getChainId()
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  })
  return {
    chainId,
    client: createPublicClient({ transport, chain, pollingInterval }),
    wallet: createWalletClient({ account, transport, chain }),
  }
}

/** Arguments of the KillSwitch's constructor. */
export const killSwitchArguments = (config: DeployConfig) => {
  const { breaker, owner, council, governance } = config.cooldowns
  return [
    {
      trustDomain: config.trustDomain,
      governance: config.governance,
      council: config.council ?? zeroAddress,
      emergencyGovernor: config.emergencyGovernor ?? zeroAddress,
      minCooldown: config.minCooldown,
      cooldowns: [breaker, owner, council, governance],
    },
  ] as const
}

export type DeployOptions = {
  readonly transport: Transport
  readonly account: LocalAccount
  /** How often the receipt is asked for, in ms. */
  readonly pollingInterval?: number
}

/**
 * Deploys the KillSwitch alone and waits until it is in a block.
 * @throws {DeployConfigError} before anything is sent
 * @throws {DeployFailedError}
 */
export async function deployContracts(
  options: DeployOptions & { readonly config: DeployConfig },
): Promise<Deployed> {
  const { transport, account, config, pollingInterval = 250 } = options
  checkDeployConfig(config)
  const { chainId, client, wallet } = await openWallet(transport, account, pollingInterval)
  const txHash = await wallet.deployContract({
    abi: killSwitchAbi,
    bytecode: killSwitchBytecode,
    args: killSwitchArguments(config),
  })
  const receipt = await client.waitForTransactionReceipt({ hash: txHash, timeout: 180_000 })
  if (receipt.status !== 'success' || receipt.contractAddress == null) throw new DeployFailedError(txHash)
  return {
    deployment: { chainId, contract: receipt.contractAddress.toLowerCase() as Hex },
    block: receipt.blockNumber,
    txHash,
    gasUsed: receipt.gasUsed,
  }
}
