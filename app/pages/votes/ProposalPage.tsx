import { isHex, toHex } from 'viem'
import type { Ballot } from '../../../protocol/governance/ballots.ts'
import { readDescription } from '../../../protocol/governance/proposal.ts'
import { CopyText } from '../../design/components/CopyText.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Columns, Muted, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { ProposalBadge } from '../../design/components/ProposalBadge.tsx'
import { Quote } from '../../design/components/Quote.tsx'
import { Timeline } from '../../design/components/Timeline.tsx'
import { GoalBar, VoteBar, type VoteSide } from '../../design/components/VoteBar.tsx'
import { dateTime, shortHex } from '../../format.ts'
import { href, routes } from '../../frame/routes.ts'
import { nextWords, stateNames } from '../../governance/proposalWords.ts'
import { share, tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { visibleText } from '../../governance/visibleText.ts'
import { ActionPanel } from './ActionPanel.tsx'
import { StepPanel } from './StepPanel.tsx'
import { type ProposalView, useProposalViews } from './useProposalView.ts'
import { supportNames, VotePanel } from './VotePanel.tsx'
import { VotingPage } from './VotingPage.tsx'

/** One proposal. @param id as hexadecimal number */
export const ProposalPage = ({ governor, id }: { readonly governor: string; readonly id: string }) => (
  <VotingPage
    title={governor === 'emergency' ? 'Emergency vote' : 'Proposal'}
    actions={<Link href={href(routes.proposals)}>All proposals</Link>}
  >
    {(voting) => <Found voting={voting} governor={governor} id={id} />}
  </VotingPage>
)

function Found(props: { readonly voting: Voting; readonly governor: string; readonly id: string }) {
  const { voting, governor, id } = props
  const number = isHex(id) ? BigInt(id) : null
  const view = useProposalViews(voting).find(
    ({ record }) => record.governor === governor && record.id === number,
  )
  return view === undefined ? (
    <Empty title="No such proposal" actions={<Link href={href(routes.proposals)}>All proposals</Link>}>
      The governor knows no proposal {shortHex(id)}. A fresh one appears within a block.
    </Empty>
  ) : (
    <ProposalDetails voting={voting} view={view} />
  )
}

function ProposalDetails({ voting, view }: { readonly voting: Voting; readonly view: ProposalView }) {
  const { record, state, views, title, thresholds } = view
  const description = readDescription(record.proposal.description)
  return (
    <>
      {record.isGenuine ? null : (
        <Notice title="This proposal is not what it says it is" tone="mark" urgent>
          Its number is not that of these actions and this description: what you see here is not what would be
          executed. Somebody, perhaps your node, tampers with it. This page lets nobody vote on it.
        </Notice>
      )}
      <Panel
        title={title}
        sources={['chain']}
        actions={<ProposalBadge state={state} name={stateNames[state]} />}
      >
        <p>
          <strong>{nextWords(record, state, thresholds, voting.now)}</strong>
        </p>
      </Panel>
      <Columns>
        <Stack>
          {views.map((one, index) => (
            <ActionPanel
              // biome-ignore lint/suspicious/noArrayIndexKey: actions never change places.
              key={index}
              view={one}
              number={index + 1}
              of={views.length}
              isDone={state === 'executed'}
              titled={views.length > 1}
            />
          ))}
          <Panel title="In its proposer's words" sources={['chain']}>
            <Muted>
              What {shortHex(record.proposer)} says about it. Nobody checks whether it is true, also not this
              page; what it does stands above.
            </Muted>
            <Quote>{description.text === '' ? '(no words)' : visibleText(description.text)}</Quote>
          </Panel>
          <BallotPanel ballots={record.ballots} />
        </Stack>
        <Stack>
          <VotesPanel voting={voting} view={view} />
          <VotePanel voting={voting} view={view} />
          <StepPanel voting={voting} view={view} />
          <IdentityPanel view={view} proposerOnly={description.proposer !== null} />
        </Stack>
      </Columns>
    </>
  )
}

const ratio = (part: bigint, whole: bigint): number =>
  whole === 0n ? 1 : Number((part * 10_000n) / whole) / 10_000

function VotesPanel({ voting, view }: { readonly voting: Voting; readonly view: ProposalView }) {
  const { votes } = view.record
  const { quorum, superQuorum } = view.thresholds
  const { supply } = voting.governance
  const cast = votes.for + votes.against + votes.abstain
  const side = (name: VoteSide['side'], label: string): VoteSide => ({
    side: name,
    name: label,
    words: `${tokens(votes[name])} KSW, ${share(votes[name], supply)} of the supply`,
    share: cast === 0n ? 0 : ratio(votes[name], cast),
  })
  const goal = (have: bigint, need: bigint): string =>
    `${share(have, supply)} of ${share(need, supply)}${have >= need ? ', reached' : ''}`
  return (
    <Panel title="Votes" sources={['chain']}>
      <VoteBar sides={[side('for', 'For'), side('against', 'Against'), side('abstain', 'Abstain')]} />
      <GoalBar
        name="Quorum (for and abstain)"
        words={goal(votes.for + votes.abstain, quorum)}
        share={ratio(votes.for + votes.abstain, quorum)}
      />
      {superQuorum === null ? null : (
        <GoalBar
          name="Super-quorum (for): ends the vote at once"
          words={goal(votes.for, superQuorum)}
          share={ratio(votes.for, superQuorum)}
        />
      )}
    </Panel>
  )
}

function BallotPanel({ ballots }: { readonly ballots: readonly Ballot[] }) {
  return (
    <Panel title="Who voted how" sources={['chain']} flush>
      {ballots.length === 0 ? (
        <Empty title="Nobody has voted yet" />
      ) : (
        <Timeline
          entries={[...ballots].reverse().map(({ voter, support, weight, reason, place }) => ({
            key: voter,
            time: place.time === 0 ? `block ${place.block}` : dateTime(place.time * 1000),
            title: `${supportNames[support]}: ${tokens(weight)} KSW`,
            note: `${voter}${reason === '' ? '' : `: “${visibleText(reason)}”`}`,
            isKill: false,
          }))}
        />
      )}
    </Panel>
  )
}

function IdentityPanel({
  view,
  proposerOnly,
}: {
  readonly view: ProposalView
  readonly proposerOnly: boolean
}) {
  const { record } = view
  const { createdAt } = record
  return (
    <Panel title="Identity" sources={['chain']}>
      <Facts>
        <Fact name="Digest">
          <CopyText text={toHex(record.id, { size: 32 })} what="digest of the proposal" />{' '}
          <Muted>
            {record.isGenuine ? 'computed here from actions and description' : 'not that of its actions'}
          </Muted>
        </Fact>
        <Fact name="What is checked">
          {record.isGenuine
            ? 'That these words and these calls are what is voted on: the digest binds both. What the calls do is decoded by this page from their bytes. Whether the words are true nobody checks.'
            : 'The digest does not fit: other words or calls are voted on than those shown.'}
        </Fact>
        <Fact name="Proposer">
          <CopyText text={record.proposer} what="proposer's address" />{' '}
          {proposerOnly ? <Muted>only this account could propose it</Muted> : null}
        </Fact>
        <Fact name="Proposed">
          {createdAt.time === 0 ? `block ${createdAt.block}` : dateTime(createdAt.time * 1000)}
        </Fact>
        <Fact name="Snapshot">{dateTime(record.snapshot * 1000)}</Fact>
        <Fact name="Voting ends">{dateTime(record.deadline * 1000)}</Fact>
        <Fact name="Transaction">
          <CopyText text={createdAt.txHash} what="transaction hash" />
        </Fact>
      </Facts>
    </Panel>
  )
}
