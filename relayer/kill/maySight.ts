import { type KillOrder, maxOrderSkew } from '../../protocol/order.ts'
import { killRankOf, type Registry, type RegistryEvent } from '../../protocol/registry.ts'
import { checkStanding } from './checkAuthority.ts'
import { OrderRefusedError } from './orderRefused.ts'

/**
 * Whether a kill may act on the word of one RPC, given that its authority once signed it: the authority may kill the
 * subject at that rank by what is granted, and the order could still land.
 * @param order null where the authority signed no order but the transaction
 * @param now Unix seconds
 */
export function maySight(
  registry: Registry,
  event: RegistryEvent & { readonly type: 'Killed' },
  order: KillOrder | null,
  now: number,
): boolean {
  if (killRankOf(registry, event.authority, event, now) !== event.rank) return false
  if (order === null || event.orderDigest === null) return true
  // A block of the order's last seconds arrives after its deadline.
  if (BigInt(now) > order.deadline + maxOrderSkew) return false
  try {
    checkStanding(registry, order, event.orderDigest, undefined, now)
    return true
  } catch (error) {
    if (error instanceof OrderRefusedError) return false
    throw error
  }
}
