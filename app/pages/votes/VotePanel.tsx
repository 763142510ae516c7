import { useState } from 'react'
import type { Support } from '../../../protocol/governance/governanceLog.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { Quote } from '../../design/components/Quote.tsx'
import { clockTime } from '../../format.ts'
import { href, routes } from '../../frame/routes.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { governorCall } from '../../governance/governorCall.ts'
import { share, tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { type Holder, useHolder, usePowerAt } from '../../governance/useHolder.ts'
import { visibleText } from '../../governance/visibleText.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'
import type { ProposalView } from './useProposalView.ts'

export const supportNames: Readonly<Record<Support, string>> = { 0: 'Against', 1: 'For', 2: 'Abstain' }

/** The connected wallet's vote: what it weighs, whether it would count, and how to cast it. */
export function VotePanel({ voting, view }: { readonly voting: Voting; readonly view: ProposalView }) {
  const wallet = useWallet()
  return (
    <Panel title="Your vote" sources={['chain']}>
      {wallet === null ? (
        <Muted>Connect a wallet to see what its vote weighs here.</Muted>
      ) : (
        <WalletVote key={wallet.account} voting={voting} view={view} account={wallet.account} />
      )}
    </Panel>
  )
}

function WalletVote(props: { readonly voting: Voting; readonly view: ProposalView; readonly account: Hex }) {
  const { voting, view, account } = props
  const { record, state } = view
  const { governance } = voting
  const holder = useHolder(voting, account)
  const atSnapshot = usePowerAt(voting, account, record.snapshot)
  const own = record.ballots.find(({ voter }) => voter === account)
  const weight = (amount: bigint) => `${tokens(amount)} KSW (${share(amount, governance.supply)})`
  return (
    <Stack>
      <Facts>
        <Fact name="Counts here">
          {state === 'pending'
            ? 'your votes at the snapshot, which is yet to come'
            : atSnapshot === undefined
              ? 'reading …'
              : `${weight(atSnapshot)}, your votes at the snapshot`}
        </Fact>
        <Fact name="Votes now">{holder === undefined ? 'reading …' : weight(holder.power)}</Fact>
        <Fact name="Tokens">{holder === undefined ? 'reading …' : weight(holder.balance)}</Fact>
      </Facts>
      {own === undefined ? null : (
        <>
          <p>
            You voted <strong>{supportNames[own.support].toLowerCase()}</strong> with {weight(own.weight)}.
          </p>
          {own.reason === '' ? null : <Quote>{visibleText(own.reason)}</Quote>}
        </>
      )}
      {holder === undefined || own !== undefined ? null : (
        <PowerNotice voting={voting} view={view} holder={holder} atSnapshot={atSnapshot} />
      )}
      {state === 'active' && own === undefined && record.isGenuine ? (
        <VoteForm voting={voting} view={view} hasPower={atSnapshot !== undefined && atSnapshot > 0n} />
      ) : null}
    </Stack>
  )
}

/** Why a vote would count for nothing, said before it is cast. */
function PowerNotice(props: {
  readonly voting: Voting
  readonly view: ProposalView
  readonly holder: Holder
  readonly atSnapshot: bigint | undefined
}) {
  const { view, holder, atSnapshot } = props
  const { record, state } = view
  const isUndelegated = holder.balance > 0n && holder.delegate === null
  const delegate = <Link href={href(routes.delegation)}>Delegate</Link>
  const snapshotTime = clockTime(record.snapshot * 1000)
  if (state === 'pending')
    return isUndelegated ? (
      <Notice title="Your tokens are not delegated: they would not count" tone="mark" actions={delegate}>
        Tokens vote only once they are delegated, to yourself or another, before the snapshot at{' '}
        {snapshotTime}. Delegate now to vote on this.
      </Notice>
    ) : null
  if (state !== 'active' || atSnapshot === undefined || atSnapshot > 0n) return null
  if (isUndelegated)
    return (
      <Notice
        title="Your tokens are not delegated: a vote would count for nothing"
        tone="mark"
        actions={delegate}
      >
        What counts here are votes at the snapshot at {snapshotTime}, and yours were delegated to nobody then.
        It is too late for this proposal; delegate now for the next.
      </Notice>
    )
  return holder.power > 0n ? (
    <Notice title="Your votes came too late for this proposal" tone="mark">
      You have votes now, but had none at the snapshot at {snapshotTime}. A vote would count for nothing.
    </Notice>
  ) : (
    <Notice title="This wallet has no votes" tone="mark" actions={delegate}>
      {holder.delegate === null
        ? 'It held no votes at the snapshot. A vote would count for nothing.'
        : `Its tokens vote through ${holder.delegate}, who can vote here.`}
    </Notice>
  )
}

function VoteForm(props: {
  readonly voting: Voting
  readonly view: ProposalView
  readonly hasPower: boolean
}) {
  const { voting, view, hasPower } = props
  const { record } = view
  const [support, setSupport] = useState<Support | -1>(-1)
  const [reason, setReason] = useState('')
  const vote = useCall(voting.refresh, governanceWords)
  const send = () =>
    vote.run(
      reason.trim() === ''
        ? governorCall(voting, record.governor, 'castVote', [record.id, support])
        : governorCall(voting, record.governor, 'castVoteWithReason', [record.id, support, reason.trim()]),
    )
  return (
    <Stack>
      <ChoiceField
        label="Vote"
        compact
        value={support}
        onChange={setSupport}
        choices={([1, 0, 2] as const).map((value) => ({ value, label: supportNames[value] }))}
      />
      <TextField
        label="Your reason"
        value={reason}
        onChange={setReason}
        hint="Optional. Public, and on chain for ever."
      />
      <Row>
        <Button
          kind="strong"
          busy={vote.isBusy}
          why={
            hasPower
              ? support === -1
                ? 'choose for, against or abstain'
                : undefined
              : 'it would count for nothing'
          }
          onPress={send}
        >
          Vote by transaction
        </Button>
      </Row>
      <Muted>A vote cannot be changed.</Muted>
      <WriteStatus write={vote} done="Voted." />
    </Stack>
  )
}
