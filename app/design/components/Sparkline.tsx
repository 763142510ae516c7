import styles from './Sparkline.module.css'

const width = 64
const height = 18

/** The course of a number, oldest first, from zero to its own highest. Its latest value stands beside it in figures. */
export function Sparkline({ values, unit }: { readonly values: readonly number[]; readonly unit: string }) {
  const latest = values.at(-1) ?? 0
  const highest = Math.max(1, ...values)
  const step = width / Math.max(1, values.length - 1)
  const points = values.map(
    (value, index) =>
      `${(index * step).toFixed(1)},${(height - 1 - (value / highest) * (height - 2)).toFixed(1)}`,
  )
  return (
    <span className={styles.sparkline}>
      <svg viewBox={`0 0 ${width} ${height}`} className={styles.line} aria-hidden="true">
        {points.length > 1 ? <polyline points={points.join(' ')} /> : null}
      </svg>
      <span>
        {latest.toFixed(1)}
        <span className={styles.unit}>{unit}</span>
      </span>
    </span>
  )
}
