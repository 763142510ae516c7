import { toHex } from 'viem'
import { readDescription } from '../../../protocol/governance/proposal.ts'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Muted, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { ProposalBadge } from '../../design/components/ProposalBadge.tsx'
import { count } from '../../format.ts'
import { href, proposalHref, routes } from '../../frame/routes.ts'
import { isOpen, nextWords, stateNames } from '../../governance/proposalWords.ts'
import { share } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { firstLine } from '../../governance/visibleText.ts'
import { type ProposalView, useProposalViews } from './useProposalView.ts'
import { VotingPage } from './VotingPage.tsx'

/** All that was ever proposed: what is open first. */
export const ProposalsPage = () => (
  <VotingPage title="Votes" actions={<Link href={href(routes.newProposal)}>New proposal</Link>}>
    {(voting) => <ProposalLists voting={voting} />}
  </VotingPage>
)

function ProposalLists({ voting }: { readonly voting: Voting }) {
  const all = useProposalViews(voting)
  const open = all.filter(({ state }) => isOpen(state))
  const closed = all.filter(({ state }) => !isOpen(state))
  return (
    <>
      <Panel title="Open" sources={['chain']} flush actions={<Muted>{count(open.length, 'proposal')}</Muted>}>
        {open.length === 0 ? (
          <Empty
            title="Nothing is voted on now"
            actions={
              <>
                <Link href={href(routes.newProposal)}>Propose a policy or a release</Link>
                <Link href={href(routes.emergency)}>Call an emergency vote</Link>
              </>
            }
          />
        ) : (
          <ProposalTable caption="Open proposals" voting={voting} rows={open} />
        )}
      </Panel>
      {closed.length === 0 ? null : (
        <Panel title="Decided" sources={['chain']} flush>
          <ProposalTable caption="Decided proposals" voting={voting} rows={closed} />
        </Panel>
      )}
    </>
  )
}

/** Proposals in a table. */
export function ProposalTable(props: {
  readonly caption: string
  readonly voting: Voting
  readonly rows: readonly ProposalView[]
}) {
  const { caption, voting, rows } = props
  const { governance, now } = voting
  const columns: readonly Column<ProposalView>[] = [
    {
      name: 'State',
      cell: ({ state }) => <ProposalBadge state={state} name={stateNames[state]} />,
    },
    {
      name: 'What it does',
      wide: true,
      wraps: true,
      cell: ({ record, title, views }) => (
        <Stack tight>
          <Link href={proposalHref(record.governor, toHex(record.id, { size: 32 }))}>{title}</Link>
          <Muted>
            {views.some(({ kind }) => kind === 'unreadable') ? 'Unreadable! ' : ''}
            {record.governor === 'emergency' ? 'Emergency vote. ' : ''}“
            {firstLine(readDescription(record.proposal.description).text, 60)}”
          </Muted>
        </Stack>
      ),
    },
    {
      name: 'For / against',
      cell: ({ record }) =>
        `${share(record.votes.for, governance.supply)} / ${share(record.votes.against, governance.supply)}`,
    },
    {
      name: 'Next',
      cell: ({ record, state, thresholds }) => nextWords(record, state, thresholds, now),
    },
  ]
  return (
    <DataTable
      caption={caption}
      columns={columns}
      rows={rows}
      keyOf={({ record }) => `${record.governor}:${record.id}`}
    />
  )
}
