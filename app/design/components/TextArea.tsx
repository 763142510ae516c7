import { type ReactNode, useId } from 'react'
import styles from './Field.module.css'
import type { FieldProps } from './Field.tsx'

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
  const { label, hint, fault, value, onChange, mono = false, placeholder, rows = 4 } = props
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={rows}
        className={styles.input}
        data-mono={mono}
        value={value}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={!mono}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-hint`}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <p id={`${id}-hint`} className={fault === undefined ? styles.hint : styles.fault}>
        {fault ?? hint}
      </p>
    </div>
  )
}

/** Fields side by side where there is room. */
export const Fields = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles.fields}>{children}</div>
)
