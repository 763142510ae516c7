import type { ReactNode } from 'react'
import styles from './Field.module.css'
import { type FieldProps, Labelled } from './Field.tsx'

/** Several lines of text with their label, hint and fault. */
export function TextArea(
  props: FieldProps & {
    readonly value: string
    readonly onChange: (value: string) => void
    readonly mono?: boolean
    readonly placeholder?: string
    readonly rows?: number
  },
) {
  const { value, onChange, mono = false, placeholder, rows = 4 } = props
  return (
    <Labelled {...props}>
      {(control) => (
        <textarea
          {...control}
          rows={rows}
          data-mono={mono}
          value={value}
          placeholder={placeholder}
          autoComplete="off"
          spellCheck={!mono}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </Labelled>
  )
}

/** Fields side by side where there is room. */
export const Fields = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles.fields}>{children}</div>
)
