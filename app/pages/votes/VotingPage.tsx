import type { ReactNode } from 'react'
import { useLocation } from 'wouter'
import { useChainTime } from '../../data/useChainTime.ts'
import { useStore } from '../../data/useStore.ts'
import { Empty, Loading } from '../../design/components/Empty.tsx'
import { Page } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Tabs } from '../../design/components/Tabs.tsx'
import { whole } from '../../format.ts'
import { href, routes } from '../../frame/routes.ts'
import { useGovernanceView, type Voting } from '../../governance/useGovernance.ts'
import { plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'

const tabs = [
  { path: routes.proposals, name: 'Proposals' },
  { path: routes.emergency, name: 'Emergency vote' },
  { path: routes.delegation, name: 'Delegation' },
] as const

/** A page about what token holders govern: shown once all of it is read, and said where there is nothing of it. */
export function VotingPage(props: {
  readonly title: string
  readonly actions?: ReactNode
  readonly narrow?: boolean
  /** Without the pages beside it. */
  readonly alone?: boolean
  readonly children: (voting: Voting) => ReactNode
}) {
  const { title, actions, narrow = false, alone = false, children } = props
  const [location] = useLocation()
  return (
    <Page title={title} actions={actions} narrow={narrow}>
      {alone ? null : (
        <Tabs
          label="Votes"
          tabs={tabs.map(({ path, name }) => ({
            href: href(path),
            name,
            // What is no page of its own among them is a proposal, or a new one.
            isHere:
              location === path ||
              (path === routes.proposals && tabs.every((other) => other.path !== location)),
          }))}
        />
      )}
      <WhenRead>{children}</WhenRead>
    </Page>
  )
}

/** Why nothing new is read: the node is gone, or it tells what this page cannot follow. */
const readingError = (error: unknown): string => {
  const { kind, title, detail } = plainError(error)
  return kind === 'rpc down' ? title : detail
}

function WhenRead({ children }: { readonly children: (voting: Voting) => ReactNode }) {
  const { chain, config } = useServices()
  const { registry } = useStore(chain.view)
  const view = useGovernanceView()
  const now = useChainTime(view?.head ?? null)
  if (view === null)
    return (
      <Empty title="Token holders do not govern this KillSwitch">
        Whoever serves this page has named no contracts for votes. One account, or contracts that this page
        does not know, hold the powers.
      </Empty>
    )
  const { governance, head, error, progress, follower } = view
  if (governance === null || head === null) {
    if (error !== null)
      return (
        <Empty title="The votes cannot be read now">
          {readingError(error)}. This page goes on by itself once it can.
        </Empty>
      )
    const span = progress === null ? 0 : Number(progress.of - config.fromBlock)
    return (
      <Loading
        what="Reading proposals and votes from the chain …"
        share={progress === null || span <= 0 ? undefined : Number(progress.block - config.fromBlock) / span}
      />
    )
  }
  const { contracts, refresh } = follower
  const isOther =
    registry !== null &&
    (registry.governance !== contracts.timelock || registry.emergencyGovernor !== contracts.emergencyGovernor)
  return (
    <>
      {isOther ? (
        <Notice title="The KillSwitch obeys others than these votes" tone="mark" urgent>
          The contracts that this page was told of are not, or no longer, its governance (
          {registry.governance}) and emergency governor ({registry.emergencyGovernor ?? 'none'}). Votes here
          may decide nothing.
        </Notice>
      ) : null}
      {error === null ? null : (
        <Notice title="What you see here may be old" tone="mark">
          {readingError(error)}. It was read at block {whole(head.number)}.
        </Notice>
      )}
      {children({ contracts, governance, now, refresh })}
    </>
  )
}
