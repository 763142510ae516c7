import type { PolicyMirror } from './mirror.ts'

/**
 * Which kill policy a decision was taken under. With the events of KillPolicies it says all that was in force: what held at
 * `grantedBlock` and everything tighter that any block after it, up to `block`, had brought.
 */
export type PolicyReference = {
  /** Version of the default, the latest seen. */
  readonly default: number
  /** Version of the type's own policy, the latest seen; null if it never had one, or the decision is about no type. */
  readonly type: number | null
  /** Number of the last block with policy events that was seen. */
  readonly block: number
  /** Number of the last one that was granted; null if none was. */
  readonly grantedBlock: number | null
}

/** The reference to what is in force for a type now; null while no policy is known. Constant time: kills are noted with it. */
export function policyReference(mirror: PolicyMirror, agentType: string | null): PolicyReference | null {
  const last = mirror.pending.at(-1)
  const policies = last?.policies ?? mirror.granted
  const block = last?.block ?? mirror.grantedBlock
  if (policies.default === null || block === null) return null
  return {
    default: policies.default.version,
    type: (agentType === null ? undefined : policies.types.get(agentType)?.version) ?? null,
    block: block.number,
    grantedBlock: mirror.grantedBlock?.number ?? null,
  }
}
