import { useQuery } from '@tanstack/react-query'
import { rankName } from '../../../protocol/rank.ts'
import { reasonName } from '../../../protocol/reason.ts'
import { killRankOf } from '../../../protocol/registry.ts'
import { agentTarget } from '../../../protocol/scope.ts'
import { agentSpiffeId } from '../../../protocol/spiffeId.ts'
import type { Access } from '../../api/relayerApi.ts'
import { agentHistory, standingKill, targetWords } from '../../data/agentHistory.ts'
import { agentStateOf } from '../../data/agentState.ts'
import { useStore } from '../../data/useStore.ts'
import { CopyText } from '../../design/components/CopyText.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Columns, Muted, Page, Stack } from '../../design/components/Layout.tsx'
import { LifeRing } from '../../design/components/LifeRing.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { SpiffeId } from '../../design/components/SpiffeId.tsx'
import { StateBadge } from '../../design/components/StateBadge.tsx'
import { StopButton } from '../../design/components/StopButton.tsx'
import { Timeline } from '../../design/components/Timeline.tsx'
import { useNow } from '../../design/components/useNow.ts'
import { age, clockTime, dateTime } from '../../format.ts'
import { useStop } from '../../frame/stopContext.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { ChainUnread } from '../ChainUnread.tsx'
import { ResumePanel } from './LateResumePanel.tsx'

/** ms */
const lookInterval = 2_000
const shownAccesses = 8

export function AgentPage({ uuid }: { readonly uuid: string }) {
  const { chain, feed, kills, config } = useServices()
  const { registry, events, head, error } = useStore(chain.view)
  const { table } = useStore(feed.view)
  const { kills: known } = useStore(kills.view)
  const { open } = useStop()
  const wallet = useWallet()
  const agent = registry?.agents.get(uuid)
  if (registry === null)
    return (
      <Page title="Agent">
        <ChainUnread error={error} />
      </Page>
    )
  if (agent === undefined)
    return (
      <Page title="Agent">
        <Empty title="No such agent">
          The contract knows no agent {uuid}. A fresh registration appears within a block.
        </Empty>
      </Page>
    )

  const spiffeId = agentSpiffeId(config.trustDomain, agent)
  if (spiffeId === null)
    return (
      <Page title="Agent">
        <Empty title="Not complete">
          Agent {uuid} is registered without a type and a key; it has no identity until its owner completes
          it.
        </Empty>
      </Page>
    )
  const { state, kill } = agentStateOf(agent, registry, table, known)
  const guardians = [...registry.guardians]
    .map(([key, until]) => ({ owner: key.slice(0, 42), guardian: key.slice(43), until }))
    .filter(({ owner, until }) => owner === agent.owner && until > (head?.time ?? 0))
  const mayKill =
    wallet !== null && killRankOf(registry, wallet.account, agentTarget(uuid), head?.time ?? 0) > 0
  const killed = kill === null ? null : standingKill(agent, kill, events)

  return (
    <Page
      title={<SpiffeId id={spiffeId} />}
      name={`${agent.agentType} ${uuid.slice(0, 8)}`}
      actions={
        mayKill && state === 'alive' ? (
          <StopButton label="Stop this agent" onPress={() => open({ uuid, spiffeId, owner: agent.owner })} />
        ) : undefined
      }
    >
      {kill !== null && wallet !== null ? (
        <ResumePanel
          key={`${wallet.account} ${uuid}`}
          account={wallet.account}
          target={agentTarget(uuid)}
          title="Bring it back"
          what="this agent"
        />
      ) : null}
      <Columns>
        <Stack>
          <Panel title="State" sources={['chain', 'feed']}>
            <Facts>
              <Fact name="Now">
                <StateBadge state={state} />
              </Fact>
              {kill === null ? null : (
                <>
                  <Fact name="Since">
                    {kill.since === null
                      ? 'just now; not read from the chain yet'
                      : dateTime(kill.since * 1000)}
                  </Fact>
                  {killed === null ? null : (
                    <>
                      <Fact name="What">{targetWords(killed)}</Fact>
                      <Fact name="Who">
                        <CopyText text={killed.authority} what="address" />{' '}
                        <Muted>rank {rankName(killed.rank)}</Muted>
                      </Fact>
                    </>
                  )}
                  <Fact name="Why">
                    {killed === null || killed.text === ''
                      ? reasonName(kill.reason)
                      : `${reasonName(killed.reason)}: ${killed.text}`}
                  </Fact>
                </>
              )}
            </Facts>
          </Panel>
          <Panel title="History" sources={['chain']} flush>
            <Timeline entries={agentHistory(agent, events)} />
          </Panel>
        </Stack>
        <Stack>
          <Panel title="Identity" sources={['chain']}>
            <Facts>
              <Fact name="SPIFFE ID">
                <CopyText text={spiffeId} what="SPIFFE ID" />
              </Fact>
              <Fact name="Type">{agent.agentType}</Fact>
              <Fact name="Owner">
                <CopyText text={agent.owner} what="owner's address" />
              </Fact>
              <Fact name="Guardians">
                {guardians.length === 0 ? <Muted>none</Muted> : null}
                {guardians.map(({ guardian, until }) => (
                  <div key={guardian}>
                    <CopyText text={guardian} what="guardian's address" />
                    {until === Number.POSITIVE_INFINITY ? null : (
                      <Muted> until {dateTime(until * 1000)}</Muted>
                    )}
                  </div>
                ))}
              </Fact>
              <Fact name="Agent wallet">
                {agent.agentWallet === null ? (
                  <Muted>none</Muted>
                ) : (
                  <CopyText text={agent.agentWallet} what="agent wallet" />
                )}
              </Fact>
              <Fact name="Key">
                {agent.key === null ? (
                  <Muted>cleared by a transfer</Muted>
                ) : (
                  <CopyText text={agent.key} what="public key" />
                )}
              </Fact>
            </Facts>
          </Panel>
          <LivePanel uuid={uuid} isStopped={state !== 'alive'} />
        </Stack>
      </Columns>
    </Page>
  )
}

