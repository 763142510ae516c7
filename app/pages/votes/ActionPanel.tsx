import { coveringTargets } from '../../../protocol/liveness.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { type Target, targetKey } from '../../../protocol/scope.ts'
import { formatSpiffeId } from '../../../protocol/spiffeId.ts'
import { agentStateOf } from '../../data/agentState.ts'
import { useStore } from '../../data/useStore.ts'
import { AgentList } from '../../design/components/AgentList.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Muted, Stack } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { More, Quote, Verbatim } from '../../design/components/Quote.tsx'
import { count } from '../../format.ts'
import type { ActionView } from '../../governance/actionView.ts'
import { targetName } from '../../governance/actionWords.ts'
import type { Change } from '../../governance/policyFields.ts'
import { useServices } from '../../services.ts'
import { OwnersKillNotice } from './OwnersKillNotice.tsx'

const dash = <Muted>–</Muted>

const columns: readonly Column<Change>[] = [
  { name: 'Field', cell: ({ field }) => field },
  { name: 'Before', wraps: true, cell: ({ before }) => before ?? dash },
  { name: 'After', wraps: true, cell: ({ after }) => (after === null ? dash : <strong>{after}</strong>) },
  { name: 'Effect', cell: ({ effect }) => effect ?? dash },
]

/** Values that change, side by side. */
const ChangeTable = ({
  caption,
  changes,
}: {
  readonly caption: string
  readonly changes: readonly Change[]
}) => <DataTable caption={caption} columns={columns} rows={changes} keyOf={({ field }) => field} dense />

/** What one action of a proposal does, with its bytes one click away. */
export function ActionPanel({
  view,
  number,
  of,
  isDone,
  titled = true,
}: {
  readonly view: ActionView
  readonly number: number
  readonly of: number
  /** Whether it has happened. */
  readonly isDone: boolean
  /** Whether it says in one line what it does; not where the page does so above. */
  readonly titled?: boolean
}) {
  return (
    <Panel title={of === 1 ? 'What it does' : `What it does: ${number} of ${of}`} sources={['chain']}>
      <Stack>
        {titled ? (
          <p>
            <strong>{view.title}</strong>
          </p>
        ) : null}
        {view.warning === null ? null : (
          <Notice
            title={view.kind === 'unreadable' ? 'This page cannot read this action' : 'Mind'}
            tone="mark"
            urgent={view.kind === 'unreadable'}
          >
            {view.warning}
          </Notice>
        )}
        {'changes' in view && view.changes.length > 0 ? (
          <ChangeTable caption={view.title} changes={view.changes} />
        ) : null}
        {view.kind === 'policy' && view.changes.length === 0 ? (
          <Muted>Every field stays as it is; only the version moves.</Muted>
        ) : null}
        {view.kind === 'kill' ? (
          <>
            <CoveredAgents target={view.target} verb={isDone ? 'Covers' : 'Stops'} />
            <Facts>
              <Fact name="Reason">{reasonName(view.reason)}</Fact>
              {view.text === '' ? null : (
                <Fact name="Its words">
                  <Quote>{view.text}</Quote>
                </Fact>
              )}
            </Facts>
          </>
        ) : null}
        {view.kind === 'resume' ? (
          <>
            <CoveredAgents target={view.target} verb="Covers" />
            {isDone ? null : <OwnersKillNotice target={view.target} />}
            <Muted>
              {view.step === 'request'
                ? 'This is the first of two steps: it starts the cool-down. A second vote releases.'
                : 'This is the second of two steps: it releases once the cool-down of the first is over. A kill in between voids it, and agents under another kill stay stopped.'}
            </Muted>
          </>
        ) : null}
        <More title="The call, byte by byte">
          <Stack>
            <Facts>
              <Fact name="Contract">
                <CopyText text={view.action.target} what="address of the contract" />
              </Fact>
              <Fact name="Value">{String(view.action.value)} wei</Fact>
            </Facts>
            <Verbatim label="Bytes of the call">{view.action.data}</Verbatim>
          </Stack>
        </More>
      </Stack>
    </Panel>
  )
}

/** The agents that a kill or resume reaches, by name and number. */
function CoveredAgents({ target, verb }: { readonly target: Target; readonly verb: string }) {
  const { chain, feed, kills, config } = useServices()
  const { registry } = useStore(chain.view)
  const { table } = useStore(feed.view)
  const { kills: known } = useStore(kills.view)
  if (registry === null) return <Muted>Which agents that are is read from the chain …</Muted>
  const key = targetKey(target)
  const agents = [...registry.agents.values()]
    .filter((agent) => coveringTargets(agent).some((one) => targetKey(one) === key))
    .flatMap((agent) =>
      agent.agentType === null
        ? []
        : [
            {
              spiffeId: formatSpiffeId({
                trustDomain: config.trustDomain,
                type: agent.agentType,
                name: agent.uuid,
              }),
              state: agentStateOf(agent, registry, table, known).state,
            },
          ],
    )
  const running = agents.filter(({ state }) => state === 'alive').length
  return (
    <Stack tight>
      <p>
        {verb} {targetName(target)}: {count(agents.length, 'agent')}, {running} of them running now.
      </p>
      <AgentList agents={agents} />
    </Stack>
  )
}
