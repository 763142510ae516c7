import type { Hex } from '../../protocol/hex.ts'
import { checkOrder, type KillOrder } from '../../protocol/order.ts'
import { targetKey } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { SignedOrder } from './chainPort.ts'
import { checkAuthority } from './checkAuthority.ts'
import type { Decisions } from './decisions.ts'
import type { KillState } from './killState.ts'
import { OrderRefusedError } from './orderRefused.ts'
import { isOpen, type KillRecord, type StoredOrder } from './record.ts'

/** Open orders of one authority for one subject. Each beyond changes nothing, and would cost memory and a write. */
const maxOpenOrders = 16

export type OrderRoadOptions = {
  readonly state: KillState
  readonly clock: Clock
  readonly verifySignature: (authority: Hex, digest: Hex, signature: Hex) => Promise<boolean>
  /** Told of each new order, to put it on chain. */
  readonly onOrder?: (kill: KillRecord) => void
}

/** How a signed order becomes a kill: verify, then decide. */
export function createOrderRoad(
  options: OrderRoadOptions,
  { serial, moment, put, decide, decideKills, auditOf, newKill, rowEntry }: Decisions,
): (signed: SignedOrder) => Promise<KillRecord> {
  const { state, clock, verifySignature } = options

  /**
   * The earlier record of an identical order, once it is durable. One that was first seen in a block becomes the order's
   * too, if its signature was checked: whoever brings it is promised that only a burn undoes it, also after a reorg.
   */
  const answerAgain = async (id: string, checked: SignedOrder | null): Promise<KillRecord> => {
    const kill = state.kills.get(id) as KillRecord
    if (checked !== null && kill.order === null && isOpen(kill)) {
      put({ ...kill, order: storedOrderOf(checked), durable: null })
      options.onOrder?.(state.kills.get(id) as KillRecord)
    }
    const again = state.kills.get(id) as KillRecord
    if (again.durable !== null) return again
    const durable = await decide({ kills: [again] })
    return put({ ...again, durable: kill.durable ?? durable, published: kill.published ?? durable })
  }

  /** The kill that an identical order made. One that was withdrawn is over: the order is judged anew. */
  const twinOf = (digest: Hex): string | undefined => {
    const id = state.byDigest.get(digest)
    return id !== undefined && state.kills.get(id)?.withdrawn === null ? id : undefined
  }

  /** The latest of an authority's open orders for a subject, where there are so many that another changes nothing. */
  const standingOrder = (order: KillOrder): string | undefined => {
    const own = [...(state.origins.get(targetKey(order)) ?? [])].filter((id) => {
      const kill = state.kills.get(id) as KillRecord
      return kill.order !== null && kill.landing === null && kill.authority === order.authority
    })
    return own.length < maxOpenOrders ? undefined : own.at(-1)
  }

  return async (signed) => {
    const seen = moment()
    const { order, signature, digest } = signed
    const earlier = twinOf(digest)
    if (earlier !== undefined) {
      const isNews =
        state.kills.get(earlier)?.order === null && isOpen(state.kills.get(earlier) as KillRecord)
      const checked = isNews && (await verifySignature(order.authority, digest, signature)) ? signed : null
      return serial(() => answerAgain(earlier, checked), 'urgent')
    }
    const now = Math.floor(clock.wall() / 1000)
    checkOrder(order, BigInt(now))
    const nonceKey = `${order.authority}:${order.nonce}`
    checkAuthority(state.registry, order, digest, state.nonces.get(nonceKey), now)
    if (!(await verifySignature(order.authority, digest, signature))) {
      throw new OrderRefusedError(
        'bad signature',
        'signature',
        signature.slice(0, 140),
        `not a signature of ${order.authority} over ${digest}; sign the order for this chain and contract`,
      )
    }
    return serial(async () => {
      // Again: the chain, or another request, may have moved while the signature was checked.
      const twin = twinOf(digest)
      if (twin !== undefined) return answerAgain(twin, signed)
      const rank = checkAuthority(state.registry, order, digest, state.nonces.get(nonceKey), now)
      const { authority, scope, subject, reason, text } = order
      const standing = standingOrder(order)
      if (standing !== undefined) return answerAgain(standing, null)
      const kill = put(
        newKill(
          {
            authority,
            scope,
            subject,
            reason,
            text,
            rank,
            digest,
            order: storedOrderOf(signed),
            seen,
            landing: null,
            onChain: null,
          },
          1,
        ),
      )
      const entry = rowEntry(kill)
      const changes = {
        kills: [kill],
        rows: [entry],
        announcements: [{ type: 'kill', row: entry.row }],
        audit: [auditOf('kill', kill, { origin: 'order', digest })],
      } as const
      try {
        await decideKills([kill], changes)
      } finally {
        options.onOrder?.(state.kills.get(kill.id) as KillRecord)
      }
      return state.kills.get(kill.id) as KillRecord
    }, 'urgent')
  }
}

const storedOrderOf = ({ order, digest, signature }: SignedOrder): StoredOrder => ({
  digest,
  signature,
  message: {
    ...order,
    issuedAt: String(order.issuedAt),
    deadline: String(order.deadline),
    nonce: String(order.nonce),
  },
})