const accessColumns: readonly Column<Access>[] = [
  { name: 'Time', cell: ({ at }) => clockTime(at) },
  {
    name: 'Request',
    wide: true,
    cell: ({ method, path, count }) => `${method} ${path}${count > 1 ? ` ×${count}` : ''}`,
  },
  { name: 'Answer', figures: true, narrow: 'beside', cell: ({ status, outcome }) => `${status} ${outcome}` },
]

/** What only the relayer knows of an agent. */
function LivePanel({ uuid, isStopped }: { readonly uuid: string; readonly isStopped: boolean }) {
  const { api } = useServices()
  const now = useNow()
  const { data, error } = useQuery({
    queryKey: ['relayer agent', uuid],
    queryFn: () => api.agent(uuid),
    refetchInterval: lookInterval,
  })
  if (data === undefined)
    return (
      <Panel title="Live" sources={['relayer']}>
        <Muted>
          {error === null ? 'Asking the relayer …' : 'The relayer does not tell: live data is missing.'}
        </Muted>
      </Panel>
    )
  return (
    <Panel title={error === null ? 'Live' : 'Live (old)'} sources={['relayer']} flush>
      <Stack>
        <Facts inset>
          <Fact name="SVID">
            {data.svid === null ? (
              <Muted>none</Muted>
            ) : isStopped ? (
              <Muted>revoked</Muted>
            ) : (
              <LifeRing {...data.svid} now={now} />
            )}
          </Fact>
          <Fact name="Last seen">
            {data.lastAccessAt === null ? (
              <Muted>never</Muted>
            ) : (
              `${age(Math.max(0, now - data.lastAccessAt))} ago, ${data.lastOutcome}`
            )}
          </Fact>
          <Fact name="Requests">{data.requestsPerSecond.toFixed(1)}/s</Fact>
        </Facts>
        {data.accesses.length === 0 ? null : (
          <DataTable
            caption="Latest requests"
            dense
            columns={accessColumns}
            rows={data.accesses.slice(0, shownAccesses)}
            keyOf={({ at, point, path, outcome }) => `${at}:${point}:${path}:${outcome}`}
          />
        )}
      </Stack>
    </Panel>
  )
}
