import type { Hex } from '../hex.ts'
import type { AgentIdentity } from '../liveness.ts'
import { type DocumentReference, type KillPolicy, type Limits, tighterLimits } from './killPolicy.ts'

/** An event of KillPolicies, decoded: types as text, null for the default; addresses in lower case. */
export type PolicyEvent =
  | {
      readonly type: 'PolicySet'
      readonly agentType: string | null
      readonly version: number
      /** Whether it holds, alone, for agents that governance admitted. */
      readonly byAdmission: boolean
      readonly policy: KillPolicy
    }
  | { readonly type: 'PolicyRemoved'; readonly agentType: string; readonly version: number }
  /** Admitted while this account owns it; null ends the admission. */
  | { readonly type: 'AgentAdmitted'; readonly uuid: string; readonly owner: Hex | null }

/** A policy as it was set; `policy` is null once it was removed. */
export type PolicyEntry = {
  readonly version: number
  readonly byAdmission: boolean
  readonly policy: KillPolicy | null
}

/** All that the contract's events say; the events alone rebuild it. */
export type Policies = {
  /** Null before the event of the contract's deployment. */
  readonly default: PolicyEntry | null
  readonly types: ReadonlyMap<string, PolicyEntry>
  /** Who owned an agent when it was admitted, by UUID. */
  readonly admittedOwners: ReadonlyMap<string, Hex>
}

export const noPolicies: Policies = { default: null, types: new Map(), admittedOwners: new Map() }

/** An event that cannot follow the ones before it: some are missing, or were read twice. */
export class PolicyGapError extends Error {
  override readonly name = 'PolicyGapError'
  readonly event: PolicyEvent
  readonly had: number
  constructor(event: Exclude<PolicyEvent, { readonly type: 'AgentAdmitted' }>, had: number) {
    super(
      `version ${event.version} of the policy of ${event.agentType ?? 'the default'} does not follow version ${had}; read the events again from the contract's deployment`,
    )
    this.event = event
    this.had = had
  }
}

const withEntry = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V | null): ReadonlyMap<K, V> => {
  const copy = new Map(map)
  if (value === null) copy.delete(key)
  else copy.set(key, value)
  return copy
}

/**
 * The policies after one more event, in the order of the chain.
 * @throws {PolicyGapError}
 */
export function applyPolicyEvent(policies: Policies, event: PolicyEvent): Policies {
  if (event.type === 'AgentAdmitted')
    return { ...policies, admittedOwners: withEntry(policies.admittedOwners, event.uuid, event.owner) }

  const former = event.agentType === null ? policies.default : policies.types.get(event.agentType)
  const had = former?.version ?? 0
  if (event.version !== had + 1) throw new PolicyGapError(event, had)
  const entry: PolicyEntry =
    event.type === 'PolicyRemoved'
      ? { version: event.version, byAdmission: false, policy: null }
      : { version: event.version, byAdmission: event.byAdmission, policy: event.policy }
  return event.agentType === null
    ? { ...policies, default: entry }
    : { ...policies, types: withEntry(policies.types, event.agentType, entry) }
}

/** What holds for one agent, and which versions say so. */
export type EffectivePolicy = {
  readonly limits: Limits
  /** Every one must allow an action; the default's first. */
  readonly boundaries: readonly DocumentReference[]
  readonly decisions: readonly DocumentReference[]
  readonly defaultVersion: number
  /** 0 if the type never had a policy of its own. */
  readonly typeVersion: number
  /** Whether the type's policy holds alone, because governance admitted the agent to it. */
  readonly admitted: boolean
}

/** There is no default yet: the events have not been read from the contract's deployment. */
export class NoDefaultPolicyError extends Error {
  override readonly name = 'NoDefaultPolicyError'
  constructor() {
    super('there is no default policy; read the events of KillPolicies from its deployment')
  }
}

/**
 * What holds for an agent: twin of `KillPolicies.effectivePolicyOf`; without `agent`, for agents of the type that were not
 * admitted (`effectivePolicyOfType`).
 * @throws {NoDefaultPolicyError}
 */
export function effectivePolicy(
  policies: Policies,
  agentType: string | null,
  agent?: Pick<AgentIdentity, 'uuid' | 'owner'>,
): EffectivePolicy {
  const base = policies.default?.policy
  if (policies.default == null || base == null) throw new NoDefaultPolicyError()
  const entry = agentType === null ? undefined : policies.types.get(agentType)
  const own = entry?.policy ?? null
  const versions = { defaultVersion: policies.default.version, typeVersion: entry?.version ?? 0 }
  const admitted =
    own !== null &&
    entry?.byAdmission === true &&
    agent !== undefined &&
    policies.admittedOwners.get(agent.uuid) === agent.owner
  const holding = [
    ...(admitted ? [] : [base]),
    ...(own !== null && (admitted || entry?.byAdmission === false) ? [own] : []),
  ]
  const [first = base, ...others] = holding
  return {
    limits: others.reduce((limits, policy) => tighterLimits(limits, policy.limits), first.limits),
    boundaries: holding.flatMap(({ boundary }) => boundary ?? []),
    decisions: holding.flatMap(({ decisions }) => decisions ?? []),
    ...versions,
    admitted,
  }
}
