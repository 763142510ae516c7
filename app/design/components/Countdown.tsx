import { wholeDuration } from '../../format.ts'
import styles from './Countdown.module.css'

/** Time that has to pass, as words and as a bar that fills. Times in Unix seconds. */
export function Countdown(props: { readonly from: number; readonly to: number; readonly now: number }) {
  const { from, to, now } = props
  const left = Math.max(0, to - now)
  return (
    <div className={styles.countdown}>
      <span className={styles.left}>{wholeDuration(left * 1000)} left</span>
      <progress
        className={styles.bar}
        max={Math.max(1, to - from)}
        value={to - from - left}
        aria-label="Cool-down"
      />
    </div>
  )
}
