import type { AgentState } from '../../data/agentState.ts'
import styles from './AgentList.module.css'
import { SpiffeId } from './SpiffeId.tsx'
import { StateBadge } from './StateBadge.tsx'

/** How many are drawn; the rest is counted. */
const shown = 50

/** Agents with their states, as short as they can be; scrolls when there are many. */
export function AgentList(props: {
  readonly agents: readonly { readonly spiffeId: string; readonly state: AgentState }[]
}) {
  const { agents } = props
  if (agents.length === 0) return null
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <ul className={styles.list} tabIndex={0} aria-label="Agents">
      {agents.slice(0, shown).map(({ spiffeId, state }) => (
        <li key={spiffeId} className={styles.item}>
          <SpiffeId id={spiffeId} />
          <StateBadge state={state} />
        </li>
      ))}
      {agents.length > shown ? <li className={styles.item}>and {agents.length - shown} more</li> : null}
    </ul>
  )
}
