// How the fields of a kill policy are called and written.
import {
  type DocumentReference,
  type KillPolicy,
  type LimitName,
  limitNames,
  tighterSides,
} from '../../protocol/policy/killPolicy.ts'
import { whole, wholeDuration } from '../format.ts'

export type LimitField = {
  readonly name: string
  /** Of the number on chain, for who enters it. */
  readonly unit: string
  readonly words: (value: number) => string
}

const plain = (name: string, unit: string): LimitField => ({ name, unit, words: whole })
const seconds = (name: string): LimitField => ({
  name,
  unit: 'seconds',
  words: (value) => wholeDuration(value * 1000),
})

export const limitFields: Readonly<Record<LimitName, LimitField>> = {
  consecutiveFailures: plain('Consecutive failures', 'failures in a row that stop an agent'),
  errorRate: {
    name: 'Error rate',
    unit: 'basis points of the actions in the window',
    words: (value) => `${value / 100} %`,
  },
  errorSample: plain('Error sample', 'actions from which on the error rate counts'),
  errorWindow: seconds('Error window'),
  anomalyScore: plain('Anomaly score', 'score'),
  actionsPerMinute: plain('Actions per minute', 'actions'),
  actionsPerDay: plain('Actions per day', 'actions'),
  probation: seconds('Probation after a resume'),
  resumeCooldown: seconds('Resume cool-down'),
  canaryInterval: seconds('Canary interval'),
  canaryCheck: seconds('Canary check'),
  canarySafeMode: seconds('Canary safe mode'),
  tierProbationary: plain('Tier probationary', 'trust score from which on'),
  tierStandard: plain('Tier standard', 'trust score from which on'),
  tierTrusted: plain('Tier trusted', 'trust score from which on'),
  tierVerified: plain('Tier verified', 'trust score from which on'),
}

export const documentFields = { boundary: 'Boundary', decisions: 'Decision policies' } as const
export type DocumentField = keyof typeof documentFields

const documentWords = (document: DocumentReference | null): string =>
  document === null ? 'none' : `${document.uri} (SHA-256 ${document.hash})`

/** A value that changes, in words. */
export type Change = {
  readonly field: string
  /** Null where there was nothing, or nothing known. */
  readonly before: string | null
  readonly after: string | null
  readonly effect: 'tighter' | 'looser' | null
}

const effectOf = (name: LimitName, before: number, after: number): Change['effect'] => {
  const side = tighterSides[name]
  if (side === 'neither' || before === after) return null
  return after < before === (side === 'less') ? 'tighter' : 'looser'
}

/** All fields in which two policies differ. */
export function policyChanges(before: KillPolicy, after: KillPolicy): readonly Change[] {
  const limits = limitNames
    .filter((name) => before.limits[name] !== after.limits[name])
    .map((name): Change => {
      const { name: field, words } = limitFields[name]
      const [old, next] = [before.limits[name], after.limits[name]]
      return { field, before: words(old), after: words(next), effect: effectOf(name, old, next) }
    })
  const documents = (Object.keys(documentFields) as DocumentField[]).flatMap((name): Change[] => {
    const [old, next] = [documentWords(before[name]), documentWords(after[name])]
    // What documents say cannot be compared here; only having one or none can.
    const effect = before[name] === null ? 'tighter' : after[name] === null ? 'looser' : null
    return old === next ? [] : [{ field: documentFields[name], before: old, after: next, effect }]
  })
  return [...limits, ...documents]
}

/** Every field of a policy with its value. */
export const policyValues = (
  policy: KillPolicy,
): readonly { readonly field: string; readonly value: string }[] => [
  ...limitNames.map((name) => ({
    field: limitFields[name].name,
    value: limitFields[name].words(policy.limits[name]),
  })),
  ...(Object.keys(documentFields) as DocumentField[]).map((name) => ({
    field: documentFields[name],
    value: documentWords(policy[name]),
  })),
]
