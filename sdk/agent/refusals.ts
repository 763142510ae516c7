import { problemBase } from '../client/problem.ts'
import { RelayerRefusedError } from '../client/relayerCall.ts'

const isBusyOne = (error: unknown): boolean =>
  error instanceof RelayerRefusedError && [429, 503].includes(error.problem.status)

/** From when a relayer gives a resumed agent its next SVID, in ms; null for any other answer. */
const coolsUntilOne = (error: unknown): number | null => {
  if (!(error instanceof RelayerRefusedError)) return null
  const { type, retryAt } = error.problem
  return type === `${problemBase}resume-cooling-down` && typeof retryAt === 'number' ? retryAt : null
}

/** Every relayer asked has said that it cannot now: a flood, or it has not yet caught up with the chain. */
export const isBusy = (errors: readonly unknown[]): boolean => errors.every(isBusyOne)

/**
 * From when a resumed agent gets its next SVID, in ms, by the relayer that gives it first; null unless waiting is all that
 * is left: every relayer asked says when, or that it cannot now.
 */
export function coolsUntil(errors: readonly unknown[]): number | null {
  const times = errors.flatMap((error) => coolsUntilOne(error) ?? [])
  if (times.length === 0 || !errors.every((error) => isBusyOne(error) || coolsUntilOne(error) !== null))
    return null
  return Math.min(...times)
}
