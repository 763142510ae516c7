import { type ReactNode, useId } from 'react'
import styles from './Field.module.css'

export type FieldProps = {
  readonly label: string
  readonly hint?: ReactNode
  /** What is wrong with the value, read out. */
  readonly fault?: string | undefined
}

/** What a labelled control has of its field. */
type Control = {
  readonly id: string
  readonly className: string | undefined
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string
}

/** A control with its label, and its hint or fault below. */
export function Labelled(props: FieldProps & { readonly children: (control: Control) => ReactNode }) {
  const { label, hint, fault, children } = props
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        className: styles.input,
        'aria-invalid': fault !== undefined,
        'aria-describedby': `${id}-hint`,
      })}
      <p id={`${id}-hint`} className={fault === undefined ? styles.hint : styles.fault}>
        {fault ?? hint}
      </p>
    </div>
  )
}

/** One line of text with its label, hint and fault. */
export function TextField(
  props: FieldProps & {
    readonly value: string
    readonly onChange: (value: string) => void
    readonly mono?: boolean
    readonly placeholder?: string
    readonly type?: 'text' | 'search'
    /** For a whole number. */
    readonly figures?: boolean
  },
) {
  const { value, onChange, mono = false, placeholder, type = 'text', figures } = props
  return (
    <Labelled {...props}>
      {(control) => (
        <input
          {...control}
          type={type}
          inputMode={figures === true ? 'numeric' : undefined}
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

export type Choice<T> = {
  readonly value: T
  readonly label: string
  readonly note?: string
  /** Why it cannot be chosen now. */
  readonly why?: string | undefined
}

/** One of a few, all in sight. */
export function ChoiceField<T extends string | number>(
  props: FieldProps & {
    readonly choices: readonly Choice<T>[]
    readonly value: T
    readonly onChange: (value: T) => void
    readonly compact?: boolean
  },
) {
  const { label, hint, choices, value, onChange, compact = false } = props
  const id = useId()
  return (
    <fieldset className={styles.field}>
      <legend className={styles.legend}>{label}</legend>
      <div className={styles.choices} data-compact={compact}>
        {choices.map((choice) => (
          <label key={choice.value} className={styles.choice} data-off={choice.why !== undefined}>
            <input
              type="radio"
              name={id}
              checked={choice.value === value}
              disabled={choice.why !== undefined}
              onChange={() => onChange(choice.value)}
            />
            <span>
              <span className={styles.choiceLabel}>{choice.label}</span>
              {(choice.why ?? choice.note) === undefined ? null : (
                <span className={styles.choiceNote}>{choice.why ?? choice.note}</span>
              )}
            </span>
          </label>
        ))}
      </div>
      {hint === undefined ? null : <p className={styles.hint}>{hint}</p>}
    </fieldset>
  )
}
