import { decodeAbiParameters, decodeEventLog, encodeAbiParameters, type Hex } from 'viem'
import { killPoliciesAbi } from '../generated/killPoliciesAbi.ts'
import { agentTypeTarget, Scope, subjectLabel } from '../scope.ts'
import { uuidFromAgentId } from '../uuid.ts'
import type { DocumentReference, KillPolicy } from './killPolicy.ts'
import { policySchema } from './killPolicy.ts'
import type { PolicyEvent } from './policies.ts'

/** The word under which the contract keeps the default. */
export const defaultWord: Hex = `0x${'0'.repeat(64)}`

/** A policy of a layout that this program does not know. */
export class UnknownPolicySchemaError extends Error {
  override readonly name = 'UnknownPolicySchemaError'
  readonly schema: number
  constructor(schema: number) {
    super(`the policy has layout ${schema}, and this program reads layout ${policySchema}; update it`)
    this.schema = schema
  }
}

type Function = Extract<(typeof killPoliciesAbi)[number], { readonly type: 'function' }>
/** The struct's own parameter, as `checkPolicy` has it. */
const policyParameter = (
  killPoliciesAbi as readonly (Function | { readonly type: string; readonly name?: string })[]
).find(
  (item): item is Extract<Function, { readonly name: 'checkPolicy' }> =>
    item.type === 'function' && item.name === 'checkPolicy',
)?.inputs[0]
if (policyParameter === undefined)
  throw new Error('KillPolicies has no checkPolicy: compile the contracts anew')
const parameters = [policyParameter] as const

const noDocument = { hash: defaultWord, uri: '' } as const

/** The policy as the contract's struct. */
export const toPolicyStruct = ({ limits, boundary, decisions }: KillPolicy) => ({
  limits: {
    breaker: {
      consecutiveFailures: limits.consecutiveFailures,
      errorRate: limits.errorRate,
      errorSample: limits.errorSample,
      errorWindow: limits.errorWindow,
      anomalyScore: limits.anomalyScore,
    },
    actions: { perMinute: limits.actionsPerMinute, perDay: limits.actionsPerDay },
    resumed: { probation: limits.probation, resumeCooldown: limits.resumeCooldown },
    canary: {
      interval: limits.canaryInterval,
      check: limits.canaryCheck,
      safeMode: limits.canarySafeMode,
    },
    tiers: {
      probationary: limits.tierProbationary,
      standard: limits.tierStandard,
      trusted: limits.tierTrusted,
      verified: limits.tierVerified,
    },
  },
  boundary: boundary ?? noDocument,
  decisions: decisions ?? noDocument,
})

export type PolicyStruct = ReturnType<typeof toPolicyStruct>

const toDocument = (document: DocumentReference): DocumentReference | null =>
  document.uri === '' ? null : { hash: document.hash, uri: document.uri }

/** The contract's struct as a policy. */
export const fromPolicyStruct = ({ limits, boundary, decisions }: PolicyStruct): KillPolicy => ({
  limits: {
    ...limits.breaker,
    actionsPerMinute: limits.actions.perMinute,
    actionsPerDay: limits.actions.perDay,
    ...limits.resumed,
    canaryInterval: limits.canary.interval,
    canaryCheck: limits.canary.check,
    canarySafeMode: limits.canary.safeMode,
    tierProbationary: limits.tiers.probationary,
    tierStandard: limits.tiers.standard,
    tierTrusted: limits.tiers.trusted,
    tierVerified: limits.tiers.verified,
  },
  boundary: toDocument(boundary),
  decisions: toDocument(decisions),
})

/** As the event carries it. */
export const encodePolicy = (policy: KillPolicy): Hex =>
  encodeAbiParameters(parameters, [toPolicyStruct(policy)])

/** @throws viem's decoding errors for bytes that are no policy */
export const decodePolicy = (bytes: Hex): KillPolicy =>
  fromPolicyStruct(decodeAbiParameters(parameters, bytes)[0] as PolicyStruct)

/** The word of a type, or of the default for null. @throws {InvalidSubjectError} */
export const policyWord = (agentType: string | null): Hex =>
  agentType === null ? defaultWord : agentTypeTarget(agentType).subject

const typeOf = (word: Hex): string => subjectLabel({ scope: Scope.AgentType, subject: word })

/**
 * Decodes a log of KillPolicies.
 * @throws {UnknownPolicySchemaError}
 * @throws viem's decoding errors for a log that is not of this ABI
 */
export function decodePolicyLog(log: { readonly topics: readonly Hex[]; readonly data: Hex }): PolicyEvent {
  const { eventName, args } = decodeEventLog({
    abi: killPoliciesAbi,
    topics: log.topics as [Hex, ...Hex[]],
    data: log.data,
  })
  switch (eventName) {
    case 'PolicySet':
      if (args.schema !== policySchema) throw new UnknownPolicySchemaError(args.schema)
      return {
        type: eventName,
        agentType: args.agentType === defaultWord ? null : typeOf(args.agentType),
        version: Number(args.version),
        byAdmission: args.byAdmission,
        policy: decodePolicy(args.policy),
      }
    case 'PolicyRemoved':
      return { type: eventName, agentType: typeOf(args.agentType), version: Number(args.version) }
    case 'AgentAdmitted':
      return {
        type: eventName,
        uuid: uuidFromAgentId(args.agentId),
        owner: /^0x0*$/.test(args.owner) ? null : (args.owner.toLowerCase() as Hex),
      }
  }
}
