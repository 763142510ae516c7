import styles from './Health.module.css'

export type HealthState = 'good' | 'doubtful' | 'bad'

/** How something fares, by shape and words. */
export function Health(props: {
  readonly name: string
  readonly state: HealthState
  readonly words: string
  readonly title?: string | undefined
}) {
  const { name, state, words, title } = props
  return (
    <span className={styles.health} data-state={state} title={title}>
      <svg viewBox="0 0 10 10" className={styles.shape} aria-hidden="true">
        {state === 'good' ? (
          <circle cx="5" cy="5" r="3.5" fill="currentColor" />
        ) : state === 'doubtful' ? (
          <path d="M5 1 9.4 9H.6z" fill="none" stroke="currentColor" strokeWidth="1.3" />
        ) : (
          <path d="m1.5 1.5 7 7m0-7-7 7" stroke="currentColor" strokeWidth="1.6" />
        )}
      </svg>
      <span className={styles.name}>{name}</span>
      <span className={styles.words}>{words}</span>
    </span>
  )
}
