import type { Hex } from '../../protocol/hex.ts'
import type { AgentIdentity } from '../../protocol/liveness.ts'
import { type DocumentReference, type KillPolicy, tighterLimits } from '../../protocol/policy/killPolicy.ts'
import {
  applyPolicyEvent,
  type EffectivePolicy,
  effectivePolicy,
  noPolicies,
  type Policies,
  type PolicyEvent,
} from '../../protocol/policy/policies.ts'

/** Where a policy was set; time in Unix seconds. */
export type PolicyBlock = { readonly number: number; readonly hash: Hex; readonly time: number }

/** One version of the policy of a type (null: the default); `policy` is null where it was removed. */
export type PolicyVersion = {
  readonly agentType: string | null
  readonly version: number
  readonly byAdmission: boolean
  readonly policy: KillPolicy | null
  readonly block: PolicyBlock
}

type PendingBlock = {
  readonly block: PolicyBlock
  readonly policies: Policies
  readonly versions: readonly PolicyVersion[]
}

/**
 * The on-chain policies as a relayer goes by them. Invariants:
 * 1. `granted` is what the chain said at the grant point; `pending` are the later blocks with policy events, lowest first,
 *    each with the policies after it.
 * 2. What tightens counts from the block that was seen first; what loosens counts from the grant point on.
 * 3. No state is undone: after a reorg the granted one takes the blocks that are there now.
 */
export type PolicyMirror = {
  readonly granted: Policies
  readonly grantedVersions: readonly PolicyVersion[]
  /** The last granted block with policy events; null before the first. */
  readonly grantedBlock: PolicyBlock | null
  readonly pending: readonly PendingBlock[]
}

export const emptyMirror: PolicyMirror = {
  granted: noPolicies,
  grantedVersions: [],
  grantedBlock: null,
  pending: [],
}

/** Whether nothing was read yet: no policy holds, and none can be asked for. */
export const isUnread = (mirror: PolicyMirror): boolean =>
  mirror.granted.default === null && mirror.pending.length === 0

const latest = (mirror: PolicyMirror): Policies => mirror.pending.at(-1)?.policies ?? mirror.granted

const versionIn = (event: PolicyEvent, block: PolicyBlock): readonly PolicyVersion[] => {
  if (event.type === 'AgentAdmitted') return []
  const { agentType, version } = event
  return event.type === 'PolicyRemoved'
    ? [{ agentType, version, byAdmission: false, policy: null, block }]
    : [{ agentType, version, byAdmission: event.byAdmission, policy: event.policy, block }]
}

/**
 * Takes the events of the next block, in their order; a block without any changes nothing.
 * @throws {PolicyGapError}
 */
export function takePolicies(
  mirror: PolicyMirror,
  block: PolicyBlock,
  events: readonly PolicyEvent[],
): PolicyMirror {
  if (events.length === 0) return mirror
  const policies = events.reduce(applyPolicyEvent, latest(mirror))
  const versions = events.flatMap((event) => versionIn(event, block))
  return { ...mirror, pending: [...mirror.pending, { block, policies, versions }] }
}

/** The grant point has reached this height. */
export function grantPolicies(mirror: PolicyMirror, height: number): PolicyMirror {
  const reached = mirror.pending.filter(({ block }) => block.number <= height)
  const last = reached.at(-1)
  if (last === undefined) return mirror
  return {
    granted: last.policies,
    grantedVersions: [...mirror.grantedVersions, ...reached.flatMap(({ versions }) => versions)],
    grantedBlock: last.block,
    pending: mirror.pending.filter(({ block }) => block.number > height),
  }
}

/** Every version that was seen, oldest first, and whether it is granted. */
export const policyVersions = (
  mirror: PolicyMirror,
): readonly (PolicyVersion & { readonly granted: boolean })[] => [
  ...mirror.grantedVersions.map((version) => ({ ...version, granted: true })),
  ...mirror.pending.flatMap(({ versions }) => versions.map((version) => ({ ...version, granted: false }))),
]

const both = (
  a: readonly DocumentReference[],
  b: readonly DocumentReference[],
): readonly DocumentReference[] => [...a, ...b.filter((one) => !a.some(({ hash }) => hash === one.hash))]

/** Both hold at once: the tighter limits (the error window of the first), the documents of both. */
const jointly = (first: EffectivePolicy, second: EffectivePolicy): EffectivePolicy => ({
  ...second,
  limits: tighterLimits(first.limits, second.limits),
  boundaries: both(first.boundaries, second.boundaries),
  decisions: both(first.decisions, second.decisions),
  admitted: first.admitted && second.admitted,
})

/**
 * What the relayer goes by for an agent now: what is granted, and everything tighter that any later block says. The
 * versions are the latest seen.
 * @throws {NoDefaultPolicyError} before anything was seen
 */
export function policyInForce(
  mirror: PolicyMirror,
  agentType: string | null,
  agent?: Pick<AgentIdentity, 'uuid' | 'owner'>,
): EffectivePolicy {
  const states = [
    ...(mirror.granted.default === null ? [] : [mirror.granted]),
    ...mirror.pending.map(({ policies }) => policies),
  ]
  const [first = noPolicies, ...later] = states
  return later.reduce(
    (held, policies) => jointly(held, effectivePolicy(policies, agentType, agent)),
    effectivePolicy(first, agentType, agent),
  )
}
