import type { Hex } from '../hex.ts'

/** Layout of `KillPolicy` that this code reads (contracts/types/KillPolicy.sol). */
export const policySchema = 1

/**
 * The numbers of a kill policy. Times in seconds, rates in hundredths of a percent; see docs/governance.md.
 * A type, not an interface, so that its keys can be listed.
 */
export type Limits = {
  /** Failures in a row. */
  readonly consecutiveFailures: number
  /** Basis points of the actions in the window, once they are `errorSample`. */
  readonly errorRate: number
  readonly errorSample: number
  readonly errorWindow: number
  /** 0 to 100. */
  readonly anomalyScore: number
  readonly actionsPerMinute: number
  readonly actionsPerDay: number
  readonly probation: number
  readonly resumeCooldown: number
  readonly canaryInterval: number
  readonly canaryCheck: number
  readonly canarySafeMode: number
  /** Trust scores, 0 to 1,000, at which the tiers begin. */
  readonly tierProbationary: number
  readonly tierStandard: number
  readonly tierTrusted: number
  readonly tierVerified: number
}

export type LimitName = keyof Limits

/** A document outside the chain: SHA-256 of its bytes, and where it is found. */
export type DocumentReference = { readonly hash: Hex; readonly uri: string }

/** Under which conditions agents are stopped. Null: every action is allowed; no bundle is asked. */
export type KillPolicy = {
  readonly limits: Limits
  readonly boundary: DocumentReference | null
  readonly decisions: DocumentReference | null
}

/** Which side of a limit is the tighter one. The error window has none: the default's holds. */
export const tighterSides: Readonly<Record<LimitName, 'less' | 'more' | 'neither'>> = {
  consecutiveFailures: 'less',
  errorRate: 'less',
  errorSample: 'less',
  errorWindow: 'neither',
  anomalyScore: 'less',
  actionsPerMinute: 'less',
  actionsPerDay: 'less',
  probation: 'more',
  resumeCooldown: 'more',
  canaryInterval: 'less',
  canaryCheck: 'less',
  canarySafeMode: 'less',
  tierProbationary: 'more',
  tierStandard: 'more',
  tierTrusted: 'more',
  tierVerified: 'more',
}

/** All limits, in the order of the contract's struct, which is the order of its checks. */
export const limitNames = Object.keys(tighterSides) as readonly LimitName[]

const hour = 3600

/** The default with which Killswitch is deployed. */
export const initialPolicy: KillPolicy = {
  limits: {
    consecutiveFailures: 10,
    errorRate: 8000,
    errorSample: 20,
    errorWindow: 60,
    anomalyScore: 90,
    actionsPerMinute: 600,
    actionsPerDay: 100_000,
    probation: hour,
    resumeCooldown: 900,
    canaryInterval: 24 * hour,
    canaryCheck: 6 * hour,
    canarySafeMode: 48 * hour,
    tierProbationary: 300,
    tierStandard: 500,
    tierTrusted: 700,
    tierVerified: 900,
  },
  boundary: null,
  decisions: null,
}

const mapLimits = (value: (name: LimitName) => number): Limits =>
  Object.fromEntries(limitNames.map((name) => [name, value(name)])) as Limits

/** The tighter of each limit; the error window of the first. Twin of `PolicyRules.tighter`. */
export const tighterLimits = (ofDefault: Limits, ofType: Limits): Limits =>
  mapLimits((name) => {
    const [a, b] = [ofDefault[name], ofType[name]]
    if (tighterSides[name] === 'neither') return a
    return tighterSides[name] === 'less' ? Math.min(a, b) : Math.max(a, b)
  })

/** The limits of `ofType` that are looser than the default's: those for which a type needs governance's admission. */
export const looserLimits = (ofDefault: Limits, ofType: Limits): readonly LimitName[] => {
  const tighter = tighterLimits(ofDefault, ofType)
  return limitNames.filter((name) => tighter[name] !== ofType[name])
}
