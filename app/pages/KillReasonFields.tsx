import { maxTextBytes, reasonName } from '../../protocol/reason.ts'
import { ChoiceField, TextField } from '../design/components/Field.tsx'
import { Stack } from '../design/components/Layout.tsx'

/** Why a kill is made, as far as a form has it. */
export type KillReason = { readonly reason: number; readonly text: string }

/** Whether the words are more than a kill may carry. */
export const isTooLong = ({ text }: KillReason): boolean =>
  new TextEncoder().encode(text).length > maxTextBytes

export function KillReasonFields(props: {
  /** Codes to choose from. */
  readonly reasons: readonly number[]
  readonly value: KillReason
  readonly onChange: (value: KillReason) => void
}) {
  const { reasons, value, onChange } = props
  return (
    <Stack>
      <ChoiceField
        label="Reason"
        compact
        value={value.reason}
        onChange={(reason) => onChange({ ...value, reason })}
        choices={reasons.map((reason) => ({ value: reason, label: reasonName(reason) }))}
      />
      <TextField
        label="Words to go with it"
        value={value.text}
        onChange={(text) => onChange({ ...value, text })}
        hint="Optional. Public: they stand on the chain and in what services answer to the agent."
        fault={isTooLong(value) ? `At most ${maxTextBytes} bytes.` : undefined}
      />
    </Stack>
  )
}
