import type { Place, PlacedEvent, ProposalRecord } from '../../protocol/governance/ballots.ts'
import { settingAt } from '../../protocol/governance/ballots.ts'
import type { GovernorName, Plan, SettingName } from '../../protocol/governance/governanceLog.ts'
import type { Policies } from '../../protocol/policy/policies.ts'
import type { Rank } from '../../protocol/rank.ts'
import type { ChainEvent } from '../chain/registryFold.ts'
import { foldPolicies, type Governance } from './governance.ts'

/** What holds before the first action. */
export type Before = {
  readonly policies: Policies
  readonly setting: (governor: GovernorName, name: SettingName) => bigint | null
  readonly cooldown: (rank: Rank) => number | null
  readonly plan: (planId: number) => Plan | null
}

const isBefore = (one: Omit<Place, 'time'>, other: Omit<Place, 'time'>): boolean =>
  one.txHash !== other.txHash &&
  (one.block < other.block || (one.block === other.block && one.logIndex < other.logIndex))

/** What held before a proposal was executed, or holds now where it was not. */
export function beforeOf(
  record: Pick<ProposalRecord, 'executedAt'>,
  governance: Governance,
  chainEvents: readonly ChainEvent[],
): Before {
  const { executedAt } = record
  const earlier = <One extends Omit<Place, 'time'>>(all: readonly One[]): readonly One[] =>
    executedAt === null ? all : all.filter((one) => isBefore(one, executedAt))
  const events: readonly PlacedEvent[] = earlier(governance.events)
  const settings = governance.settings.filter(
    ({ place }) => executedAt === null || isBefore(place, executedAt),
  )
  const registryEvents = earlier(chainEvents)
  return {
    policies: executedAt === null ? governance.policies : foldPolicies(events),
    setting: (governor, name) => settingAt(settings, governor, name),
    cooldown: (rank) => {
      const last = registryEvents.findLast(
        ({ event }) => event.type === 'CooldownChanged' && event.rank === rank,
      )?.event
      return last?.type === 'CooldownChanged' ? last.cooldown : null
    },
    plan: (planId) => {
      const last = events.findLast(
        ({ event }) => event.type === 'PlanSet' && event.plan.planId === planId,
      )?.event
      return last?.type === 'PlanSet' ? last.plan : null
    },
  }
}
