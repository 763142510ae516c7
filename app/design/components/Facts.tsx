import type { ReactNode } from 'react'
import styles from './Facts.module.css'

/** Names and values, one per line. @param inset with padding, within a flush panel */
export const Facts = ({
  children,
  inset = false,
}: {
  readonly children: ReactNode
  readonly inset?: boolean
}) => (
  <dl className={styles.facts} data-inset={inset}>
    {children}
  </dl>
)

export const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div className={styles.fact}>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
