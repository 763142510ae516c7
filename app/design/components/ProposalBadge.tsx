import type { ProposalState } from '../../../protocol/governance/ballots.ts'
import styles from './ProposalBadge.module.css'

const shapes: Readonly<Record<ProposalState, string>> = {
  pending: 'M2 6h.6M5.7 6h.6M9.4 6h.6',
  active: 'M6 1.5v4.8l3 1.8M6 1.5a4.5 4.5 0 1 1-4.5 4.5',
  succeeded: 'M2.5 6.5 5 9l4.5-6',
  queued: 'M3 1.5h6M3 10.5h6M3.5 1.5c0 3 5 6 5 9M8.5 1.5c0 3-5 6-5 9',
  expired: 'M6 1.5v4.8l3 1.8M6 1.5a4.5 4.5 0 1 1-4.5 4.5M1.5 1.5l9 9',
  executed: 'M1.5 1.5h9v9h-9zM3.5 6.2 5.2 8l3.3-4',
  defeated: 'm2.5 2.5 7 7m0-7-7 7',
  canceled: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M3 9l6-6',
}

/** Where a proposal stands, by shape and word. */
export const ProposalBadge = ({ state, name }: { readonly state: ProposalState; readonly name: string }) => (
  <span className={styles.badge} data-state={state}>
    <svg viewBox="0 0 12 12" className={styles.shape} aria-hidden="true">
      <path d={shapes[state]} />
    </svg>
    {name}
  </span>
)
