import { decodeFunctionResult, encodeFunctionData, type Hex } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Clock } from '../clock.ts'
import { type Schedule, systemSchedule } from '../schedule.ts'
import type { ChainLog } from './chainLog.ts'
import { createAgreement } from './rpc/majority.ts'
import type { Rpc } from './rpc/rpc.ts'
import { createRpcPool } from './rpc/rpcPool.ts'

/** The relayer's SVIDs would outlive the contract's least cool-down: a resume could find old ones still valid. */
export class SvidLifeTooLongError extends Error {
  override readonly name = 'SvidLifeTooLongError'
  /** ms */
  readonly svidLife: number
  /** s */
  readonly minCooldown: number
  constructor(svidLife: number, minCooldown: number) {
    super(
      `SVIDs may live ${minCooldown} s at most in this deployment (its least cool-down), not ${svidLife / 1000}; choose less with --svid-life`,
    )
    this.svidLife = svidLife
    this.minCooldown = minCooldown
  }
}

/** Nothing answers at the contract's address as a KillSwitch would. */
export class NoKillSwitchError extends Error {
  override readonly name = 'NoKillSwitchError'
  readonly deployment: Deployment
  constructor(deployment: Deployment) {
    super(
      `there is no KillSwitch at ${deployment.contract} on chain ${deployment.chainId}; check --contract, --chain-id and --rpc`,
    )
    this.deployment = deployment
  }
}

/**
 * Checks the life of SVIDs against the deployment (DESIGN: a cool-down is never less than the longest SVID life), as a
 * majority of the RPCs tells it: one that is still syncing may know of no contract.
 * @param svidLife ms
 * @throws {SvidLifeTooLongError}
 * @throws {NoKillSwitchError}
 */
export async function checkSvidLife(
  svidLife: number,
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
  const agree = createAgreement(pool.rpcs, schedule, log)
  try {
    const data = encodeFunctionData({ abi: killSwitchAbi, functionName: 'minCooldown' })
    const minCooldown = await agree({
      method: 'eth_call',
      params: [{ to: deployment.contract, data }, 'latest'],
      key: String,
      parse: (result) =>
        result === '0x'
          ? null
          : decodeFunctionResult({ abi: killSwitchAbi, functionName: 'minCooldown', data: result as Hex }),
    })
    if (minCooldown === null) throw new NoKillSwitchError(deployment)
    if (svidLife > minCooldown * 1000) throw new SvidLifeTooLongError(svidLife, minCooldown)
  } finally {
    pool.close()
  }
}
