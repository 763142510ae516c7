import { effectivePolicy, type PolicyEntry } from '../../../protocol/policy/policies.ts'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Muted } from '../../design/components/Layout.tsx'
import { policyValues } from '../../governance/policyFields.ts'
import type { Voting } from '../../governance/useGovernance.ts'

type Row = { readonly field: string; readonly value: string; readonly own: string | null }

const valueColumns: readonly Column<Row>[] = [
  { name: 'Field', cell: ({ field }) => field },
  { name: 'Holds', wide: true, wraps: true, cell: ({ value }) => value },
]
const typeColumns: readonly Column<Row>[] = [
  { name: 'Field', cell: ({ field }) => field },
  { name: "The type's own", wraps: true, cell: ({ own }) => own ?? <Muted>–</Muted> },
  { name: 'Holds for agents not admitted', wraps: true, cell: ({ value }) => value },
]

/** Every field of a policy, and for types what holds together with the default. */
export function PolicyTable(props: {
  readonly voting: Voting
  readonly agentType: string | null
  readonly entry: PolicyEntry
}) {
  const { voting, agentType, entry } = props
  const { limits, boundaries, decisions } = effectivePolicy(voting.governance.policies, agentType)
  const documents = (list: typeof boundaries): string =>
    list.length === 0 ? 'none' : list.map(({ uri, hash }) => `${uri} (SHA-256 ${hash})`).join('; and ')
  const own = entry.policy === null ? null : policyValues(entry.policy)
  const holds = policyValues({ limits, boundary: null, decisions: null })
  const rows = holds.map(
    ({ field, value }, index): Row => ({
      field,
      value:
        field === 'Boundary'
          ? documents(boundaries)
          : field === 'Decision policies'
            ? documents(decisions)
            : value,
      own: own?.[index]?.value ?? null,
    }),
  )
  return (
    <DataTable
      caption={agentType === null ? 'The default policy' : `The policy of type ${agentType}`}
      columns={agentType === null ? valueColumns : typeColumns}
      rows={rows}
      keyOf={({ field }) => field}
      dense
    />
  )
}
