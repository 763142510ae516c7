import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { localPace } from '../../protocol/governance/settings.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { deployGoverned } from '../../scripts/lib/deployGoverned.ts'
import { type Chain, roles } from '../differential/chain.ts'

/** Tokens, in their smallest unit; all belong to `roles.sender` at first. */
export const supply = 10n ** 24n

/** Everything that token holders govern, at the local pace, with every cool-down a second. */
export async function deployGovernance(chain: Chain): Promise<GovernedContracts> {
  const { contracts } = await deployGoverned({
    transport: chain.transport,
    account: roles.sender,
    pollingInterval: 5,
    config: {
      trustDomain: 'killswitch.test',
      council: null,
      minCooldown: 1,
      cooldowns: { breaker: 1, owner: 1, council: 1, governance: 1 },
    },
    governance: {
      ...localPace,
      holder: roles.sender.address,
      supply,
      defaultPolicy: initialPolicy,
      subscriptions: { currency: null, interval: 10, leastInterval: 1, samples: 6, freeQuota: 3 },
    },
  })
  return contracts
}
