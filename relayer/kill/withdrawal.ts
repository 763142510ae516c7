import { type Registry, stateIn } from '../../protocol/registry.ts'
import type { ChainBlockHeader } from './chainPort.ts'
import type { KillRecord, WithdrawalReason } from './record.ts'

/**
 * Why an open kill is withdrawn as the grant point reaches a block; null while it stands (DESIGN, section 3).
 *
 * 1. An order that has not landed is void once it is burnt, or once its subject was resumed by a request after it was
 *    issued. Its deadline alone does not undo it.
 * 2. A kill by transaction goes once finality has passed both the height of the block that held it and the moment at
 *    which it was sent again: until then it may come back.
 */
export function withdrawalOf(
  kill: KillRecord,
  registry: Registry,
  grantPoint: ChainBlockHeader,
): WithdrawalReason | null {
  if (kill.landing !== null) return null
  if (kill.order === null) {
    const { orphaned, rebroadcast } = kill
    if (orphaned === null || orphaned.height > grantPoint.number) return null
    const sentAgain = rebroadcast?.done === true && rebroadcast.at >= orphaned.at
    return sentAgain && rebroadcast.at <= grantPoint.time * 1000 ? 'dropped by a reorg' : null
  }
  const burntFrom = registry.burntOrders.get(kill.order.digest)
  if (burntFrom !== undefined && burntFrom <= grantPoint.time) return 'burnt'
  const issuedAt = Number(kill.order.message.issuedAt)
  return issuedAt < stateIn(registry)(kill).resumeRequestTime ? 'superseded' : null
}
