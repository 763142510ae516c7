import { type KillPolicy, type LimitName, type Limits, limitNames } from './killPolicy.ts'

/** The least and the most that a vote can set. */
export type Range = { readonly least: number; readonly most: number }

/** Longest URI of a document, in bytes of UTF-8. */
export const maxUriLength = 256

const minute = 60
const hour = 60 * minute
const day = 24 * hour
const mostTrust = 1000

/** The longest resume cool-down that a policy can have, in seconds. */
export const longestResumeCooldown = 30 * day

/**
 * The bounds of every limit, given the others: some must stand in order. Twin of `PolicyRules.check`.
 * @param minCooldown the KillSwitch's least cool-down, in seconds
 */
export const limitBounds = (limits: Limits, minCooldown: number): Readonly<Record<LimitName, Range>> => ({
  // One failure is no series: at one, any hiccup would be a kill.
  consecutiveFailures: { least: 2, most: 1000 },
  errorRate: { least: 500, most: 10_000 },
  errorSample: { least: 5, most: 100_000 },
  errorWindow: { least: 10, most: day },
  anomalyScore: { least: 10, most: 100 },
  actionsPerMinute: { least: 1, most: 1_000_000 },
  actionsPerDay: { least: limits.actionsPerMinute, most: 1_000_000_000 },
  probation: { least: minute, most: 90 * day },
  resumeCooldown: { least: minCooldown, most: longestResumeCooldown },
  canaryInterval: { least: minute, most: 30 * day },
  canaryCheck: { least: 10, most: limits.canaryInterval },
  canarySafeMode: { least: limits.canaryInterval, most: 90 * day },
  tierProbationary: { least: 1, most: mostTrust - 3 },
  tierStandard: { least: limits.tierProbationary + 1, most: mostTrust - 2 },
  tierTrusted: { least: limits.tierStandard + 1, most: mostTrust - 1 },
  tierVerified: { least: limits.tierTrusted + 1, most: mostTrust },
})

/** A value that no vote can set. */
export type PolicyProblem =
  | { readonly field: LimitName; readonly value: number; readonly range: Range }
  | { readonly field: 'boundary' | 'decisions'; readonly problem: 'incomplete' | 'uri-too-long' }

/**
 * Everything about the policy that the contract would refuse, in the order of its checks.
 * @param minCooldown the KillSwitch's least cool-down, in seconds
 */
export function policyProblems(policy: KillPolicy, minCooldown: number): readonly PolicyProblem[] {
  const bounds = limitBounds(policy.limits, minCooldown)
  const problems: PolicyProblem[] = []
  for (const field of limitNames) {
    const [value, range] = [policy.limits[field], bounds[field]]
    if (!Number.isInteger(value) || value < range.least || value > range.most)
      problems.push({ field, value, range })
  }
  for (const field of ['boundary', 'decisions'] as const) {
    const document = policy[field]
    if (document === null) continue
    if (document.uri === '' || /^0x0*$/.test(document.hash)) problems.push({ field, problem: 'incomplete' })
    else if (new TextEncoder().encode(document.uri).length > maxUriLength)
      problems.push({ field, problem: 'uri-too-long' })
  }
  return problems
}
