import {
  emergencyFloorBounds,
  emergencyGovernorBounds,
  type Pace,
  policyFloorBounds,
  policyGovernorBounds,
} from '../../protocol/governance/settings.ts'
import type { Hex } from '../../protocol/hex.ts'
import { policyProblems, type Range } from '../../protocol/policy/bounds.ts'
import type { KillPolicy } from '../../protocol/policy/killPolicy.ts'
import { DeployConfigError } from './deployContracts.ts'

/** What a Killswitch that token holders govern is deployed with, beside the KillSwitch's own. */
export type GovernanceConfig = Pace & {
  /** Who gets the whole supply. */
  readonly holder: Hex
  /** In the smallest unit, 10^-18 of a token. */
  readonly supply: bigint
  readonly defaultPolicy: KillPolicy
  readonly subscriptions: {
    /** An ERC-20; null for the governance token itself. */
    readonly currency: Hex | null
    /** Seconds between two balances that count for a discount: at first, and at least. */
    readonly interval: number
    readonly leastInterval: number
    readonly samples: number
    readonly freeQuota: number
  }
}

/** What the contracts would refuse, found before anything is paid for. @throws {DeployConfigError} */
export function checkGovernanceConfig(config: GovernanceConfig, minCooldown: number): void {
  if (!/^0x[0-9a-fA-F]{40}$/.test(config.holder) || BigInt(config.holder) === 0n)
    throw new DeployConfigError('holder', 'must be an address, not zero: nobody could ever vote')
  // Thresholds are millionths of the supply and must not vanish.
  if (config.supply < 10n ** 6n || config.supply >= 2n ** 208n)
    throw new DeployConfigError('supply', 'must be from 10^6 to 2^208 - 1 of the smallest unit')
  const within = (prefix: string, values: object, bounds: Readonly<Record<string, Range>>) => {
    for (const [name, { least, most }] of Object.entries(bounds)) {
      const value = (values as Readonly<Record<string, number>>)[name]
      if (value === undefined || !Number.isInteger(value) || value < least || value > most)
        throw new DeployConfigError(`${prefix}.${name}`, `must be a whole number from ${least} to ${most}`)
    }
  }
  within('policy.floors', config.policy.floors, policyFloorBounds)
  within('policy', config.policy, policyGovernorBounds(config.policy))
  within('emergency.floors', config.emergency.floors, emergencyFloorBounds)
  within('emergency', config.emergency, emergencyGovernorBounds(config.emergency))
  within('subscriptions', config.subscriptions, {
    leastInterval: { least: 1, most: 30 * 86_400 },
    interval: { least: config.subscriptions.leastInterval, most: 30 * 86_400 },
    samples: { least: 3, most: 32 },
    freeQuota: { least: 0, most: 1000 },
  })
  const [problem] = policyProblems(config.defaultPolicy, minCooldown)
  if (problem !== undefined)
    throw new DeployConfigError(
      `defaultPolicy.${problem.field}`,
      'range' in problem
        ? `must be a whole number from ${problem.range.least} to ${problem.range.most}`
        : `is ${problem.problem}`,
    )
}
