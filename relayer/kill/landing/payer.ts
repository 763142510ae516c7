import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import type { Registry } from '../../../protocol/registry.ts'
import { Scope, subjectLabel } from '../../../protocol/scope.ts'
import type { KillRecord } from '../record.ts'

/**
 * Whose gas budget an order draws on: the wallet that its authority acts for, so that nobody uses up another's. Null
 * for Council and Governance, who have no budget to keep to; a breaker has one of its own.
 */
export function payerOf(
  registry: Registry,
  kill: Pick<KillRecord, 'authority' | 'rank' | 'scope' | 'subject'>,
): Hex | null {
  const { authority, rank } = kill
  if (rank >= Rank.Council) return null
  const label = subjectLabel(kill)
  if (kill.scope === Scope.Owner) return label as Hex
  const agent = registry.agents.get(label)
  if (rank === Rank.Breaker || agent === undefined) return authority
  const { owner, agentWallet, formerOwner } = agent
  const actsForOwner =
    authority === owner || authority === agentWallet || registry.guardians.has(`${owner}:${authority}`)
  // After a transfer the former owner's guardians keep their kill for a while.
  return actsForOwner ? owner : (formerOwner ?? authority)
}
