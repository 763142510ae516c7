import styles from './Tabs.module.css'

/** Pages that belong together, as links. */
export const Tabs = (props: {
  readonly label: string
  readonly tabs: readonly { readonly href: string; readonly name: string; readonly isHere: boolean }[]
}) => (
  <nav className={styles.tabs} aria-label={props.label}>
    {props.tabs.map(({ href, name, isHere }) => (
      <a key={href} href={href} className={styles.tab} aria-current={isHere ? 'page' : undefined}>
        {name}
      </a>
    ))}
  </nav>
)
