import { useQuery } from '@tanstack/react-query'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { useServices } from '../services.ts'
import { readLinkFaults } from './contractLinks.ts'

/** What does not fit among the contracts of the configuration; undefined until the node has said it once. */
export function useLinkFaults(contracts: GovernedContracts | null): readonly string[] | undefined {
  const { client } = useServices()
  return useQuery({
    queryKey: ['contract links'],
    enabled: contracts !== null,
    queryFn: () => readLinkFaults(client, contracts as GovernedContracts),
    // What is asked for never changes, but for the role, which its timelock gives to nobody else.
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: 2_000,
  }).data
}
