import { type Failure, type Plan, play } from './history.ts'
import type { Rule } from './rules.ts'
import type { Step } from './steps.ts'

/** The steps that a failure needs, found by leaving out ever smaller parts as long as the same invariant breaks. */
export async function shrink(
  plan: Plan,
  failure: Failure,
  without: ReadonlySet<Rule>,
): Promise<{ readonly plan: Plan; readonly failure: Failure }> {
  let steps: readonly Step[] = plan.steps.slice(0, failure.step + 1)
  let last = failure
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = steps.length - size; from > -size; from -= size) {
      const fewer = [...steps.slice(0, Math.max(0, from)), ...steps.slice(from + size)]
      const again = await play({ ...plan, steps: fewer }, without)
      if (again?.invariant !== failure.invariant) continue
      steps = fewer.slice(0, again.step + 1)
      last = again
      from = Math.min(from, steps.length)
    }
  }
  return { plan: { ...plan, steps }, failure: last }
}
