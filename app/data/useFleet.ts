import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Hex } from '../../protocol/hex.ts'
import type { Agent, Registry } from '../../protocol/registry.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import type { RelayerAgent } from '../api/relayerApi.ts'
import { useServices } from '../services.ts'
import { type AgentState, agentStateOf, type CoveringKill } from './agentState.ts'
import { useStore } from './useStore.ts'

/** An agent of the fleet: what the chain says, joined with what only the relayer knows. */
export type FleetAgent = {
  readonly uuid: string
  readonly spiffeId: string
  readonly agentType: string
  readonly owner: Hex
  /** Where it was found: the relayer's list is the fallback while the chain cannot be read. */
  readonly listedBy: 'chain' | 'relayer'
  readonly state: AgentState
  readonly kill: CoveringKill | null
  /** Null while the relayer is silent about it. */
  readonly live: RelayerAgent | null
}

export type Fleet = {
  readonly own: readonly FleetAgent[]
  /** Of wallets whose guardian this one is. */
  readonly guarded: readonly FleetAgent[]
  readonly source: 'chain' | 'relayer' | 'none'
  /** Why the relayer's part is missing or old. */
  readonly relayerError: unknown
  readonly chainError: unknown
  /** Share of the chain that is read, while its first reading runs. */
  readonly progress: number | null
}

/** ms between two looks at the agents' live data; large fleets are looked at less often. */
const lookInterval = (agents: number): number => (agents > 300 ? 5_000 : 2_000)

/** Owners whose guardian the account is at this time (Unix seconds). */
export function guardedOwners(registry: Registry, account: Hex, now: number): readonly Hex[] {
  const owners: Hex[] = []
  for (const [key, until] of registry.guardians) {
    const [owner, guardian] = key.split(':') as [Hex, Hex]
    if (guardian === account && until > now) owners.push(owner)
  }
  return owners
}

/** The relayer's live data of these wallets' agents. */
function useRelayerAgents(owners: readonly Hex[]) {
  const { api, rates } = useServices()
  return useQuery({
    queryKey: ['relayer agents', owners] as const,
    enabled: owners.length > 0,
    queryFn: async () => {
      const agents = (await Promise.all(owners.map((owner) => api.agents(owner)))).flat()
      for (const { spiffeId, requestsPerSecond } of agents) rates.note(spiffeId, requestsPerSecond)
      return new Map(agents.map((agent) => [agent.uuid, agent]))
    },
    // While guarded wallets come and go; another account's agents say nothing of this one's.
    placeholderData: (former, query) => (query?.queryKey[1]?.[0] === owners[0] ? former : undefined),
    refetchInterval: ({ state }) => lookInterval(state.data?.size ?? 0),
  })
}

/** Every agent that the account may stop, joined from chain, verified feed and relayer. */
export function useFleet(account: Hex | null): Fleet {
  const { chain, feed, kills, config } = useServices()
  const { registry, head, progress, error: chainError } = useStore(chain.view)
  const { table } = useStore(feed.view)
  const { kills: known } = useStore(kills.view)
  const guarded = useMemo(
    () => (registry === null || account === null ? [] : guardedOwners(registry, account, head?.time ?? 0)),
    [registry, account, head?.time],
  )
  const owners = useMemo(() => (account === null ? [] : [account, ...guarded]), [account, guarded])
  const { data: live, error: relayerError } = useRelayerAgents(owners)

  return useMemo(() => {
    const rest = {
      relayerError,
      chainError,
      progress:
        progress === null || progress.of <= config.fromBlock
          ? null
          : Number(progress.block - config.fromBlock) / Number(progress.of - config.fromBlock),
    }
    const ofRelayer = (owner: Hex): readonly FleetAgent[] =>
      [...(live?.values() ?? [])]
        .filter((agent) => agent.owner === owner)
        .map((agent) => ({ ...agent, listedBy: 'relayer', kill: null, live: agent }))
    if (account === null) return { own: [], guarded: [], source: 'none', ...rest }
    if (registry === null) {
      const source = live === undefined ? 'none' : 'relayer'
      return { own: ofRelayer(account), guarded: [], source, ...rest }
    }
    const view = (agent: Agent & { readonly agentType: string }): FleetAgent => ({
      uuid: agent.uuid,
      spiffeId: formatSpiffeId({ trustDomain: config.trustDomain, type: agent.agentType, name: agent.uuid }),
      agentType: agent.agentType,
      owner: agent.owner,
      listedBy: 'chain',
      ...agentStateOf(agent, registry, table, known),
      live: live?.get(agent.uuid) ?? null,
    })
    const of = (owner: Hex): readonly FleetAgent[] =>
      [...(registry.agentsByOwner.get(owner) ?? [])].flatMap((uuid) => {
        const agent = registry.agents.get(uuid)
        // Without a type it has no identity yet: nothing runs as it.
        return agent === undefined || agent.agentType === null
          ? []
          : [view({ ...agent, agentType: agent.agentType })]
      })
    return { own: of(account), guarded: guarded.flatMap(of), source: 'chain', ...rest }
  }, [account, registry, table, known, live, guarded, relayerError, chainError, progress, config])
}
