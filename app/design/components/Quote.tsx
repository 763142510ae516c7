import type { ReactNode } from 'react'
import styles from './Quote.module.css'

/** What somebody else wrote: as text only, set apart from what the page says itself. */
export const Quote = ({ children }: { readonly children: string }) => (
  <blockquote className={styles.quote} dir="ltr">
    {children}
  </blockquote>
)

/** Bytes or code, as they are. @param label what it is */
export const Verbatim = ({ children, label }: { readonly children: string; readonly label: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
  <section className={styles.bytes} tabIndex={0} aria-label={label}>
    <pre>{children}</pre>
  </section>
)

/** What is one click away. */
export const More = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <details className={styles.more}>
    <summary>{title}</summary>
    {children}
  </details>
)
