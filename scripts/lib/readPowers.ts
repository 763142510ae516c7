import type { Hex } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Chain } from '../../sdk/cli/chain.ts'
import { readRegistry } from '../../sdk/cli/registryReader.ts'
import { type DeployConfig, zeroAddress } from './deployContracts.ts'

/** One power (or term) of a deployment: who holds it according to the chain, and who should. */
export type Power = {
  readonly name: string
  readonly may: string
  readonly found: string
  readonly expected: string
  readonly ok: boolean
}

/**
 * Reads every power from the contract and compares it with what was asked for.
 * @param breakers who should be admitted as breaker
 */
export async function readPowers(
  chain: Chain,
  config: DeployConfig,
  breakers: readonly Hex[] = [],
): Promise<readonly Power[]> {
  const { client, deployment } = chain
  const read = { address: deployment.contract, abi: killSwitchAbi } as const
  const { registry } = await readRegistry(chain, () => {})
  const admitted = await Promise.all(
    // The events name the candidates, the contract's own answer counts.
    [...new Set([...registry.breakers, ...breakers])].map(async (account) =>
      (await client.readContract({ ...read, functionName: 'isBreaker', args: [account] })) ? [account] : [],
    ),
  )
  const cooldown = (rank: number) =>
    client.readContract({ ...read, functionName: 'cooldownOf', args: [rank] }).then(String)
  const list = (accounts: readonly string[]) =>
    accounts.length === 0 ? 'nobody' : [...accounts].sort().join(', ')
  const holder = (address: string | null) =>
    address === null || address === zeroAddress ? 'nobody' : address.toLowerCase()
  const power = (name: string, may: string, found: string, expected: string): Power => ({
    name,
    may,
    found,
    expected,
    ok: found === expected,
  })
  const [governance, pending, council, emergencyGovernor, trustDomain, minCooldown, ...cooldowns] =
    await Promise.all([
      client.readContract({ ...read, functionName: 'governance' }),
      client.readContract({ ...read, functionName: 'pendingGovernance' }),
      client.readContract({ ...read, functionName: 'council' }),
      client.readContract({ ...read, functionName: 'emergencyGovernor' }),
      client.readContract({ ...read, functionName: 'trustDomain' }),
      client.readContract({ ...read, functionName: 'minCooldown' }).then(String),
      ...[1, 2, 3, 4].map(cooldown),
    ])
  const { cooldowns: asked } = config
  const wanted = [asked.breaker, asked.owner, asked.council, asked.governance]
  return [
    power(
      'governance',
      'names the other powers, resumes everything',
      holder(governance),
      holder(config.governance),
    ),
    power('pending governance', 'may take governance over', holder(pending), 'nobody'),
    power('council', 'kills everything, resumes up to its rank', holder(council), holder(config.council)),
    power(
      'emergency governor',
      'kills everything',
      holder(emergencyGovernor),
      holder(config.emergencyGovernor),
    ),
    power(
      'breakers',
      'kill single agents',
      list(admitted.flat()),
      list(breakers.map((one) => one.toLowerCase())),
    ),
    power('trust domain', '', trustDomain, config.trustDomain),
    power('least cool-down', 'seconds', minCooldown, String(config.minCooldown)),
    ...['Breaker', 'Owner', 'Council', 'Governance'].map((rank, i) =>
      power(`cool-down ${rank}`, 'seconds', cooldowns[i] as string, String(wanted[i])),
    ),
  ]
}
