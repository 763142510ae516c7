import { useQuery } from '@tanstack/react-query'
import { toHex } from 'viem'
import type { PlacedEvent } from '../../../protocol/governance/ballots.ts'
import type { KillPolicy } from '../../../protocol/policy/killPolicy.ts'
import { effectivePolicy, type PolicyEntry } from '../../../protocol/policy/policies.ts'
import type { RelayerPolicy } from '../../api/relayerApi.ts'
import { useStore } from '../../data/useStore.ts'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Muted, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { More } from '../../design/components/Quote.tsx'
import { Source } from '../../design/components/Source.tsx'
import { Timeline } from '../../design/components/Timeline.tsx'
import { count, dateTime } from '../../format.ts'
import { agentHref, href, proposalHref, routes } from '../../frame/routes.ts'
import { policyChanges, policyValues } from '../../governance/policyFields.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useServices } from '../../services.ts'
import { VotingPage } from '../votes/VotingPage.tsx'

/** ms between two questions for what the relayer goes by */
const lookInterval = 3_000

/** Under which conditions agents are stopped: by the chain, and by the relayer's word. */
export const PoliciesPage = () => (
  <VotingPage title="Policies" alone actions={<Link href={href(routes.newProposal)}>Propose a change</Link>}>
    {(voting) => <Policies voting={voting} />}
  </VotingPage>
)

function Policies({ voting }: { readonly voting: Voting }) {
  const { api } = useServices()
  const { data, error } = useQuery({
    queryKey: ['relayer policies'],
    queryFn: () => api.policies(),
    refetchInterval: lookInterval,
  })
  const { policies } = voting.governance
  const types = [...policies.types].sort(([a], [b]) => a.localeCompare(b))
  const relayerOf = (agentType: string | null): RelayerPolicy | null =>
    data?.policies.find((one) => one.agentType === agentType) ?? null
  if (policies.default === null)
    return <Empty title="No policy yet">The contract has not said anything that this page could read.</Empty>
  return (
    <>
      {data?.failure == null ? null : (
        <Notice title="The relayer's policies may be old" tone="mark">
          It says: {data.failure}
        </Notice>
      )}
      <PolicyPanel
        voting={voting}
        agentType={null}
        entry={policies.default}
        relayer={relayerOf(null)}
        relayerError={error}
      />
      {types.map(([agentType, entry]) => (
        <PolicyPanel
          key={agentType}
          voting={voting}
          agentType={agentType}
          entry={entry}
          relayer={relayerOf(agentType)}
          relayerError={error}
        />
      ))}
      {types.length === 0 ? (
        <Muted>No agent type has a policy of its own: the default holds for all.</Muted>
      ) : null}
    </>
  )
}

function PolicyPanel(props: {
  readonly voting: Voting
  readonly agentType: string | null
  readonly entry: PolicyEntry
  readonly relayer: RelayerPolicy | null
  readonly relayerError: unknown
}) {
  const { voting, agentType, entry, relayer, relayerError } = props
  const { governance } = voting
  const byRelayer =
    relayer === null
      ? null
      : agentType === null
        ? relayer.inForce.defaultVersion
        : relayer.inForce.typeVersion
  return (
    <Panel
      title={agentType === null ? 'Default: every agent' : `Type ${agentType}`}
      sources={['chain']}
      actions={<Muted>version {entry.version}</Muted>}
    >
      <Stack>
        <Facts>
          <Fact name="Chain">
            {entry.policy === null
              ? `version ${entry.version}: removed; the default alone holds`
              : `version ${entry.version}${entry.byAdmission ? ', by admission: alone, for agents that votes admitted' : agentType === null ? '' : ', together with the default: the tighter of each field'}`}
          </Fact>
          <Fact name="Relayer">
            {byRelayer === null ? (
              <Muted>
                {relayerError === null
                  ? 'it names no version'
                  : 'it does not tell: this page shows what the chain says'}
              </Muted>
            ) : (
              <>
                goes by version {byRelayer} <Source of="relayer" />
                {byRelayer === entry.version ? null : (
                  <Muted> It takes tighter limits at first sight, looser ones once the chain is final.</Muted>
                )}
              </>
            )}
          </Fact>
          {entry.byAdmission ? (
            <Fact name="Admitted">
              <Admitted voting={voting} agentType={agentType} />
            </Fact>
          ) : null}
        </Facts>
        <PolicyTable voting={voting} agentType={agentType} entry={entry} />
        <More title={`History: ${count(entry.version, 'version')}`}>
          <History voting={voting} agentType={agentType} events={governance.events} />
        </More>
      </Stack>
    </Panel>
  )
}

/** The agents for which the type's policy holds alone. */
function Admitted(props: { readonly voting: Voting; readonly agentType: string | null }) {
  const { voting, agentType } = props
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  const agents = [...voting.governance.policies.admittedOwners].filter(([uuid, owner]) => {
    const agent = registry?.agents.get(uuid)
    // An admission ends when the agent changes hands.
    return agent?.agentType === agentType && agent.owner === owner
  })
  if (agents.length === 0) return <Muted>no agent</Muted>
  return agents.map(([uuid]) => (
    <div key={uuid}>
      <Link href={agentHref(uuid)}>{uuid}</Link>
    </div>
  ))
}

type Row = { readonly field: string; readonly value: string; readonly own: string | null }

const valueColumns: readonly Column<Row>[] = [
  { name: 'Field', cell: ({ field }) => field },
  { name: 'Holds', wide: true, wraps: true, cell: ({ value }) => value },
]
const typeColumns: readonly Column<Row>[] = [
  { name: 'Field', cell: ({ field }) => field },
  { name: "The type's own", wraps: true, cell: ({ own }) => own ?? <Muted>–</Muted> },
  { name: 'Holds for agents not admitted', wraps: true, cell: ({ value }) => value },
]

function PolicyTable(props: {
  readonly voting: Voting
  readonly agentType: string | null
  readonly entry: PolicyEntry
}) {
  const { voting, agentType, entry } = props
  const { limits, boundaries, decisions } = effectivePolicy(voting.governance.policies, agentType)
  const documents = (list: typeof boundaries): string =>
    list.length === 0 ? 'none' : list.map(({ uri, hash }) => `${uri} (SHA-256 ${hash})`).join('; and ')
  const own = entry.policy === null ? null : policyValues(entry.policy)
  const holds = policyValues({ limits, boundary: null, decisions: null })
  const rows = holds.map(
    ({ field, value }, index): Row => ({
      field,
      value:
        field === 'Boundary'
          ? documents(boundaries)
          : field === 'Decision policies'
            ? documents(decisions)
            : value,
      own: own?.[index]?.value ?? null,
    }),
  )
  return (
    <DataTable
      caption={agentType === null ? 'The default policy' : `The policy of type ${agentType}`}
      columns={agentType === null ? valueColumns : typeColumns}
      rows={rows}
      keyOf={({ field }) => field}
      dense
    />
  )
}

/** Every version, latest first, with what it changed and the vote that did. */
function History(props: {
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
    const vote = [...voting.governance.proposals.values()].find(
      ({ executedAt }) => executedAt?.txHash === place.txHash,
    )
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
