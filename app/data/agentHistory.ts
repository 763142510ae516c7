import { coveringTargets } from '../../protocol/liveness.ts'
import { rankName } from '../../protocol/rank.ts'
import { reasonName } from '../../protocol/reason.ts'
import type { Agent } from '../../protocol/registry.ts'
import { Scope, subjectLabel, type Target } from '../../protocol/scope.ts'
import type { ChainEvent } from '../chain/registryFold.ts'
import type { TimelineEntry } from '../design/components/Timeline.tsx'
import { dateTime, shortHex } from '../format.ts'
import type { CoveringKill } from './agentState.ts'

type KilledEvent = ChainEvent['event'] & { readonly type: 'Killed' }

/** What a target is called in a sentence. */
export function targetWords(target: Target): string {
  const label = subjectLabel(target)
  switch (target.scope) {
    case Scope.Agent:
      return 'this agent'
    case Scope.Owner:
      return `all agents of ${shortHex(label)}`
    case Scope.AgentType:
      return `all agents of type ${label}`
    case Scope.Fleet:
      return 'the whole fleet'
  }
}

/** The event of the kill that covers the agent; null while the chain does not tell of it, whatever it told of before. */
export function standingKill(
  agent: Agent,
  { source, scope }: CoveringKill,
  events: readonly ChainEvent[],
): KilledEvent | null {
  if (source === 'feed') return null
  const target = coveringTargets(agent).find((one) => one.scope === scope)
  for (const { event } of events.toReversed())
    if (event.type === 'Killed' && event.scope === scope && event.subject === target?.subject) return event
  return null
}

/** What the chain tells of an agent, latest first. */
export function agentHistory(agent: Agent, events: readonly ChainEvent[]): readonly TimelineEntry[] {
  const covers = (target: Target) =>
    coveringTargets(agent).some(({ scope, subject }) => scope === target.scope && subject === target.subject)
  const entries: TimelineEntry[] = []
  for (const { event, block, logIndex, time, txHash } of events) {
    const told = words(event, agent, covers)
    if (told === null) continue
    const [title, note] = told
    entries.push({
      key: `${txHash}:${logIndex}`,
      time: time === 0 ? `block ${block}` : dateTime(time * 1000),
      title,
      isKill: event.type === 'Killed',
      ...(note === '' ? {} : { note }),
    })
  }
  return entries.reverse()
}

function words(
  event: ChainEvent['event'],
  agent: Agent,
  covers: (target: Target) => boolean,
): readonly [title: string, note: string] | null {
  switch (event.type) {
    case 'AgentRegistered':
      return event.uuid === agent.uuid ? ['Registered', `by ${shortHex(event.owner)}`] : null
    case 'AgentTransferred':
      return event.uuid === agent.uuid
        ? ['Transferred', `from ${shortHex(event.formerOwner)} to ${shortHex(event.newOwner)}`]
        : null
    case 'KeyChanged':
      return event.uuid === agent.uuid ? ['Key changed', ''] : null
    case 'AgentWalletChanged':
      return event.uuid === agent.uuid
        ? [event.agentWallet === null ? 'Agent wallet cleared' : 'Agent wallet set', event.agentWallet ?? '']
        : null
    case 'Killed':
      return covers(event)
        ? [
            `Killed: ${targetWords(event)}`,
            `by ${shortHex(event.authority)}, rank ${rankName(event.rank)}, ${event.orderDigest === null ? 'by transaction' : 'by signed order'}; ${reasonName(event.reason)}${event.text === '' ? '' : `: ${event.text}`}`,
          ]
        : null
    case 'ResumeRequested':
      return covers(event)
        ? [
            `Resume requested: ${targetWords(event)}`,
            `by ${shortHex(event.authority)}, possible from ${dateTime(event.readyAt * 1000)}`,
          ]
        : null
    case 'Resumed':
      return covers(event) ? [`Resumed: ${targetWords(event)}`, `by ${shortHex(event.authority)}`] : null
    case 'RankLowered':
      return covers(event)
        ? [
            `Lifted above its owner’s kill: ${targetWords(event)}`,
            `by ${shortHex(event.authority)}; still killed, rank Owner`,
          ]
        : null
    default:
      return null
  }
}
