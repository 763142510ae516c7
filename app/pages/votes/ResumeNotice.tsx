import { rankName } from '../../../protocol/rank.ts'
import type { Target } from '../../../protocol/scope.ts'
import { type ResumeTerms, resumeTerms } from '../../chain/resumeTerms.ts'
import { useStore } from '../../data/useStore.ts'
import { Muted } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { dateTime, wholeDuration } from '../../format.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useServices } from '../../services.ts'

/** What stands between a target and its release by votes; of an owner's kill the action itself tells. */
export function ResumeNotice({ voting, target }: { readonly voting: Voting; readonly target: Target }) {
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  if (registry === null) return null
  const terms = resumeTerms(registry, voting.contracts.timelock, target, voting.now)
  return <TermsNotice terms={terms} />
}

function TermsNotice({ terms }: { readonly terms: ResumeTerms }) {
  switch (terms.kind) {
    case 'owner alone':
      return null
    case 'nothing to lift':
      return (
        <Notice title="It is not stopped" tone="mark">
          There is nothing to release now.
        </Notice>
      )
    case 'not yours':
      return (
        <Notice title="Votes do not reach this kill" tone="mark">
          It takes rank {rankName(terms.required)}.
        </Notice>
      )
    case 'key needed':
      return <Muted>It was transferred; its owner has to give it a new key first.</Muted>
    case 'request first':
      return (
        <Muted>
          Ask first. From then on a cool-down of {wholeDuration(terms.cooldown * 1000)} runs.
          {terms.voided ? ' The earlier request was voided by a later kill.' : ''}
        </Muted>
      )
    case 'cooling down':
      return <Muted>Asked for already; it can be released from {dateTime(terms.readyAt * 1000)} on.</Muted>
    case 'ready':
      return <Muted>Asked for, and the cool-down is over: it can be released.</Muted>
  }
}
