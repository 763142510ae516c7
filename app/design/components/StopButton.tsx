import styles from './StopButton.module.css'

/**
 * The emergency stop: red on yellow (ISO 13850), and nothing else on the page is. It opens the stop; it stops nothing itself.
 * In a table's rows it is only drawn: twenty yellow plates would be none.
 */
export function StopButton(props: {
  readonly label: string
  readonly onPress?: () => void
  /** Id of a popover that it opens where no script runs yet. */
  readonly opens?: string
  readonly place?: 'frame' | 'row'
  /** What is stopped, for those who do not see where it stands. */
  readonly what?: string
}) {
  const { label, onPress, opens, place = 'frame', what } = props
  return (
    <button
      type="button"
      className={styles.stop}
      data-place={place}
      aria-haspopup="dialog"
      aria-label={what === undefined ? label : `${label} ${what}`}
      onClick={onPress}
      // Pressed twice in a hurry it stays open.
      {...(opens === undefined ? {} : { popoverTarget: opens, popoverTargetAction: 'show' })}
    >
      <svg className={styles.actuator} viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="10" cy="10" r="8.5" />
        <rect x="8.9" y="4.6" width="2.2" height="6.4" rx="1.1" />
      </svg>
      <span>{label}</span>
    </button>
  )
}
