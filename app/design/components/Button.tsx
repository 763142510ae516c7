import type { ReactNode } from 'react'
import styles from './Button.module.css'

/** A plain action. `why` is for one that cannot be taken now: it stays reachable and says why. */
export function Button(props: {
  readonly children: ReactNode
  readonly onPress: () => void
  readonly kind?: 'strong' | 'plain' | 'quiet'
  readonly why?: string | undefined
  readonly busy?: boolean
  readonly wide?: boolean
  readonly label?: string
}) {
  const { children, onPress, kind = 'plain', why, busy = false, wide = false, label } = props
  const isOff = why !== undefined || busy
  return (
    <button
      type="button"
      className={styles.button}
      data-kind={kind}
      data-wide={wide}
      aria-disabled={isOff}
      aria-label={label}
      title={why}
      onClick={() => {
        if (!isOff) onPress()
      }}
    >
      {children}
      {why === undefined ? null : <span className={styles.why}>({why})</span>}
    </button>
  )
}
