import { useState } from 'react'
import { settingAt } from '../../../protocol/governance/ballots.ts'
import { Reason } from '../../../protocol/reason.ts'
import { Scope } from '../../../protocol/scope.ts'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Columns, Stack } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { settingWords } from '../../governance/actionWords.ts'
import { killAction } from '../../governance/draftActions.ts'
import { readTarget } from '../../governance/targetInput.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { isTooLong, type KillReason, KillReasonFields } from '../KillReasonFields.tsx'
import { ProposalTable } from './ProposalsPage.tsx'
import { ProposeBox } from './ProposeBox.tsx'
import { type TargetDraft, TargetFields } from './TargetFields.tsx'
import { useProposalViews } from './useProposalView.ts'
import { VotingPage } from './VotingPage.tsx'

const reasons = [
  Reason.Unspecified,
  Reason.Compromised,
  Reason.Misbehaving,
  Reason.PolicyViolation,
  Reason.Drill,
]

/** Votes that stop at once: how they differ, what runs, and how to call one. */
export const EmergencyPage = () => (
  <VotingPage title="Emergency vote">{(voting) => <Emergency voting={voting} />}</VotingPage>
)

function Emergency({ voting }: { readonly voting: Voting }) {
  const all = useProposalViews(voting).filter(({ record }) => record.governor === 'emergency')
  return (
    <>
      <Differences voting={voting} />
      {all.length === 0 ? null : (
        <Panel title="Emergency votes" sources={['chain']} flush>
          <ProposalTable caption="Emergency votes" voting={voting} rows={all} />
        </Panel>
      )}
      <KillForm voting={voting} />
    </>
  )
}

/** The two kinds of vote, side by side. */
function Differences({ voting }: { readonly voting: Voting }) {
  const { settings } = voting.governance
  const value = (governor: 'policy' | 'emergency', name: Parameters<typeof settingWords>[0]): string => {
    const found = settingAt(settings, governor, name)
    return found === null ? 'unknown' : settingWords(name, found)
  }
  return (
    <Columns>
      <Panel title="An emergency vote" sources={['chain']}>
        <Facts>
          <Fact name="Can">
            <strong>only stop</strong>: an agent, a wallet's agents, a type, the fleet. Nothing else, and
            never release.
          </Fact>
          <Fact name="Begins">after {value('emergency', 'votingDelay')}</Fact>
          <Fact name="Ends">
            <strong>as soon as {value('emergency', 'superQuorum')} have voted for it</strong>, else after{' '}
            {value('emergency', 'votingPeriod')}
          </Fact>
          <Fact name="Quorum">{value('emergency', 'quorum')}</Fact>
          <Fact name="Then">anyone executes it at once; there is no timelock</Fact>
          <Fact name="Is lifted">by a policy vote, slowly: two votes and a cool-down between them</Fact>
        </Facts>
      </Panel>
      <Panel title="A policy vote" sources={['chain']}>
        <Facts>
          <Fact name="Can">change policies and powers, and release; it stops nothing</Fact>
          <Fact name="Begins">after {value('policy', 'votingDelay')}</Fact>
          <Fact name="Ends">after {value('policy', 'votingPeriod')}</Fact>
          <Fact name="Quorum">{value('policy', 'quorum')}</Fact>
          <Fact name="Then">waits {value('policy', 'timelockDelay')} in the timelock</Fact>
        </Facts>
      </Panel>
    </Columns>
  )
}

function KillForm({ voting }: { readonly voting: Voting }) {
  const [target, setTarget] = useState<TargetDraft>({ scope: Scope.AgentType, text: '' })
  const [why, setWhy] = useState<KillReason>({ reason: Reason.Misbehaving, text: '' })
  const [text, setText] = useState('')
  const read = readTarget(target.scope, target.text)
  const action =
    read === null || isTooLong(why) ? null : killAction(voting.contracts, read, why.reason, why.text.trim())

  return (
    <>
      <Panel title="Call an emergency vote">
        <Stack>
          <TargetFields label="What to stop" value={target} onChange={setTarget} />
          <KillReasonFields reasons={reasons} value={why} onChange={setWhy} />
        </Stack>
      </Panel>
      <ProposeBox
        voting={voting}
        governor="emergency"
        action={action}
        missing={isTooLong(why) ? 'the words are too long' : 'say what to stop'}
        text={text}
        onText={setText}
      />
    </>
  )
}
