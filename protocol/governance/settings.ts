// The settings of both governors, their bounds, and the two paces at which Killswitch is deployed. Twin of the bounds in
// contracts/governance/; docs/governance.md describes each.
import type { Range } from '../policy/bounds.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/** Times in seconds, thresholds in millionths of the supply, quorums in percent of it. */
export type GovernorSettings = {
  readonly votingDelay: number
  readonly votingPeriod: number
  readonly proposalThreshold: number
  readonly quorum: number
}

/** The least times that a vote can set, fixed at deployment. */
export type GovernorFloors = { readonly votingDelay: number; readonly votingPeriod: number }

export type PolicyGovernorSettings = GovernorSettings & {
  readonly voteExtension: number
  readonly timelockDelay: number
  readonly floors: GovernorFloors & { readonly timelockDelay: number }
}

export type EmergencyGovernorSettings = GovernorSettings & {
  readonly superQuorum: number
  readonly floors: GovernorFloors
}

export type Pace = { readonly policy: PolicyGovernorSettings; readonly emergency: EmergencyGovernorSettings }

/** For chains that matter: a policy takes nine days, a kill as long as its voters need. */
export const publicPace: Pace = {
  policy: {
    votingDelay: day,
    votingPeriod: 5 * day,
    voteExtension: 2 * day,
    timelockDelay: 2 * day,
    proposalThreshold: 1000,
    quorum: 4,
    floors: { votingDelay: hour, votingPeriod: day, timelockDelay: day },
  },
  emergency: {
    votingDelay: 1,
    votingPeriod: day,
    proposalThreshold: 1000,
    quorum: 15,
    superQuorum: 30,
    floors: { votingDelay: 1, votingPeriod: hour },
  },
}

/** For a chain of one's own, where nobody waits for days. */
export const localPace: Pace = {
  policy: {
    ...publicPace.policy,
    votingDelay: 1,
    votingPeriod: 15,
    voteExtension: 5,
    timelockDelay: 2,
    floors: { votingDelay: 1, votingPeriod: 1, timelockDelay: 1 },
  },
  emergency: {
    ...publicPace.emergency,
    votingPeriod: 10,
    floors: { votingDelay: 1, votingPeriod: 1 },
  },
}

/**
 * How long what was carried can still be used, in seconds; it expires in the next one. Constants of the contracts:
 * `emergency` from the deadline to execution, `queueing` from the deadline of a policy vote to `queue`, `execution` from
 * the end of the timelock's delay to execution.
 */
export const gracePeriods = { emergency: 7 * day, queueing: 14 * day, execution: 14 * day } as const

/** The bounds of every setting of the PolicyGovernor and its timelock, given the others. */
export const policyGovernorBounds = (settings: PolicyGovernorSettings) =>
  ({
    votingDelay: { least: settings.floors.votingDelay, most: 7 * day },
    votingPeriod: { least: Math.max(settings.floors.votingPeriod, settings.voteExtension), most: 30 * day },
    voteExtension: { least: settings.floors.votingDelay, most: settings.votingPeriod },
    timelockDelay: { least: settings.floors.timelockDelay, most: 30 * day },
    proposalThreshold: { least: 1, most: 20_000 },
    quorum: { least: 1, most: 10 },
  }) as const satisfies Readonly<Record<string, Range>>

/** The bounds of every setting of the EmergencyGovernor, given the others. */
export const emergencyGovernorBounds = (settings: EmergencyGovernorSettings) =>
  ({
    votingDelay: { least: settings.floors.votingDelay, most: hour },
    votingPeriod: { least: settings.floors.votingPeriod, most: 3 * day },
    proposalThreshold: { least: 1, most: 20_000 },
    quorum: { least: 11, most: Math.min(30, settings.superQuorum) },
    superQuorum: { least: Math.max(25, settings.quorum), most: 50 },
  }) as const satisfies Readonly<Record<string, Range>>

/** The bounds of the floors themselves, which only a deployer sets. */
export const policyFloorBounds = {
  votingDelay: { least: 1, most: 7 * day },
  votingPeriod: { least: 1, most: 30 * day },
  timelockDelay: { least: 1, most: 30 * day },
} as const satisfies Readonly<Record<string, Range>>

export const emergencyFloorBounds = {
  votingDelay: { least: 1, most: hour },
  votingPeriod: { least: 1, most: 3 * day },
} as const satisfies Readonly<Record<string, Range>>
