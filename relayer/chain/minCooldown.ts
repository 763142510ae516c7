import { decodeFunctionResult, encodeFunctionData, type Hex } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Clock } from '../clock.ts'
import type { ChainLog } from './chainLog.ts'
import { createRpcPool } from './rpcPool.ts'
import { systemSchedule } from './schedule.ts'

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
 * Checks the life of SVIDs against the deployment (DESIGN: a cool-down is never less than the longest SVID life).
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
  },
): Promise<void> {
  const pool = createRpcPool({
    ...chain,
    chainId: chain.deployment.chainId,
    schedule: systemSchedule,
    random: Math.random,
  })
  try {
    const minCooldown = await pool.request({
      method: 'eth_call',
      params: [
        {
          to: chain.deployment.contract,
          data: encodeFunctionData({ abi: killSwitchAbi, functionName: 'minCooldown' }),
        },
        'latest',
      ],
      // A node that is still syncing may know of no contract either; the others are asked first.
      parse(result) {
        if (result === '0x') throw new NoKillSwitchError(chain.deployment)
        return decodeFunctionResult({ abi: killSwitchAbi, functionName: 'minCooldown', data: result as Hex })
      },
    })
    if (svidLife > minCooldown * 1000) throw new SvidLifeTooLongError(svidLife, minCooldown)
  } finally {
    pool.close()
  }
}
