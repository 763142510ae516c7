import { useQuery } from '@tanstack/react-query'
import type { PolicyEntry } from '../../../protocol/policy/policies.ts'
import type { RelayerPolicy } from '../../api/relayerApi.ts'
import { useStore } from '../../data/useStore.ts'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Muted, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { More } from '../../design/components/Quote.tsx'
import { Source } from '../../design/components/Source.tsx'
import { count } from '../../format.ts'
import { agentHref, href, routes } from '../../frame/routes.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useServices } from '../../services.ts'
import { VotingPage } from '../votes/VotingPage.tsx'
import { PolicyHistory } from './PolicyHistory.tsx'
import { PolicyTable } from './PolicyTable.tsx'

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
  const seen = relayer?.seen?.version ?? null
  const granted = relayer?.granted?.version ?? null
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
            {seen === null ? (
              <Muted>
                {relayerError === null
                  ? 'it names no version'
                  : 'it does not tell: this page shows what the chain says'}
              </Muted>
            ) : (
              <>
                {granted === seen
                  ? `goes by version ${seen}`
                  : `goes by ${granted === null ? 'no version of its own' : `version ${granted}`}, and by what version ${seen} tightens`}{' '}
                <Source of="relayer" />
                {granted === entry.version ? null : (
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
          <PolicyHistory voting={voting} agentType={agentType} events={governance.events} />
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
