import { wholeDuration } from '../../format.ts'
import styles from './LifeRing.module.css'

const radius = 7
const around = 2 * Math.PI * radius

/** What is left of a credential's life, as a ring that shrinks; in words beside it. Times in ms. */
export function LifeRing(props: {
  readonly issuedAt: number
  readonly expiresAt: number
  readonly now: number
}) {
  const { issuedAt, expiresAt, now } = props
  const left = Math.max(0, expiresAt - now)
  const share = Math.min(1, left / Math.max(1, expiresAt - issuedAt))
  return (
    <span className={styles.life}>
      <svg viewBox="0 0 18 18" className={styles.ring} aria-hidden="true">
        <circle cx="9" cy="9" r={radius} className={styles.track} />
        <circle
          cx="9"
          cy="9"
          r={radius}
          className={styles.left}
          strokeDasharray={`${share * around} ${around}`}
          transform="rotate(-90 9 9)"
        />
      </svg>
      <span>{left === 0 ? 'expired' : wholeDuration(left)}</span>
    </span>
  )
}
