import { wholeDuration } from '../format.ts'
import { tokens } from './tokens.ts'
import type { Subscriber } from './useSubscription.ts'

/**
 * When a balance that stands from now on is the least of all that count: once as many multiples of the interval have passed
 * as are sampled. Twin of `Subscriptions.heldBalanceOf`, which looks at the multiples that are past.
 * @param now Unix seconds
 */
export const countsFrom = (now: number, interval: number, samples: number): number =>
  (Math.floor(now / interval) + samples) * interval + 1

/** What holding more, or on, would change; `at` in Unix seconds. */
export function discountWords(
  { steps, held, interval, samples }: Pick<Subscriber, 'steps' | 'held' | 'interval' | 'samples'>,
  balance: bigint | undefined,
  now: number,
): readonly { readonly key: string; readonly text: string; readonly at: number | null }[] {
  const at = countsFrom(now, interval, samples)
  if (steps.length === 0)
    return [{ key: 'none', text: 'No discount is offered: holding more changes nothing now.', at: null }]
  const better = steps.filter((step) => step.balance > held)
  if (better.length === 0) return [{ key: 'most', text: 'You have the highest discount.', at: null }]
  return better.map((step) => {
    const discount = `${step.discount / 100} %`
    const when = `in ${wholeDuration((at - now) * 1000)}`
    const missing = balance === undefined ? null : step.balance - balance
    return missing !== null && missing <= 0n
      ? {
          key: discount,
          text: `You hold enough for ${discount}: keep ${tokens(step.balance)} KSW, and it counts ${when} at the latest`,
          at,
        }
      : {
          key: discount,
          text: `With ${missing === null ? `${tokens(step.balance)} KSW in all` : `${tokens(missing)} KSW more`} it would be ${discount}, ${when} if you bought them now`,
          at,
        }
  })
}
