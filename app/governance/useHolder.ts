import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { readContract } from 'viem/actions'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { useServices } from '../services.ts'
import type { Voting } from './useGovernance.ts'

/** A wallet as voter; amounts in the token's smallest unit. */
export type Holder = {
  readonly balance: bigint
  /** To whom its tokens are delegated; null while they count for nobody. */
  readonly delegate: Hex | null
  /** Its votes now: what was delegated to it. */
  readonly power: bigint
}

/** ms between two looks */
const lookInterval = 4_000

/** A wallet's tokens and votes now, by the user's node; undefined while they are not known. */
export function useHolder(voting: Voting, account: Hex | null): Holder | undefined {
  const { client } = useServices()
  const { contracts, governance } = voting
  const { data } = useQuery({
    queryKey: ['holder', account, governance.events.length],
    enabled: account !== null,
    queryFn: async (): Promise<Holder> => {
      const token = { address: contracts.token, abi: killswitchTokenAbi, args: [account as Hex] } as const
      const [balance, delegate, power] = await Promise.all([
        readContract(client, { ...token, functionName: 'balanceOf' }),
        readContract(client, { ...token, functionName: 'delegates' }),
        readContract(client, { ...token, functionName: 'getVotes' }),
      ])
      const to = delegate.toLowerCase() as Hex
      return { balance, delegate: /^0x0*$/.test(to) ? null : to, power }
    },
    refetchInterval: lookInterval,
    placeholderData: keepPreviousData,
  })
  return account === null ? undefined : data
}

/**
 * A wallet's votes at a proposal's snapshot; undefined while it is not known, also before the snapshot is past.
 * @param snapshot Unix seconds
 */
export function usePowerAt(voting: Voting, account: Hex | null, snapshot: number): bigint | undefined {
  const { client } = useServices()
  const isPast = snapshot < voting.now
  const { data } = useQuery({
    queryKey: ['power', account, snapshot],
    enabled: account !== null && isPast,
    queryFn: () =>
      readContract(client, {
        address: voting.contracts.token,
        abi: killswitchTokenAbi,
        functionName: 'getPastVotes',
        args: [account as Hex, BigInt(snapshot)],
      }),
    // The node's head may be a block behind this page's clock, or the node be away for a while.
    retry: true,
    retryDelay: 1_000,
    staleTime: Number.POSITIVE_INFINITY,
  })
  return account === null ? undefined : data
}
