import { type ReactNode, useEffect } from 'react'
import styles from './Layout.module.css'

/** A page: its heading, what can be done on it, and its parts one below the other. */
export function Page(props: {
  readonly title: ReactNode
  /** What the browser's tab says, where the title is more than words. */
  readonly name?: string
  readonly actions?: ReactNode
  readonly children: ReactNode
  /** For forms and prose: lines stay short. */
  readonly narrow?: boolean
}) {
  const { title, name = title, actions, children, narrow = false } = props
  useEffect(() => {
    document.title = typeof name === 'string' && name !== '' ? `${name} · Killswitch` : 'Killswitch'
  }, [name])
  return (
    <main className={styles.page} data-narrow={narrow} id="content" tabIndex={-1}>
      <header className={styles.header}>
        <h1>{title}</h1>
        {actions === undefined ? null : <div className={styles.row}>{actions}</div>}
      </header>
      {children}
    </main>
  )
}

/** Parts one below the other. */
export const Stack = ({
  children,
  tight = false,
}: {
  readonly children: ReactNode
  readonly tight?: boolean
}) => (
  <div className={styles.stack} data-tight={tight}>
    {children}
  </div>
)

/** Things side by side that wrap. */
export const Row = ({
  children,
  spread = false,
}: {
  readonly children: ReactNode
  readonly spread?: boolean
}) => (
  <div className={styles.row} data-spread={spread}>
    {children}
  </div>
)

/** Two columns where there is room, the first one wider. */
export const Columns = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles.columns}>{children}</div>
)

/** Secondary words. */
export const Muted = ({ children }: { readonly children: ReactNode }) => (
  <span className={styles.muted}>{children}</span>
)

/** Identifiers and figures that are not copied. */
export const Mono = ({ children }: { readonly children: ReactNode }) => (
  <span className={styles.mono}>{children}</span>
)

/** Read out when it changes; takes no room while it is empty. */
export const Live = ({ children }: { readonly children: ReactNode }) => (
  <div className={styles.live} aria-live="polite">
    {children}
  </div>
)

/** For screen readers only. */
export const Unseen = ({ children }: { readonly children: ReactNode }) => (
  <span className={styles.unseen}>{children}</span>
)
