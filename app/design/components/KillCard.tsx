import type { AgentState } from '../../data/agentState.ts'
import { duration } from '../../format.ts'
import styles from './KillCard.module.css'
import { type Stage, Stages } from './Stages.tsx'
import { StateBadge } from './StateBadge.tsx'

/** One kill: a line that says how it stands, and its waterfall below. */
export function KillCard(props: {
  readonly title: string
  readonly state: AgentState
  readonly time: string
  readonly ago: string
  readonly outcome: string
  readonly detail: string
  readonly stages: readonly Stage[]
  /** ms */
  readonly stoppedAt: number | null
  readonly note: string | null
  readonly isOpen: boolean
}) {
  const { title, state, time, ago, outcome, detail, stages, stoppedAt, note, isOpen } = props
  return (
    <details className={styles.kill} open={isOpen}>
      <summary className={styles.summary}>
        <StateBadge state={state} />
        <span className={styles.title} title={title}>
          {title}
        </span>
        <span className={styles.outcome}>{outcome}</span>
        <span className={styles.after}>{stoppedAt === null ? '' : duration(stoppedAt)}</span>
        <time className={styles.time} title={time}>
          {ago}
        </time>
      </summary>
      <div className={styles.body}>
        <p className={styles.detail}>
          {time}: {detail}
        </p>
        <Stages stages={stages} stoppedAt={stoppedAt} />
        {note === null ? null : <p className={styles.detail}>Not on chain yet: {note}</p>}
      </div>
    </details>
  )
}
