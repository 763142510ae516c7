import type { QuotaReader } from '../chain/quotaReader.ts'
import type { Metric } from './metrics.ts'

/** What `GET /metrics` says of quotas; nothing where no Subscriptions contract is asked. */
export const quotaMetrics = (
  quotas: Pick<QuotaReader, 'failure' | 'unknown'> | null,
  refused: number,
): readonly Metric[] =>
  quotas === null
    ? []
    : [
        {
          name: 'killswitch_quota_failing',
          help: '1 while quotas cannot be read: those last told hold for an hour, then every agent is let in',
          type: 'gauge',
          value: quotas.failure() === null ? 0 : 1,
        },
        {
          name: 'killswitch_quota_unknown_total',
          help: 'Enrolments without a known quota',
          type: 'counter',
          value: quotas.unknown(),
        },
        {
          name: 'killswitch_quota_filled_total',
          help: "Enrolments that were refused because the owner's quota is filled",
          type: 'counter',
          value: refused,
        },
      ]
