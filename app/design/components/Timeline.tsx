import type { ReactNode } from 'react'
import styles from './Timeline.module.css'

/** One thing that happened. */
export type TimelineEntry = {
  readonly key: string
  readonly time: string
  readonly title: string
  readonly note?: ReactNode
  readonly isKill: boolean
}

/** What happened, newest first. */
export function Timeline({ entries }: { readonly entries: readonly TimelineEntry[] }) {
  return (
    <ol className={styles.timeline}>
      {entries.map(({ key, time, title, note, isKill }) => (
        <li key={key} className={styles.entry} data-kill={isKill}>
          <span className={styles.time}>{time}</span>
          <span className={styles.what}>
            <span className={styles.title}>{title}</span>
            {note === undefined ? null : <span className={styles.note}>{note}</span>}
          </span>
        </li>
      ))}
    </ol>
  )
}
