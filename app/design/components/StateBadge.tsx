import { memo } from 'react'
import type { AgentState } from '../../data/agentState.ts'
import styles from './StateBadge.module.css'

const words: Readonly<Record<AgentState, string>> = { alive: 'Alive', killing: 'Killing', killed: 'Killed' }

/** A state by shape and word: ring, half square, full square. */
export const StateBadge = memo(function StateBadge({
  state,
  note,
}: {
  readonly state: AgentState
  readonly note?: string | undefined
}) {
  return (
    <span className={styles.badge} data-state={state}>
      <svg viewBox="0 0 12 12" className={styles.shape} aria-hidden="true">
        {state === 'alive' ? (
          <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="2" />
        ) : state === 'killed' ? (
          <rect x="1" y="1" width="10" height="10" fill="currentColor" />
        ) : (
          <>
            <rect
              x="1.75"
              y="1.75"
              width="8.5"
              height="8.5"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.5"
            />
            <path d="M1.75 10.25 10.25 1.75V10.25Z" fill="currentColor" />
          </>
        )}
      </svg>
      <span className={styles.word}>{words[state]}</span>
      {note === undefined ? null : <span className={styles.note}>{note}</span>}
    </span>
  )
})
