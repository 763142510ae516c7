import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { killRankOf, ownsAgent, type Registry, stateIn } from '../../protocol/registry.ts'
import { Scope, scopeName, subjectLabel } from '../../protocol/scope.ts'
import { OrderRefusedError } from './orderRefused.ts'

/**
 * What the chain at the grant point says against an order; its signature comes afterwards, being dearer.
 * @param now Unix seconds
 * @returns the rank with which it kills
 * @throws {OrderRefusedError}; `order` has passed `checkOrder`
 */
export function checkAuthority(
  registry: Registry,
  order: KillOrder,
  digest: Hex,
  usedBy: Hex | undefined,
  now: number,
): Rank {
  const { authority } = order
  const label = subjectLabel(order)
  if (order.scope === Scope.Agent && !registry.agents.has(label)) {
    throw new OrderRefusedError(
      'unknown agent',
      'order.subject',
      label,
      `agent ${label} is not registered at the grant point`,
    )
  }
  const rank = killRankOf(registry, authority, order, now)
  if (rank === Rank.None) {
    throw new OrderRefusedError(
      'not authorized',
      'order.authority',
      authority,
      `${authority} may not kill ${scopeName(order.scope)} ${label}; only its owner, guardians and the higher authorities may`,
    )
  }
  // Free wallets: an Owner scope without agents would cost the relayer gas for nothing.
  if (order.scope === Scope.Owner && !ownsAgent(registry, label as Hex)) {
    throw new OrderRefusedError(
      'unknown wallet',
      'order.subject',
      label,
      `${label} owns no agent at the grant point; kill by transaction instead`,
    )
  }
  checkStanding(registry, order, digest, usedBy, now)
  return rank
}

/**
 * Whether an order still holds: not from before a resume, burnt, landed, nor of a nonce that another order has.
 * @param now Unix seconds
 * @throws {OrderRefusedError}
 */
export function checkStanding(
  registry: Registry,
  order: KillOrder,
  digest: Hex,
  usedBy: Hex | undefined,
  now: number,
): void {
  const { authority, nonce } = order
  const { resumeRequestTime } = stateIn(registry)(order)
  if (order.issuedAt < BigInt(resumeRequestTime)) {
    throw new OrderRefusedError(
      'superseded',
      'order.issuedAt',
      order.issuedAt,
      `the subject was resumed by a request of ${resumeRequestTime}, after this order; sign a new one`,
    )
  }
  const burntFrom = registry.burntOrders.get(digest)
  if (burntFrom !== undefined && burntFrom <= now) {
    throw new OrderRefusedError(
      'burnt',
      'order.nonce',
      nonce,
      `the order was burnt from ${burntFrom} on; sign a new order`,
    )
  }
  const landed = registry.landedOrders.get(digest)
  if (landed !== undefined) {
    throw new OrderRefusedError(
      'replayed',
      'order.nonce',
      nonce,
      `the order landed before, as sequence ${landed}; sign a new one to kill again`,
    )
  }
  if (registry.landedNonces.has(`${authority}:${nonce}`) || (usedBy !== undefined && usedBy !== digest)) {
    throw new OrderRefusedError(
      'replayed',
      'order.nonce',
      nonce,
      'another order of this authority has the nonce; choose a random one',
    )
  }
}
