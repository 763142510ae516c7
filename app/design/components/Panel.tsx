import { type ReactNode, useId } from 'react'
import styles from './Panel.module.css'
import { Source, type SourceName } from './Source.tsx'

/** A titled part of a page that says where its content comes from. */
export function Panel(props: {
  readonly title: string
  readonly sources?: readonly SourceName[]
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** Without padding, for tables. */
  readonly flush?: boolean
}) {
  const { title, sources = [], actions, children, flush = false } = props
  const id = useId()
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <header className={styles.header}>
        <h2 id={id}>{title}</h2>
        {sources.map((source) => (
          <Source key={source} of={source} />
        ))}
        {actions === undefined ? null : <div className={styles.actions}>{actions}</div>}
      </header>
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  )
}

/** A bar within a flush panel, above its table. */
export const PanelBar = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles.bar}>{children}</div>
)
