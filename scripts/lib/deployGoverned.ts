import { encodeDeployData, getContractAddress, type Hex } from 'viem'
import { emergencyGovernorAbi } from '../../protocol/generated/emergencyGovernorAbi.ts'
import { emergencyGovernorBytecode } from '../../protocol/generated/emergencyGovernorBytecode.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killPoliciesBytecode } from '../../protocol/generated/killPoliciesBytecode.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killSwitchBytecode } from '../../protocol/generated/killSwitchBytecode.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { killswitchTokenBytecode } from '../../protocol/generated/killswitchTokenBytecode.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { policyGovernorBytecode } from '../../protocol/generated/policyGovernorBytecode.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import { subscriptionsBytecode } from '../../protocol/generated/subscriptionsBytecode.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import {
  checkDeployConfig,
  type DeployConfig,
  type Deployed,
  DeployFailedError,
  type DeployOptions,
  killSwitchArguments,
  openWallet,
  zeroAddress,
} from './deployContracts.ts'
import { checkGovernanceConfig, type GovernanceConfig } from './governanceConfig.ts'

export type DeployedGoverned = Deployed & { readonly contracts: GovernedContracts }

/** Another transaction of the deployer came between, so the contracts would not know each other. */
export class DeployInterruptedError extends Error {
  override readonly name = 'DeployInterruptedError'
  readonly contract: string
  constructor(contract: string, found: Hex, expected: Hex) {
    super(
      `${contract} stands at ${found} instead of ${expected}: the key sent something else meanwhile; deploy again with a key that is used for nothing else`,
    )
    this.contract = contract
  }
}

/**
 * Deploys everything that token holders govern. Each contract is told at its deployment whom it obeys (addresses follow from
 * the deployer's nonces), so the deployer never holds a power that it would have to give away.
 * @throws {DeployConfigError} before anything is sent
 * @throws {DeployFailedError | DeployInterruptedError}
 */
export async function deployGoverned(
  options: DeployOptions & {
    readonly config: Omit<DeployConfig, 'governance' | 'emergencyGovernor'>
    readonly governance: GovernanceConfig
  },
): Promise<DeployedGoverned> {
  const { transport, account, governance, pollingInterval = 250 } = options
  const { chainId, client, wallet } = await openWallet(transport, account, pollingInterval)
  const nonce = await client.getTransactionCount({ address: account.address, blockTag: 'pending' })
  const place = (offset: number) =>
    getContractAddress({ from: account.address, nonce: BigInt(nonce + offset) }).toLowerCase() as Hex
  const policyGovernor = place(1)
  const contracts: GovernedContracts = {
    token: place(0),
    policyGovernor,
    // The governor's constructor makes it: the first creation of a contract has nonce 1 (EIP-161).
    timelock: getContractAddress({ from: policyGovernor, nonce: 1n }).toLowerCase() as Hex,
    emergencyGovernor: place(2),
    killSwitch: place(3),
    killPolicies: place(4),
    subscriptions: place(5),
  }
  const config: DeployConfig = {
    ...options.config,
    governance: contracts.timelock,
    emergencyGovernor: contracts.emergencyGovernor,
  }
  checkDeployConfig(config)
  checkGovernanceConfig(governance, config.minCooldown)

  const { policy, emergency, subscriptions } = governance
  const share = (millionths: number) => (governance.supply * BigInt(millionths)) / 1_000_000n
  const steps: readonly (readonly [keyof GovernedContracts, () => Hex])[] = [
    [
      'token',
      () =>
        encodeDeployData({
          abi: killswitchTokenAbi,
          bytecode: killswitchTokenBytecode,
          args: [governance.holder, governance.supply],
        }),
    ],
    [
      'policyGovernor',
      () =>
        encodeDeployData({
          abi: policyGovernorAbi,
          bytecode: policyGovernorBytecode,
          args: [
            contracts.token,
            contracts.killSwitch,
            {
              votingDelay: policy.votingDelay,
              votingPeriod: policy.votingPeriod,
              voteExtension: policy.voteExtension,
              timelockDelay: policy.timelockDelay,
              proposalThreshold: share(policy.proposalThreshold),
              quorumNumerator: BigInt(policy.quorum),
            },
            policy.floors,
            policy.floors.timelockDelay,
          ],
        }),
    ],
    [
      'emergencyGovernor',
      () =>
        encodeDeployData({
          abi: emergencyGovernorAbi,
          bytecode: emergencyGovernorBytecode,
          args: [
            contracts.token,
            contracts.killSwitch,
            {
              votingDelay: emergency.votingDelay,
              votingPeriod: emergency.votingPeriod,
              proposalThreshold: share(emergency.proposalThreshold),
              quorumNumerator: BigInt(emergency.quorum),
              superQuorumNumerator: BigInt(emergency.superQuorum),
            },
            emergency.floors,
          ],
        }),
    ],
    [
      'killSwitch',
      () =>
        encodeDeployData({
          abi: killSwitchAbi,
          bytecode: killSwitchBytecode,
          args: killSwitchArguments(config),
        }),
    ],
    [
      'killPolicies',
      () =>
        encodeDeployData({
          abi: killPoliciesAbi,
          bytecode: killPoliciesBytecode,
          args: [contracts.killSwitch, toPolicyStruct(governance.defaultPolicy)],
        }),
    ],
    [
      'subscriptions',
      () =>
        encodeDeployData({
          abi: subscriptionsAbi,
          bytecode: subscriptionsBytecode,
          args: [
            contracts.killSwitch,
            subscriptions.currency ?? contracts.token,
            contracts.token,
            subscriptions.leastInterval,
            { interval: subscriptions.interval, samples: subscriptions.samples },
            subscriptions.freeQuota,
          ],
        }),
    ],
  ]
  let gasUsed = 0n
  let first: bigint | undefined
  let txHash: Hex = zeroAddress
  for (const [offset, [name, data]] of steps.entries()) {
    const hash = await wallet.sendTransaction({ data: data(), nonce: nonce + offset })
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 180_000 })
    if (receipt.status !== 'success' || receipt.contractAddress == null) throw new DeployFailedError(hash)
    const found = receipt.contractAddress.toLowerCase() as Hex
    if (found !== contracts[name]) throw new DeployInterruptedError(name, found, contracts[name])
    gasUsed += receipt.gasUsed
    first ??= receipt.blockNumber
    if (name === 'killSwitch') txHash = hash
  }
  return {
    deployment: { chainId, contract: contracts.killSwitch },
    block: first ?? 0n,
    txHash,
    gasUsed,
    contracts,
  }
}
