import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { readContract } from 'viem/actions'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { useServices } from '../services.ts'
import type { Voting } from './useGovernance.ts'

/** What a discount takes, from which balance on. Basis points; the token's smallest unit. */
export type DiscountStep = { readonly balance: bigint; readonly discount: number }

/** A wallet as subscriber: amounts in the smallest units, times in Unix seconds, durations in seconds. */
export type Subscriber = {
  readonly planId: number
  readonly paidUntil: number
  /** How many agents it may enrol now. */
  readonly quota: number
  readonly freeQuota: number
  /** Basis points. */
  readonly discount: number
  /** The least of its balances that count. */
  readonly held: bigint
  readonly steps: readonly DiscountStep[]
  readonly interval: number
  readonly samples: number
  readonly currency: {
    readonly address: Hex
    readonly symbol: string
    readonly decimals: number
    readonly balance: bigint
    /** What the contract may take. */
    readonly allowance: bigint
  }
}

/** ms between two looks */
const lookInterval = 4_000

/** A wallet's subscription by the user's node; undefined while it is not known. */
export function useSubscriber(
  { contracts, governance }: Voting,
  account: Hex,
): { readonly subscriber: Subscriber | undefined; readonly error: unknown; refresh(): Promise<void> } {
  const { client } = useServices()
  const { data, error, refetch } = useQuery({
    queryKey: ['subscriber', account, governance.events.length],
    queryFn: async (): Promise<Subscriber> => {
      const of = { address: contracts.subscriptions, abi: subscriptionsAbi } as const
      const [current, quota, freeQuota, discount, held, steps, sampling, currency] = await Promise.all([
        readContract(client, { ...of, functionName: 'subscriptionOf', args: [account] }),
        readContract(client, { ...of, functionName: 'quotaOf', args: [account] }),
        readContract(client, { ...of, functionName: 'freeQuota' }),
        readContract(client, { ...of, functionName: 'discountOf', args: [account] }),
        readContract(client, { ...of, functionName: 'heldBalanceOf', args: [account] }),
        readContract(client, { ...of, functionName: 'discounts' }),
        readContract(client, { ...of, functionName: 'sampling' }),
        readContract(client, { ...of, functionName: 'currency' }),
      ])
      // Any ERC-20: what is asked of it here is in the standard, as the token itself has it.
      const money = { address: currency, abi: killswitchTokenAbi } as const
      const [symbol, decimals, balance, allowance] = await Promise.all([
        readContract(client, { ...money, functionName: 'symbol' }),
        readContract(client, { ...money, functionName: 'decimals' }),
        readContract(client, { ...money, functionName: 'balanceOf', args: [account] }),
        readContract(client, {
          ...money,
          functionName: 'allowance',
          args: [account, contracts.subscriptions],
        }),
      ])
      return {
        planId: current.planId,
        paidUntil: current.paidUntil,
        quota,
        freeQuota,
        discount,
        held,
        steps: steps.map((step) => ({ balance: step.balance, discount: step.discount })),
        interval: sampling.interval,
        samples: sampling.samples,
        currency: { address: currency, symbol, decimals, balance, allowance },
      }
    },
    refetchInterval: lookInterval,
    placeholderData: keepPreviousData,
  })
  return {
    subscriber: data,
    error,
    refresh: async () => {
      await refetch()
    },
  }
}

/** What a plan costs the wallet now; null where it cannot be bought, with the reason. */
export function useCost(
  { contracts }: Voting,
  account: Hex,
  planId: number,
  periods: number,
): { readonly cost: bigint | undefined; readonly error: unknown } {
  const { client } = useServices()
  const { data, error } = useQuery({
    queryKey: ['cost', account, planId, periods],
    enabled: periods >= 1 && periods <= 65_535,
    queryFn: () =>
      readContract(client, {
        address: contracts.subscriptions,
        abi: subscriptionsAbi,
        functionName: 'costOf',
        args: [account, planId, periods],
      }),
    refetchInterval: lookInterval,
  })
  return { cost: error === null ? data : undefined, error }
}
