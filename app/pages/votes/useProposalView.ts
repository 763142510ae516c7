import { useMemo } from 'react'
import {
  type ProposalRecord,
  type ProposalState,
  proposalState,
  type Thresholds,
  thresholdsAt,
} from '../../../protocol/governance/ballots.ts'
import { useStore } from '../../data/useStore.ts'
import { type ActionView, actionViews, proposalTitle } from '../../governance/actionView.ts'
import { beforeOf } from '../../governance/before.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useServices } from '../../services.ts'

/** A proposal as it is shown. */
export type ProposalView = {
  readonly record: ProposalRecord
  readonly state: ProposalState
  readonly thresholds: Thresholds
  readonly views: readonly ActionView[]
  /** From what its actions do, never from its description. */
  readonly title: string
}

/** Every proposal as it is shown, newest first. */
export function useProposalViews(voting: Voting): readonly ProposalView[] {
  const { chain } = useServices()
  const { events } = useStore(chain.view)
  const { governance, contracts, now } = voting
  const read = useMemo(
    () =>
      [...governance.proposals.values()].reverse().map((record) => {
        const views = actionViews(contracts, record.proposal.actions, beforeOf(record, governance, events))
        return {
          record,
          views,
          title: proposalTitle(views),
          thresholds: thresholdsAt(governance.settings, record.governor, governance.supply, record.snapshot),
        }
      }),
    [governance, contracts, events],
  )
  return read.map((one) => ({ ...one, state: proposalState(one.record, one.thresholds, now) }))
}
