import { scopeName, subjectLabel } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { IssuanceRefusedError } from '../identity/issuanceRefused.ts'
import type { SignedOrder } from '../kill/chainPort.ts'
import type { PolicyReference } from '../policy/policyReference.ts'
import type { AuditFields } from './entry.ts'

export type Refusals = {
  /** Logs a refusal, or only counts it when there are too many. */
  note(fields: AuditFields): void
  /** Logs how many were only counted since the last time. */
  flush(): void
}

/** Refusals that may come at once, and how many more each second: a stranger must not fill the log. */
const burst = 100
const perSecond = 1
/** Characters of a stranger's text that the log takes. */
const maxText = 300

/** Refused orders, SVIDs and tokens on their way to the log, bounded: what goes beyond is logged as a number. */
export function createRefusals(options: {
  readonly clock: Clock
  readonly append: (fields: AuditFields) => void
}): Refusals {
  const { clock, append } = options
  let left = burst
  let refilled = clock.monotonic()
  const counted = new Map<string, number>()

  return {
    note(fields) {
      const now = clock.monotonic()
      left = Math.min(burst, left + ((now - refilled) / 1000) * perSecond)
      refilled = now
      if (left < 1) {
        counted.set(fields.action, (counted.get(fields.action) ?? 0) + 1)
        return
      }
      left -= 1
      append(fields)
    },
    flush() {
      if (counted.size === 0) return
      append({
        action: 'refusals counted',
        actor: 'relayer',
        spiffeId: null,
        time: Math.round(clock.wall()),
        detail: Object.fromEntries(counted),
      })
      counted.clear()
    },
  }
}

const under = (policy: PolicyReference | null) => (policy === null ? {} : { policy })

/** @param time ms @param policy the one in force for the order's subject */
export const orderRefusal = (
  { order, digest }: SignedOrder,
  error: Error,
  time: number,
  policy: PolicyReference | null,
): AuditFields => ({
  action: 'order refused',
  actor: order.authority,
  spiffeId: null,
  time: Math.round(time),
  detail: {
    digest,
    scope: scopeName(order.scope),
    subject: subjectLabel(order),
    why: error.message.slice(0, maxText),
  },
  ...under(policy),
})

/** @param time ms @param policy the one in force for the agent; null where it is nobody's */
export const issuanceRefusal = (
  error: IssuanceRefusedError,
  time: number,
  policy: PolicyReference | null,
): AuditFields => ({
  action: 'SVID refused',
  actor: 'stranger',
  spiffeId: error.spiffeId,
  time: Math.round(time),
  detail: {
    kind: error.kind,
    field: error.field,
    value: error.value.slice(0, maxText),
    why: error.message.slice(0, maxText),
  },
  ...under(policy),
})
