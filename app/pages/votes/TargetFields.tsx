import { Scope } from '../../../protocol/scope.ts'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Stack } from '../../design/components/Layout.tsx'
import { readTarget, subjectLabels } from '../../governance/targetInput.ts'

export type TargetDraft = { readonly scope: Scope; readonly text: string }

const choices = [
  { value: Scope.Agent, label: 'One agent' },
  { value: Scope.Owner, label: "A wallet's agents" },
  { value: Scope.AgentType, label: 'An agent type' },
  { value: Scope.Fleet, label: 'The whole fleet' },
] as const

/** What is to be stopped or released. */
export function TargetFields(props: {
  readonly label: string
  readonly value: TargetDraft
  readonly onChange: (value: TargetDraft) => void
}) {
  const { label, value, onChange } = props
  const { scope, text } = value
  return (
    <Stack>
      <ChoiceField
        label={label}
        compact
        value={scope}
        onChange={(next) => onChange({ scope: next, text: '' })}
        choices={choices}
      />
      {scope === Scope.Fleet ? null : (
        <TextField
          label={subjectLabels[scope]}
          mono
          value={text}
          onChange={(next) => onChange({ scope, text: next })}
          fault={
            text.trim() === '' || readTarget(scope, text) !== null
              ? undefined
              : `That is no ${subjectLabels[scope].toLowerCase()}.`
          }
        />
      )}
    </Stack>
  )
}
