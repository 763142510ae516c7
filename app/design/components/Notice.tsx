import type { ReactNode } from 'react'
import type { PlainError } from '../../plainError.ts'
import styles from './Notice.module.css'

/** Something to know before going on. `urgent` ones are read out at once. */
export function Notice(props: {
  readonly title: string
  readonly children?: ReactNode
  readonly actions?: ReactNode
  readonly tone?: 'calm' | 'mark' | 'kill'
  readonly urgent?: boolean
}) {
  const { title, children, actions, tone = 'calm', urgent = false } = props
  return (
    <div className={styles.notice} data-tone={tone} role={urgent ? 'alert' : 'status'}>
      <svg viewBox="0 0 16 16" className={styles.shape} aria-hidden="true">
        {tone === 'mark' ? (
          <path d="M8 1.8 15 14.2H1zM8 6.2v3.9M8 11.6v1" />
        ) : tone === 'kill' ? (
          <rect x="2.5" y="2.5" width="11" height="11" fill="currentColor" />
        ) : (
          <path d="M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 7v4.4M8 4.4v1" />
        )}
      </svg>
      <div className={styles.body}>
        <p className={styles.title}>{title}</p>
        {children === undefined ? null : <div className={styles.text}>{children}</div>}
        {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
      </div>
    </div>
  )
}

/** An error in plain words with its next step; its own words on request. */
export function ErrorNotice({
  error,
  actions,
}: {
  readonly error: PlainError
  readonly actions?: ReactNode
}) {
  return (
    <Notice title={error.title} tone="mark" urgent actions={actions}>
      <p>{error.next}</p>
      <details>
        <summary>Details</summary>
        <pre className={styles.details}>{error.detail}</pre>
      </details>
    </Notice>
  )
}
