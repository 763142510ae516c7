import { toHex } from 'viem'
import { proposalKey } from '../../../protocol/governance/ballots.ts'
import type { GovernorName } from '../../../protocol/governance/governanceLog.ts'
import {
  type Action,
  describedFor,
  type Proposal,
  proposalId,
  proposeArguments,
} from '../../../protocol/governance/proposal.ts'
import { useCall } from '../../chain/useCall.ts'
import { useStore } from '../../data/useStore.ts'
import { Button } from '../../design/components/Button.tsx'
import { HoldButton } from '../../design/components/HoldButton.tsx'
import { Live, Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { TextArea } from '../../design/components/TextArea.tsx'
import { proposalHref } from '../../frame/routes.ts'
import { actionViews } from '../../governance/actionView.ts'
import { beforeOf } from '../../governance/before.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { governorCall } from '../../governance/governorCall.ts'
import { type Check, useCheck } from '../../governance/useCheck.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'
import { ActionPanel } from './ActionPanel.tsx'

/** A proposal before it is made: what it would do, whether it would work, and the step that makes it. */
export function ProposeBox(props: {
  readonly voting: Voting
  readonly governor: GovernorName
  /** Null while the form above is not complete. */
  readonly action: Action | null
  /** What keeps the form above from being complete. */
  readonly missing: string
  readonly text: string
  readonly onText: (text: string) => void
  /** A resume need not work now: its cool-down may run until the vote is over. */
  readonly mayFailNow?: boolean
}) {
  const { voting, governor, action, missing, text, onText, mayFailNow = false } = props
  const { chain, config } = useServices()
  const { events } = useStore(chain.view)
  const wallet = useWallet()
  const account = wallet?.account ?? null
  const propose = useCall(voting.refresh, governanceWords)
  const proposal: Proposal | null =
    action === null || account === null
      ? null
      : { actions: [action], description: describedFor(text.trim(), account) }
  const { check, error } = useCheck(voting, governor, proposal, account)
  const [view] =
    action === null
      ? []
      : actionViews(voting.contracts, [action], beforeOf({ executedAt: null }, voting.governance, events))
  const isMade =
    proposal !== null && voting.governance.proposals.has(proposalKey(governor, proposalId(proposal)))
  const why = whyNot({
    isConnected: wallet !== null,
    missing: action === null ? missing : null,
    text,
    check,
    mayFailNow,
  })
  const send = () => {
    if (proposal !== null) propose.run(governorCall(voting, governor, 'propose', proposeArguments(proposal)))
  }
  if (isMade && proposal !== null)
    return (
      <Notice
        title="Proposed"
        actions={
          <Link href={proposalHref(governor, toHex(proposalId(proposal), { size: 32 }))}>
            Open the proposal
          </Link>
        }
      >
        It is on chain. The same proposal, word for word, cannot be made again.
      </Notice>
    )
  return (
    <>
      {view === undefined ? null : <ActionPanel view={view} number={1} of={1} isDone={false} />}
      <Panel title="Propose it">
        <Stack>
          <TextArea
            label="Why"
            value={text}
            onChange={onText}
            hint="Public, and on chain for ever. Voters see it below what the proposal does."
          />
          <Live>
            {proposal === null ? null : <CheckNotice check={check} error={error} mayFailNow={mayFailNow} />}
          </Live>
          <Muted>
            Next, your wallet asks to confirm a transaction on {config.chainName}. It costs gas. Only your
            wallet can make this proposal: its description ends with your address.
          </Muted>
          {governor === 'emergency' ? (
            <>
              <HoldButton
                label="Hold to call the vote"
                disabled={why !== undefined || propose.isBusy}
                onHeld={send}
              />
              {why === undefined ? null : <Muted>Not yet: {why}.</Muted>}
            </>
          ) : (
            <Row>
              <Button kind="strong" busy={propose.isBusy} why={why} onPress={send}>
                Propose by transaction
              </Button>
            </Row>
          )}
          <WriteStatus write={propose} done="Proposed." />
        </Stack>
      </Panel>
    </>
  )
}

function whyNot(given: {
  readonly isConnected: boolean
  readonly missing: string | null
  readonly text: string
  readonly check: Check | undefined
  readonly mayFailNow: boolean
}): string | undefined {
  const { isConnected, missing, text, check, mayFailNow } = given
  if (!isConnected) return 'connect a wallet'
  if (missing !== null) return missing
  if (text.trim() === '') return 'say why'
  if (check === undefined) return 'being checked'
  if (check.propose !== null) return 'it would be refused, see above'
  if (!mayFailNow && check.actions.some((one) => one !== null)) return 'it would fail, see above'
  return undefined
}

function CheckNotice(props: {
  readonly check: Check | undefined
  readonly error: unknown
  readonly mayFailNow: boolean
}) {
  const { check, error, mayFailNow } = props
  if (check === undefined)
    return error === null ? (
      <Muted>Trying it on your node …</Muted>
    ) : (
      <Notice title="It could not be tried out" tone="mark">
        {plainError(error).title}. This page checks a proposal on your node before you sign it.
      </Notice>
    )
  const failing = check.actions.find((one) => one !== null)
  if (check.propose !== null)
    return (
      <Notice title="You cannot propose it now" tone="mark">
        {check.propose}
      </Notice>
    )
  if (failing !== undefined)
    return (
      <Notice
        title={mayFailNow ? 'Executed right now, it would fail' : 'It would fail when it is executed'}
        tone="mark"
      >
        {failing}
        {mayFailNow ? ' It has to work once the vote is over.' : ''}
      </Notice>
    )
  return <Muted>Tried on your node: it can be proposed, and it would work if it were executed now.</Muted>
}
