import { limitBounds } from '../../../protocol/policy/bounds.ts'
import { type KillPolicy, limitNames, tighterSides } from '../../../protocol/policy/killPolicy.ts'
import { TextField } from '../../design/components/Field.tsx'
import { Fields } from '../../design/components/TextArea.tsx'
import { whole } from '../../format.ts'
import type { DocumentDraft, PolicyDraft, readDraft } from '../../governance/policyDraft.ts'
import { limitFields } from '../../governance/policyFields.ts'

const sideWords = { less: 'less is tighter', more: 'more is tighter', neither: '' } as const

/** The numbers of a policy, each with its unit, bounds and value now. */
export function LimitFields(props: {
  readonly draft: PolicyDraft
  readonly current: KillPolicy
  readonly minCooldown: number
  readonly faults: ReturnType<typeof readDraft>['faults']
  readonly onChange: (draft: PolicyDraft) => void
}) {
  const { draft, current, minCooldown, faults, onChange } = props
  const bounds = limitBounds(current.limits, minCooldown)
  return (
    <Fields>
      {limitNames.map((name) => {
        const { name: label, unit, words } = limitFields[name]
        const { least, most } = bounds[name]
        const side = sideWords[tighterSides[name]]
        return (
          <TextField
            key={name}
            label={label}
            figures
            value={draft.limits[name]}
            onChange={(value) => onChange({ ...draft, limits: { ...draft.limits, [name]: value } })}
            hint={`${unit}; ${whole(least)} to ${whole(most)}${side === '' ? '' : `; ${side}`}. Now ${words(current.limits[name])}.`}
            fault={faults[name]}
          />
        )
      })}
    </Fields>
  )
}

/** A document's hash and where it is found. */
export function DocumentFields(props: {
  readonly name: string
  readonly value: DocumentDraft
  readonly fault: string | undefined
  readonly onChange: (value: DocumentDraft) => void
}) {
  const { name, value, fault, onChange } = props
  return (
    <Fields>
      <TextField
        label={`${name}: SHA-256`}
        mono
        value={value.hash}
        onChange={(hash) => onChange({ ...value, hash })}
        placeholder="0x…"
        hint="Empty with its URI: none."
        fault={fault}
      />
      <TextField
        label={`${name}: URI`}
        mono
        value={value.uri}
        onChange={(uri) => onChange({ ...value, uri })}
        placeholder="https://…"
      />
    </Fields>
  )
}
