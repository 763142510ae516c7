import styles from './Popover.module.css'

/** A note that the browser itself opens and closes, so that it works before any script does. */
export function Popover({
  id,
  title,
  children,
}: {
  readonly id: string
  readonly title: string
  readonly children: string
}) {
  return (
    <div id={id} popover="manual" className={styles.popover} role="status">
      <p className={styles.title}>{title}</p>
      <p>{children}</p>
      <button type="button" className={styles.close} popoverTarget={id} popoverTargetAction="hide">
        Cancel
      </button>
    </div>
  )
}
