import { encodeFunctionData } from 'viem'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { Clock } from '../clock.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { createAgreement } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { isRevert } from './rpc/rpcErrors.ts'
import { createRpcPool } from './rpc/rpcPool.ts'

/** What `killSwitch()` does not tell apart: what only this kind of contract answers. */
const kinds = {
  KillPolicies: {
    option: '--kill-policies',
    killSwitch: encodeFunctionData({ abi: killPoliciesAbi, functionName: 'killSwitch' }),
    own: encodeFunctionData({ abi: killPoliciesAbi, functionName: 'DEFAULT' }),
  },
  Subscriptions: {
    option: '--subscriptions',
    killSwitch: encodeFunctionData({ abi: subscriptionsAbi, functionName: 'killSwitch' }),
    own: encodeFunctionData({ abi: subscriptionsAbi, functionName: 'freeQuota' }),
  },
} as const

export type GovernedContract = { readonly kind: keyof typeof kinds; readonly contract: Hex }

/** Nothing answers at the address as such a contract would. */
export class NoGovernedContractError extends Error {
  override readonly name = 'NoGovernedContractError'
  readonly contract: Hex
  readonly kind: GovernedContract['kind']
  /** What answered instead; `0x` for nothing. */
  readonly value: unknown
  constructor({ kind, contract }: GovernedContract, chainId: number, value: unknown) {
    super(
      `there is no ${kind} contract at ${contract} on chain ${chainId} (it answers ${value}); check ${kinds[kind].option}`,
    )
    this.contract = contract
    this.kind = kind
    this.value = value
  }
}

/** The contract belongs to another KillSwitch: its policies or quotas are those of other agents. */
export class OtherKillSwitchError extends Error {
  override readonly name = 'OtherKillSwitchError'
  readonly contract: Hex
  readonly kind: GovernedContract['kind']
  /** The KillSwitch that it names. */
  readonly killSwitch: Hex
  constructor({ kind, contract }: GovernedContract, killSwitch: Hex, deployment: Deployment) {
    super(
      `the ${kind} contract ${contract} belongs to the KillSwitch ${killSwitch}, not to ${deploymentId(deployment)}; check ${kinds[kind].option} and --contract`,
    )
    this.contract = contract
    this.kind = kind
    this.killSwitch = killSwitch
  }
}

/** That a call reverts is an answer, which a majority has to give like any other. */
const revertsAnswer = (rpc: Rpc): Rpc => ({
  ...rpc,
  async request(method, params, timeout) {
    try {
      return await rpc.request(method, params, timeout)
    } catch (error) {
      if (isRevert(error)) return '0x'
      throw error
    }
  },
})

/**
 * Checks that the contracts are what the operator takes them for, and the deployment's own, as a majority of the RPCs tells
 * it at their head: one that is still syncing may know of no contract.
 * @throws {NoGovernedContractError}
 * @throws {OtherKillSwitchError}
 * @throws what a majority of the RPCs fails of, where none answers alike
 */
export async function checkGovernedContracts(
  contracts: readonly GovernedContract[],
  chain: {
    readonly rpcs: readonly string[]
    readonly deployment: Deployment
    readonly clock: Clock
    readonly log: ChainLog
    readonly schedule?: Schedule
    /** Opens a connection to an RPC; by its address's scheme unless given. */
    readonly connect?: (url: string) => Rpc
  },
): Promise<void> {
  const { deployment, log } = chain
  const schedule = chain.schedule ?? systemSchedule
  const pool = createRpcPool({ ...chain, chainId: deployment.chainId, schedule, random: Math.random })
  const agree = createAgreement(pool.rpcs.map(revertsAnswer), schedule, log)
  const ask = (to: Hex, data: Hex) =>
    agree({ method: 'eth_call', params: [{ to, data }, 'latest'], key: String, parse: (result) => result })
  try {
    for (const governed of contracts) {
      const { killSwitch, own } = kinds[governed.kind]
      const [named, answer] = await Promise.all([
        ask(governed.contract, killSwitch),
        ask(governed.contract, own),
      ])
      const address = /^0x0{24}([0-9a-f]{40})$/i.exec(String(named))?.[1]?.toLowerCase()
      if (address === undefined) throw new NoGovernedContractError(governed, deployment.chainId, named)
      if (!/^0x[0-9a-f]{64}$/i.test(String(answer)))
        throw new NoGovernedContractError(governed, deployment.chainId, answer)
      if (address !== deployment.contract.slice(2).toLowerCase())
        throw new OtherKillSwitchError(governed, `0x${address}`, deployment)
    }
  } finally {
    pool.close()
  }
}
