import { toHex } from 'viem'
import type { PlacedEvent } from '../../../protocol/governance/ballots.ts'
import type { KillPolicy } from '../../../protocol/policy/killPolicy.ts'
import { Link } from '../../design/components/Link.tsx'
import { Timeline } from '../../design/components/Timeline.tsx'
import { dateTime } from '../../format.ts'
import { proposalHref } from '../../frame/routes.ts'
import { policyChanges } from '../../governance/policyFields.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { voteBehind } from '../../governance/voteBehind.ts'

/** Every version, latest first, with what it changed and the vote that did. */
export function PolicyHistory(props: {
  readonly voting: Voting
  readonly agentType: string | null
  readonly events: readonly PlacedEvent[]
}) {
  const { voting, agentType, events } = props
  let before: KillPolicy | null = null
  const entries = events.flatMap(({ event, ...place }) => {
    if (event.type !== 'PolicyChanged' || event.change.type === 'AgentAdmitted') return []
    const { change } = event
    if (change.agentType !== agentType) return []
    const policy = change.type === 'PolicySet' ? change.policy : null
    const changes = before === null || policy === null ? null : policyChanges(before, policy)
    before = policy
    const vote = voteBehind(voting.contracts, voting.governance.proposals.values(), place, change)
    return [
      {
        key: String(change.version),
        time: place.time === 0 ? `block ${place.block}` : dateTime(place.time * 1000),
        title: `Version ${change.version}${policy === null ? ': removed' : ''}`,
        note: (
          <>
            {changes === null
              ? policy === null
                ? 'The default alone holds.'
                : 'Set anew.'
              : changes.length === 0
                ? 'No field changed.'
                : changes
                    .map(({ field, before: old, after }) => `${field}: ${old} → ${after}`)
                    .join('; ')}{' '}
            {vote === undefined ? (
              'Not by a vote.'
            ) : (
              <Link href={proposalHref(vote.governor, toHex(vote.id, { size: 32 }))}>The vote</Link>
            )}
          </>
        ),
        isKill: false,
      },
    ]
  })
  return <Timeline entries={entries.reverse()} />
}
