/** A span of seconds in the words of a reader: `45 s`, `4 min 10 s`, `2 h 5 min`, `3 d 1 h`. */
export function durationText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const
  const whole = Math.max(0, Math.ceil(seconds))
  const first = units.findIndex(([, size]) => whole >= size)
  if (first < 0) return '0 s'
  let rest = whole
  return units
    .slice(first, first + 2)
    .flatMap(([unit, size]) => {
      const count = Math.floor(rest / size)
      rest -= count * size
      return count > 0 ? [`${count} ${unit}`] : []
    })
    .join(' ')
}

/** A point in time (Unix seconds) as ISO 8601 without fractions. */
export const timeText = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')

/** Milliseconds: `41 ms`, `1.2 s`. */
export const millisecondsText = (ms: number): string =>
  Math.abs(ms) < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
