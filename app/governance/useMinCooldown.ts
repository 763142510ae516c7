import { useQuery } from '@tanstack/react-query'
import { readContract } from 'viem/actions'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { useServices } from '../services.ts'

/** The KillSwitch's least cool-down in seconds, which never changes; undefined while it is read. */
export function useMinCooldown(): number | undefined {
  const { client, config } = useServices()
  const { data } = useQuery({
    queryKey: ['minCooldown'],
    queryFn: async () =>
      Number(
        await readContract(client, {
          address: config.deployment.contract,
          abi: killSwitchAbi,
          functionName: 'minCooldown',
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: true,
    retryDelay: 2_000,
  })
  return data
}
