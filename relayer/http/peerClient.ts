import type { Registry } from '../../protocol/registry.ts'
import { Scope, subjectLabel } from '../../protocol/scope.ts'
import { agentSpiffeId } from '../../protocol/spiffeId.ts'
import type { Delivery } from '../kill/forwarder.ts'
import type { KillRecord } from '../kill/record.ts'

/** ms */
const timeout = 5_000

/** 403, 404: its grant point may be behind ours, and not know the guardian, owner or agent yet. 429, 5xx: it takes none. */
const outcomeOf = (status: number): 'refused' | 'later' | 'busy' => {
  if (status === 429 || status >= 500) return 'busy'
  return status === 403 || status === 404 ? 'later' : 'refused'
}

/** Hands orders to other relayers over their public HTTP. @returns a delivery; a network's failure is thrown */
export const createPeerClient =
  (options: {
    readonly registry: Registry
    readonly trustDomain: string
    readonly deployment: string
  }): ((peer: string, kill: KillRecord) => Promise<Delivery>) =>
  async (peer, kill) => {
    const { registry, trustDomain, deployment } = options
    const request = requestOf(kill, registry, trustDomain)
    if (request === null) return { outcome: 'refused', why: 'the agent has no SPIFFE ID' }
    const answer = await fetch(new URL(request.path, peer), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...request.body, deployment }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeout),
    })
    if (answer.ok) {
      await answer.body?.cancel()
      return { outcome: 'taken' }
    }
    const why = `${answer.status} ${(await answer.text()).slice(0, 300)}`
    return { outcome: outcomeOf(answer.status), why }
  }

function requestOf(kill: KillRecord, registry: Registry, trustDomain: string) {
  if (kill.order === null) return null
  const { message, signature } = kill.order
  const shared = { reason: message.reason, order: message, signature }
  const label = subjectLabel(kill)
  if (kill.scope === Scope.Owner) return { path: '/api/kill/emergency', body: { wallet: label, ...shared } }
  const agent = kill.scope === Scope.Agent ? registry.agents.get(label) : undefined
  const spiffeId = agent === undefined ? null : agentSpiffeId(trustDomain, agent)
  // An agent that is not complete has no SVID that a peer could revoke; its kill reaches the peer by the chain.
  if (spiffeId === null) return null
  return { path: '/api/kill', body: { spiffeId, ...shared } }
}
