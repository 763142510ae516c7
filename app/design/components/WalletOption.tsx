import styles from './WalletOption.module.css'

/** A wallet to choose. */
export function WalletOption(props: {
  readonly name: string
  readonly note?: string
  /** Data URI that the wallet announced. */
  readonly icon: string | undefined
  readonly busy: boolean
  readonly onPress: () => void
}) {
  const { name, note, icon, busy, onPress } = props
  return (
    <button type="button" className={styles.option} aria-busy={busy} onClick={onPress}>
      {icon === undefined ? (
        <span className={styles.icon} />
      ) : (
        <img className={styles.icon} src={icon} alt="" />
      )}
      <span className={styles.words}>
        <span className={styles.name}>{name}</span>
        <span className={styles.note}>{busy ? 'Waiting for the wallet …' : note}</span>
      </span>
    </button>
  )
}
