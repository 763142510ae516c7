import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  type Target,
} from '../../protocol/scope.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'

/** What each scope is asked for. */
export const subjectLabels: Readonly<Record<Scope, string>> = {
  [Scope.Agent]: 'SPIFFE ID or UUID',
  [Scope.Owner]: 'Wallet',
  [Scope.AgentType]: 'Agent type',
  [Scope.Fleet]: '',
}

/** What a scope and an entered subject stand for; null for what is none. */
export function readTarget(scope: Scope, text: string): Target | null {
  const entered = text.trim()
  try {
    switch (scope) {
      case Scope.Agent:
        return agentTarget(
          entered.startsWith('spiffe://') ? parseSpiffeId(entered).name : entered.toLowerCase(),
        )
      case Scope.Owner:
        return ownerTarget(entered as `0x${string}`)
      case Scope.AgentType:
        return agentTypeTarget(entered)
      case Scope.Fleet:
        return fleetTarget
    }
  } catch {
    return null
  }
}
