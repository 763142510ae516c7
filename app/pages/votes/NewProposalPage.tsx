import { useState } from 'react'
import { Scope, subjectLabel } from '../../../protocol/scope.ts'
import { useStore } from '../../data/useStore.ts'
import { Loading } from '../../design/components/Empty.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { href, routes } from '../../frame/routes.ts'
import { admitAction, resumeAction } from '../../governance/draftActions.ts'
import { readTarget, subjectLabels } from '../../governance/targetInput.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useMinCooldown } from '../../governance/useMinCooldown.ts'
import { useServices } from '../../services.ts'
import { PolicyForm } from './PolicyForm.tsx'
import { ProposeBox } from './ProposeBox.tsx'
import { ResumeNotice } from './ResumeNotice.tsx'
import { type TargetDraft, TargetFields } from './TargetFields.tsx'
import { VotingPage } from './VotingPage.tsx'

type Kind = 'default' | 'type' | 'admission' | 'release'

/** A proposal to the slow votes: of a policy, an admission to one, or a release. */
export const NewProposalPage = () => (
  <VotingPage title="New proposal" actions={<Link href={href(routes.proposals)}>All proposals</Link>}>
    {(voting) => <Forms voting={voting} />}
  </VotingPage>
)

function Forms({ voting }: { readonly voting: Voting }) {
  const [kind, setKind] = useState<Kind>('default')
  const minCooldown = useMinCooldown()
  return (
    <>
      <Panel title="What should change">
        <ChoiceField
          label="Kind"
          value={kind}
          onChange={setKind}
          choices={[
            {
              value: 'default',
              label: 'The default policy',
              note: 'Under which conditions any agent is stopped.',
            },
            {
              value: 'type',
              label: 'The policy of an agent type',
              note: 'It tightens the default for its agents, or holds alone for those that votes admit.',
            },
            {
              value: 'admission',
              label: 'An admission',
              note: "Lets one agent have its type's policy alone, or ends that.",
            },
            {
              value: 'release',
              label: 'A release',
              note: 'Brings back what the council, a breaker or a vote has stopped. It stands alone in its proposal.',
            },
          ]}
        />
        <p>
          To stop agents, <Link href={href(routes.emergency)}>call an emergency vote</Link>: it is faster.
        </p>
      </Panel>
      {kind === 'release' ? (
        <ReleaseForm voting={voting} />
      ) : kind === 'admission' ? (
        <AdmissionForm voting={voting} />
      ) : minCooldown === undefined ? (
        <Loading what="Reading the bounds …" />
      ) : (
        <PolicyForm key={kind} voting={voting} ofType={kind === 'type'} minCooldown={minCooldown} />
      )}
    </>
  )
}

function ReleaseForm({ voting }: { readonly voting: Voting }) {
  const [target, setTarget] = useState<TargetDraft>({ scope: Scope.AgentType, text: '' })
  const [step, setStep] = useState<'request' | 'resume'>('request')
  const [text, setText] = useState('')
  const read = readTarget(target.scope, target.text)
  return (
    <>
      <Panel title="Release">
        <Stack>
          <TargetFields label="What to release" value={target} onChange={setTarget} />
          <ChoiceField
            label="Step"
            value={step}
            onChange={setStep}
            choices={[
              {
                value: 'request',
                label: 'Ask for the release',
                note: 'Starts the cool-down. Always the first vote.',
              },
              {
                value: 'resume',
                label: 'Release',
                note: 'Works once the cool-down of the first step is over; both may be voted on at once.',
              },
            ]}
          />
          {read === null ? null : <ResumeNotice voting={voting} target={read} />}
        </Stack>
      </Panel>
      <ProposeBox
        voting={voting}
        governor="policy"
        action={read === null ? null : resumeAction(voting.contracts, read, step)}
        missing="say what to release"
        text={text}
        onText={setText}
        mayFailNow
      />
    </>
  )
}

function AdmissionForm({ voting }: { readonly voting: Voting }) {
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  const [agentText, setAgent] = useState('')
  const [way, setWay] = useState<'admit' | 'dismiss'>('admit')
  const [text, setText] = useState('')
  const target = readTarget(Scope.Agent, agentText)
  const agent = target === null ? undefined : registry?.agents.get(subjectLabel(target))
  return (
    <>
      <Panel title="Admission">
        <Stack>
          <TextField
            label={subjectLabels[Scope.Agent]}
            mono
            value={agentText}
            onChange={setAgent}
            hint={
              agent === undefined
                ? undefined
                : `Type ${agent.agentType ?? 'none yet'}, owned by ${agent.owner}: it counts whenever this owner has it.`
            }
            fault={
              agentText.trim() === '' || agent !== undefined ? undefined : 'The chain knows no such agent.'
            }
          />
          <ChoiceField
            label="What"
            compact
            value={way}
            onChange={setWay}
            choices={[
              { value: 'admit', label: 'Admit it' },
              { value: 'dismiss', label: 'End its admission' },
            ]}
          />
        </Stack>
      </Panel>
      <ProposeBox
        voting={voting}
        governor="policy"
        action={
          agent === undefined
            ? null
            : admitAction(voting.contracts, agent.uuid, way === 'admit' ? agent.owner : null)
        }
        missing="name an agent"
        text={text}
        onText={setText}
      />
    </>
  )
}
