import type { ReactNode } from 'react'
import styles from './Empty.module.css'

/** A place where something could be, and what makes it appear. */
export function Empty(props: {
  readonly title: string
  readonly children?: ReactNode
  readonly actions?: ReactNode
}) {
  return (
    <div className={styles.empty}>
      <p className={styles.title}>{props.title}</p>
      {props.children === undefined ? null : <p className={styles.text}>{props.children}</p>}
      {props.actions === undefined ? null : <div className={styles.actions}>{props.actions}</div>}
    </div>
  )
}

/** Something is being read. @param share from 0 to 1, where it is known */
export function Loading({ what, share }: { readonly what: string; readonly share?: number | undefined }) {
  return (
    <div className={styles.empty} role="status">
      <p className={styles.text}>{what}</p>
      <progress
        className={styles.progress}
        max={1}
        {...(share === undefined ? {} : { value: share })}
        aria-label={what}
      />
    </div>
  )
}
