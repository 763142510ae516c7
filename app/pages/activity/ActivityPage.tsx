import type { Kill } from '../../api/relayerApi.ts'
import { useStore } from '../../data/useStore.ts'
import { Empty, Loading } from '../../design/components/Empty.tsx'
import { KillCard } from '../../design/components/KillCard.tsx'
import { Muted, Page } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { useNow } from '../../design/components/useNow.ts'
import { count, dateTime, shortHex, wholeDuration } from '../../format.ts'
import { useServices } from '../../services.ts'
import { killStages } from '../stop/killStages.ts'

/** Kills whose waterfall is open from the start. */
const open = 3

/** Every kill that the relayer knows, as a waterfall from first sight to finality. */
export function ActivityPage() {
  const { kills, feed } = useServices()
  const { kills: known, isRead, live, error } = useStore(kills.view)
  const { table, number, freshness } = useStore(feed.view)
  return (
    <Page title="Activity">
      {isRead && !live ? (
        <Notice title="This list may be old" tone="mark">
          The stream of the relayer is broken; this page reconnects by itself.
          {error === null ? null : ` (${(error as Error).message})`}
        </Notice>
      ) : null}
      <Panel
        title="Kills"
        sources={['relayer']}
        flush
        actions={
          <Muted>
            {freshness === 'fresh' && number !== null
              ? `Revocation table: ${count(table.size, 'row')} at message ${number}, verified`
              : 'Revocation table: no fresh feed'}
          </Muted>
        }
      >
        {!isRead && known.length === 0 ? (
          error === null ? (
            <Loading what="Asking the relayer …" />
          ) : (
            <Empty title="The relayer does not answer">
              Which kills there were is not known here; this page asks again by itself. Each agent's own page
              tells its kills from the chain.
            </Empty>
          )
        ) : known.length === 0 ? (
          <Empty title="Nothing was killed yet">
            Each kill appears here the moment that the relayer sees it.
          </Empty>
        ) : (
          known.map((kill, index) => <KillEntry key={kill.id} kill={kill} isOpen={index < open} />)
        )}
      </Panel>
    </Page>
  )
}

function titleOf(kill: Kill): string {
  switch (kill.scope) {
    case 'Agent':
      return `Agent ${kill.label}`
    case 'Owner':
      return `All agents of ${shortHex(kill.label)}`
    case 'AgentType':
      return `All agents of type ${kill.label}`
    default:
      return 'The whole fleet'
  }
}

function KillEntry({ kill, isOpen }: { readonly kill: Kill; readonly isOpen: boolean }) {
  const now = useNow(5_000)
  const owed = kill.points.filter(({ state }) => state === 'pending' || state === 'overdue').length
  const outcome =
    kill.state === 'withdrawn'
      ? 'withdrawn'
      : owed > 0
        ? `${kill.points.length - owed} of ${kill.points.length} confirmed`
        : kill.points.length === 0
          ? 'no enforcement point'
          : `confirmed, ${kill.state}`
  return (
    <KillCard
      title={titleOf(kill)}
      state={kill.state === 'withdrawn' ? 'alive' : owed > 0 ? 'killing' : 'killed'}
      time={dateTime(kill.timeline.seenAt)}
      ago={`${wholeDuration(now - kill.timeline.seenAt)} ago`}
      outcome={outcome}
      detail={`${kill.reasonName}${kill.text === '' ? '' : `: ${kill.text}`}; by ${shortHex(kill.authority)}, rank ${kill.rank}, ${kill.origin === 'order' ? 'signed order' : 'transaction'}`}
      stages={killStages(kill)}
      stoppedAt={kill.elapsed.allConfirmed}
      note={kill.timeline.sendError}
      isOpen={isOpen}
    />
  )
}
