import { useMemo, useState } from 'react'
import { ownerTarget, targetKey } from '../../../protocol/scope.ts'
import { type FleetAgent, useFleet } from '../../data/useFleet.ts'
import { useKept } from '../../data/useKept.ts'
import { useStore } from '../../data/useStore.ts'
import { Button } from '../../design/components/Button.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty, Loading } from '../../design/components/Empty.tsx'
import { TextField } from '../../design/components/Field.tsx'
import { Muted, Page } from '../../design/components/Layout.tsx'
import { LifeRing } from '../../design/components/LifeRing.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel, PanelBar } from '../../design/components/Panel.tsx'
import { Source } from '../../design/components/Source.tsx'
import { Sparkline } from '../../design/components/Sparkline.tsx'
import { SpiffeId } from '../../design/components/SpiffeId.tsx'
import { StateBadge } from '../../design/components/StateBadge.tsx'
import { StopButton } from '../../design/components/StopButton.tsx'
import { useNow } from '../../design/components/useNow.ts'
import { age, count } from '../../format.ts'
import { agentHref, href, routes } from '../../frame/routes.ts'
import { useStop } from '../../frame/stopContext.ts'
import { useServices } from '../../services.ts'
import { ConnectDialog } from '../../wallet/ConnectDialog.tsx'
import { useIsReconnecting, useWallet, type Wallet } from '../../wallet/useWallet.ts'
import { ResumePanel } from '../agent/LateResumePanel.tsx'

export function FleetPage() {
  const wallet = useWallet()
  return <Page title="Fleet">{wallet === null ? <NotConnected /> : <WalletFleet wallet={wallet} />}</Page>
}

function NotConnected() {
  const [shown, setShown] = useState(false)
  if (useIsReconnecting()) return <Loading what="Asking your wallet …" />
  return (
    <>
      <Empty
        title="Connect a wallet to see your agents"
        actions={
          <Button kind="strong" onPress={() => setShown(true)}>
            Connect wallet
          </Button>
        }
      >
        They are found in the contract's own logs, through a node of the chain. Watching costs nothing; a stop
        by signature neither.
      </Empty>
      {shown ? <ConnectDialog onClose={() => setShown(false)} /> : null}
    </>
  )
}

function WalletFleet({ wallet }: { readonly wallet: Wallet }) {
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  const fleet = useFleet(wallet.account)
  const state = registry?.states.get(targetKey(ownerTarget(wallet.account)))
  const isWalletKilled = state !== undefined && state.killedAt > state.aliveSince

  if (fleet.source === 'none')
    return fleet.chainError === null || fleet.relayerError === null ? (
      <Loading what="Reading the contract's logs …" share={fleet.progress ?? undefined} />
    ) : (
      <Empty title="Neither the chain nor the relayer answers">
        Your agents cannot be listed now. The stop at the top still reaches whichever of the two answers
        first.
      </Empty>
    )
  return (
    <>
      {isWalletKilled ? (
        <ResumePanel
          key={wallet.account}
          account={wallet.account}
          target={ownerTarget(wallet.account)}
          title="This wallet is stopped"
          what="all agents of this wallet that were not stopped by themselves"
        />
      ) : null}
      {fleet.source === 'relayer' ? (
        <Notice title="This list is the relayer's" tone="mark">
          The chain is not read (yet), so an agent may be missing here. Stopping all stops those too.
        </Notice>
      ) : null}
      {fleet.own.length === 0 && fleet.guarded.length > 0 ? null : (
        <AgentPanel
          title="My agents"
          agents={fleet.own}
          fleetSource={fleet.source}
          hasLive={fleet.relayerError === null}
        />
      )}
      {fleet.guarded.length === 0 ? null : (
        <AgentPanel
          title="Agents that I guard"
          agents={fleet.guarded}
          fleetSource={fleet.source}
          hasLive={fleet.relayerError === null}
        />
      )}
    </>
  )
}

/** From here on a search helps. */
const searchable = 10

function AgentPanel(props: {
  readonly title: string
  readonly agents: readonly FleetAgent[]
  readonly fleetSource: 'chain' | 'relayer'
  readonly hasLive: boolean
}) {
  const { title, fleetSource, hasLive } = props
  const agents = useKept(props.agents, ({ uuid }) => uuid)
  const [search, setSearch] = useState('')
  const columns = useColumns(hasLive)
  const found = agents.filter(({ spiffeId }) => spiffeId.includes(search.trim().toLowerCase()))
  const stopped = agents.filter(({ state }) => state !== 'alive').length
  return (
    <Panel
      title={title}
      flush
      sources={fleetSource === 'chain' ? ['chain', 'feed', 'relayer'] : ['relayer']}
      actions={
        <Muted>
          {count(agents.length - stopped, 'alive', 'alive')}, {count(stopped, 'stopped', 'stopped')}
        </Muted>
      }
    >
      {agents.length > searchable ? (
        <PanelBar>
          <TextField label="Find by SPIFFE ID" type="search" mono value={search} onChange={setSearch} />
        </PanelBar>
      ) : null}
      {agents.length === 0 ? (
        <Empty title="No agents yet" actions={<Link href={href(routes.register)}>Register an agent</Link>}>
          Agents that this wallet registers or receives appear here within a block.
        </Empty>
      ) : found.length === 0 ? (
        <Empty title={`No agent has "${search}" in its SPIFFE ID`} />
      ) : (
        <DataTable
          caption={title}
          columns={columns}
          rows={found}
          keyOf={({ uuid }) => uuid}
          isKilled={({ state }) => state !== 'alive'}
        />
      )}
    </Panel>
  )
}

function useColumns(hasLive: boolean): readonly Column<FleetAgent>[] {
  const { rates } = useServices()
  const { open } = useStop()
  const now = useNow(2_000)
  return useMemo(() => {
    const none = <Muted>{hasLive ? '–' : 'unknown'}</Muted>
    return [
      { name: 'State', cell: ({ state }) => <StateBadge state={state} /> },
      {
        name: 'Identity',
        wide: true,
        cell: ({ spiffeId, uuid, listedBy }) => (
          <>
            <SpiffeId id={spiffeId} href={agentHref(uuid)} />
            {listedBy === 'relayer' ? <Source of="relayer" /> : null}
          </>
        ),
      },
      { name: 'Type', narrow: 'never', cell: ({ agentType }) => agentType },
      {
        name: 'SVID',
        cell: ({ live, state }) =>
          live?.svid == null ? (
            none
          ) : state === 'alive' ? (
            <LifeRing {...live.svid} now={now} />
          ) : (
            <Muted>revoked</Muted>
          ),
      },
      {
        name: 'Last seen',
        cell: ({ live }) =>
          live?.lastAccessAt == null
            ? none
            : `${age(Math.max(0, now - live.lastAccessAt))}, ${live.lastOutcome ?? ''}`,
      },
      {
        name: 'Requests',
        cell: ({ live, spiffeId }) =>
          live === null ? none : <Sparkline values={rates.of(spiffeId)} unit="/s" />,
      },
      {
        name: 'Stop',
        unnamed: true,
        narrow: 'beside',
        cell: ({ uuid, spiffeId, owner, state }) =>
          state === 'alive' ? (
            <StopButton
              label="Stop"
              place="row"
              what={spiffeId}
              onPress={() => open({ uuid, spiffeId, owner })}
            />
          ) : null,
      },
    ]
  }, [hasLive, rates, now, open])
}
