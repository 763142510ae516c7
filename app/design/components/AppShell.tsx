import type { ReactNode } from 'react'
import styles from './AppShell.module.css'

/** The frame that every page stands in: bar with navigation and the stop, what runs, the page, and how everything fares. */
export function AppShell(props: {
  readonly brand: ReactNode
  readonly navigation: readonly { readonly href: string; readonly name: string; readonly isHere: boolean }[]
  readonly wallet: ReactNode
  readonly stop: ReactNode
  /** Above the page, on all of them. */
  readonly banner: ReactNode
  readonly status: ReactNode
  readonly children: ReactNode
}) {
  const { brand, navigation, wallet, stop, banner, status, children } = props
  return (
    <div className={styles.shell}>
      <button type="button" className={styles.skip} onClick={focusContent}>
        Skip to content
      </button>
      <header className={styles.bar}>
        <div className={styles.brand}>{brand}</div>
        <nav className={styles.navigation} aria-label="Pages">
          {navigation.map(({ href, name, isHere }) => (
            <a key={href} href={href} className={styles.link} aria-current={isHere ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div className={styles.wallet}>{wallet}</div>
        <div className={styles.stop}>{stop}</div>
      </header>
      <div className={styles.banner}>{banner}</div>
      <div className={styles.content}>{children}</div>
      <footer className={styles.status}>{status}</footer>
    </div>
  )
}

/** The address's fragment is the route, so the skip link moves focus itself. */
const focusContent = () => document.getElementById('content')?.focus()
