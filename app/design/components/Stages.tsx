import { duration } from '../../format.ts'
import styles from './Stages.module.css'

/** One step of something that runs; `from` and `after` in ms since it all began, `after` null while it has not happened. */
export type Stage = {
  readonly name: string
  /** Shown instead of the name where it is long; the name is its title. */
  readonly short?: string
  readonly state: 'done' | 'running' | 'waiting' | 'late'
  readonly from?: number | null
  readonly after: number | null
  readonly note?: string
}

/** Ends of the scale in ms: decades, since confirmations take milliseconds and finality minutes. */
const ticks = [1, 10, 100, 1_000, 10_000, 60_000, 600_000]
const tickNames = ['1 ms', '10 ms', '100 ms', '1 s', '10 s', '1 min', '10 min']

const shareOf = (ms: number, end: number): number => Math.log10(1 + ms) / Math.log10(1 + end)

const barStyle = (from: number, to: number, end: number) => ({
  left: `${shareOf(Math.min(from, to), end) * 100}%`,
  width: `${Math.max(0.6, (shareOf(to, end) - shareOf(Math.min(from, to), end)) * 100)}%`,
})

const shapes: Readonly<Record<Stage['state'], string>> = {
  done: 'M2.5 6.5 5 9l4.5-6',
  running: 'M6 1.5v4.8l3 1.8M6 1.5a4.5 4.5 0 1 1-4.5 4.5',
  waiting: 'M2 6h.6M5.7 6h.6M9.4 6h.6',
  late: 'M6 1.5 11 10.5H1zM6 4.8v2.4M6 8.6v.6',
}
const words: Readonly<Record<Stage['state'], string>> = {
  done: 'done',
  running: 'running',
  waiting: 'waiting',
  late: 'overdue',
}

/**
 * Steps with their times, like a browser's network panel: from 0 at the left, on a scale of decades.
 * @param stoppedAt when everything was stopped, in ms: the red line
 */
export function Stages({
  stages,
  stoppedAt,
}: {
  readonly stages: readonly Stage[]
  readonly stoppedAt: number | null
}) {
  const latest = Math.max(100, ...stages.map(({ after }) => after ?? 0))
  const end = ticks.find((tick) => tick >= latest) ?? latest
  const shown = ticks
    .map((tick, index) => ({ tick, name: tickNames[index] ?? '' }))
    .filter(({ tick }) => tick <= end)
  return (
    <div className={styles.stages}>
      <ol>
        {stages.map((stage) => (
          <li key={stage.name} className={styles.stage} data-state={stage.state}>
            <svg viewBox="0 0 12 12" className={styles.shape} aria-hidden="true">
              <path d={shapes[stage.state]} />
            </svg>
            <span className={styles.name} title={stage.name}>
              {stage.short ?? stage.name}
            </span>
            <span className={styles.track} aria-hidden="true">
              {shown.map(({ tick }) => (
                <span key={tick} className={styles.tick} style={{ left: `${shareOf(tick, end) * 100}%` }} />
              ))}
              {stage.after === null ? null : (
                <span className={styles.bar} style={barStyle(stage.from ?? 0, stage.after, end)} />
              )}
              {stoppedAt === null ? null : (
                <span className={styles.stopped} style={{ left: `${shareOf(stoppedAt, end) * 100}%` }} />
              )}
            </span>
            <span className={styles.after}>
              {stage.after === null ? (stage.note ?? words[stage.state]) : duration(stage.after)}
              {stage.after !== null && stage.note !== undefined ? ` (${stage.note})` : ''}
            </span>
          </li>
        ))}
      </ol>
      <div className={styles.scale} aria-hidden="true">
        {shown.map(({ tick, name }) => (
          <span key={tick} style={{ left: `${shareOf(tick, end) * 100}%` }}>
            {name}
          </span>
        ))}
      </div>
    </div>
  )
}
