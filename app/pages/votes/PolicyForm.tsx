import { useState } from 'react'
import { initialPolicy, type KillPolicy, looserLimits } from '../../../protocol/policy/killPolicy.ts'
import { isAgentType } from '../../../protocol/spiffeId.ts'
import { Button } from '../../design/components/Button.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Stack } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { removePolicyAction, setPolicyAction } from '../../governance/draftActions.ts'
import { draftOf, type PolicyDraft, readDraft } from '../../governance/policyDraft.ts'
import {
  type DocumentField,
  documentFields,
  limitFields,
  policyChanges,
} from '../../governance/policyFields.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { DocumentFields, LimitFields } from './PolicyFields.tsx'
import { ProposeBox } from './ProposeBox.tsx'

type Way = 'tightens' | 'by admission' | 'remove'

/** A policy to be proposed: every field, within its bounds. @param minCooldown in seconds */
export function PolicyForm(props: {
  readonly voting: Voting
  readonly ofType: boolean
  readonly minCooldown: number
}) {
  const { voting, ofType, minCooldown } = props
  const { policies } = voting.governance
  const base = policies.default?.policy ?? initialPolicy
  const [agentType, setType] = useState('')
  const [way, setWay] = useState<Way>('tightens')
  const [text, setText] = useState('')
  const [changed, setChanged] = useState<PolicyDraft | null>(null)

  const isType = isAgentType(agentType)
  const own = ofType && isType ? (policies.types.get(agentType) ?? null) : null
  const version = (ofType ? own : policies.default)?.version ?? 0
  const current: KillPolicy = own?.policy ?? base
  const draft = changed ?? draftOf(current)
  const { policy, faults } = readDraft(draft, minCooldown)
  const looser =
    policy !== null && ofType && way === 'tightens' ? looserLimits(base.limits, policy.limits) : []
  const isSame = policy !== null && policyChanges(current, policy).length === 0
  const whyNot =
    ofType && !isType
      ? 'enter a type'
      : ofType && way === 'remove'
        ? null
        : policy === null
          ? 'a field is out of its bounds'
          : looser.length > 0
            ? 'it is looser than the default'
            : isSame && (!ofType || own?.byAdmission === (way === 'by admission'))
              ? 'change a field'
              : null
  const action =
    whyNot !== null
      ? null
      : ofType && way === 'remove'
        ? removePolicyAction(voting.contracts, agentType, version)
        : policy === null
          ? null
          : setPolicyAction(
              voting.contracts,
              ofType ? agentType : null,
              policy,
              way === 'by admission',
              version,
            )

  return (
    <>
      {ofType ? (
        <Panel title="Agent type">
          <TextField
            label="Type"
            mono
            value={agentType}
            onChange={(next) => {
              setType(next)
              setChanged(null)
            }}
            placeholder="trader"
            hint={
              isType
                ? own?.policy == null
                  ? 'It has no policy of its own yet: the fields below start from the default.'
                  : `Its policy has version ${own.version}.`
                : undefined
            }
            fault={
              agentType === '' || isType ? undefined : 'Only a-z, 0-9 and -, at most 32; not a reserved type.'
            }
          />
          <ChoiceField
            label="How it holds"
            value={way}
            onChange={setWay}
            choices={[
              {
                value: 'tightens',
                label: 'With the default',
                note: 'The tighter of each field, for all its agents.',
              },
              {
                value: 'by admission',
                label: 'By admission',
                note: 'Alone, also where it is looser, but only for agents that votes admit.',
              },
              {
                value: 'remove',
                label: 'Not at all',
                note: "Removes the type's policy; the default alone holds.",
              },
            ]}
          />
        </Panel>
      ) : null}
      {way === 'remove' && ofType ? null : (
        <Panel
          title={ofType ? 'Its policy' : 'The default policy'}
          actions={
            changed === null ? null : (
              <Button kind="quiet" onPress={() => setChanged(null)}>
                Back to what holds now
              </Button>
            )
          }
        >
          <Stack>
            <LimitFields
              draft={draft}
              current={current}
              minCooldown={minCooldown}
              faults={faults}
              onChange={setChanged}
            />
            {(Object.keys(documentFields) as DocumentField[]).map((name) => (
              <DocumentFields
                key={name}
                name={documentFields[name]}
                value={draft[name]}
                fault={faults[name]}
                onChange={(document) => setChanged({ ...draft, [name]: document })}
              />
            ))}
            {looser.length === 0 ? null : (
              <Notice title="Looser than the default" tone="mark">
                {looser.map((name) => limitFields[name].name).join(', ')}: a type's policy only tightens.
                Choose “By admission” if it is meant to be looser.
              </Notice>
            )}
          </Stack>
        </Panel>
      )}
      <ProposeBox
        voting={voting}
        governor="policy"
        action={action}
        missing={whyNot ?? ''}
        text={text}
        onText={setText}
      />
    </>
  )
}
