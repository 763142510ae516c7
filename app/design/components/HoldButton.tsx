import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import styles from './HoldButton.module.css'

/**
 * The emergency stop's actuator: held for `hold` ms by pointer, Space or Enter. Who presses without holding (a screen
 * reader's click, a switch) is asked to press once more instead: both are deliberate, neither needs strength.
 */
export function HoldButton(props: {
  readonly label: string
  readonly onHeld: () => void
  /** ms */
  readonly hold?: number
  readonly disabled?: boolean
}) {
  const { label, onHeld, hold = 800, disabled = false } = props
  const [holding, setHolding] = useState(false)
  const [armed, setArmed] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const pressed = useRef(false)

  useEffect(() => () => clearTimeout(timer.current), [])
  useEffect(() => {
    if (!armed) return
    const disarm = setTimeout(() => setArmed(false), 5_000)
    return () => clearTimeout(disarm)
  }, [armed])

  const press = () => {
    if (disabled || pressed.current) return
    pressed.current = true
    setHolding(true)
    timer.current = setTimeout(() => {
      setHolding(false)
      onHeld()
    }, hold)
  }
  const release = () => {
    clearTimeout(timer.current)
    pressed.current = false
    setHolding(false)
  }
  const isKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter'

  return (
    <div className={styles.box}>
      <button
        type="button"
        className={styles.actuator}
        data-holding={holding}
        disabled={disabled}
        style={{ '--hold': `${hold}ms` } as React.CSSProperties}
        onPointerDown={(event) => {
          if (event.button !== 0) return
          event.currentTarget.setPointerCapture(event.pointerId)
          press()
        }}
        onPointerUp={release}
        onPointerCancel={release}
        onLostPointerCapture={release}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => {
          if (!isKey(event)) return
          event.preventDefault()
          if (!event.repeat) press()
        }}
        onKeyUp={(event) => {
          if (isKey(event)) release()
        }}
        onBlur={release}
        onClick={(event) => {
          // Detail is 0 for clicks that no pointer made: assistive technology. Keys are held, see above.
          if (event.detail !== 0) return
          if (armed) onHeld()
          setArmed(!armed)
        }}
      >
        <span className={styles.fill} aria-hidden="true" />
        <span className={styles.label}>{armed ? `Press again: ${label}` : label}</span>
      </button>
      <p className={styles.hint} aria-live="polite">
        {armed
          ? 'Press once more within 5 seconds.'
          : holding
            ? 'Keep holding …'
            : 'Hold the button, or Space or Enter.'}
      </p>
    </div>
  )
}
