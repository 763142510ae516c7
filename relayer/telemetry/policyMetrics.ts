import type { PolicyReader } from '../chain/policyReader.ts'
import type { Metric } from './metrics.ts'

/** What `GET /metrics` says of kill policies; nothing where none are followed. */
export const policyMetrics = (
  policies: Pick<PolicyReader, 'failure' | 'standing'> | null,
): readonly Metric[] =>
  policies === null
    ? []
    : [
        {
          name: 'killswitch_policies_failing',
          help: '1 while kill policies cannot be read, or no new head is seen: those last read hold',
          type: 'gauge',
          value: policies.failure() === null ? 0 : 1,
        },
        {
          name: 'killswitch_policies_read_block',
          help: 'Number of the block up to which kill policies are read; 0 before the first reading',
          type: 'gauge',
          value: policies.standing()?.readTo.number ?? 0,
        },
      ]
