import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { useStore } from '../data/useStore.ts'
import { headInterval, type Services, useServices } from '../services.ts'
import { createStore } from '../store.ts'
import type { Governance } from './governance.ts'
import {
  createGovernanceFollower,
  type GovernanceFollower,
  type GovernanceView,
} from './governanceFollower.ts'

/** Made when the first of these pages is opened: nothing else needs these logs. */
const followers = new WeakMap<Services, GovernanceFollower>()

function followerOf(services: Services, contracts: GovernedContracts): GovernanceFollower {
  const known = followers.get(services)
  if (known !== undefined) return known
  const { client, config } = services
  const made = createGovernanceFollower({
    client,
    contracts,
    fromBlock: config.fromBlock,
    interval: headInterval(config.deployment.chainId),
    now: Date.now,
  })
  followers.set(services, made)
  made.start()
  return made
}

const none = createStore<GovernanceView>({
  governance: null,
  head: null,
  progress: null,
  error: null,
  readAt: null,
})

/** What token holders govern, as far as it is read; null where they govern nothing. */
export function useGovernanceView(): (GovernanceView & { readonly follower: GovernanceFollower }) | null {
  const services = useServices()
  const contracts = services.config.governance
  const follower = contracts === null ? null : followerOf(services, contracts)
  const view = useStore(follower?.view ?? none)
  return follower === null ? null : { ...view, follower }
}

/** What a page about votes has once everything is read. */
export type Voting = {
  readonly contracts: GovernedContracts
  readonly governance: Governance
  /** Unix seconds: the chain's clock, carried on by this machine's since its head was seen. */
  readonly now: number
  /** Reads now what changed. */
  refresh(): Promise<void>
}
