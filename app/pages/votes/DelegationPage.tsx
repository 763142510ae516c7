import type { Hex } from '../../../protocol/hex.ts'
import { CopyText } from '../../design/components/CopyText.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Columns, Stack } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { share, tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useHolder } from '../../governance/useHolder.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { DelegateForm } from './DelegateForm.tsx'
import { DelegateList } from './DelegateList.tsx'
import { SendDelegation } from './SendDelegation.tsx'
import { VotingPage } from './VotingPage.tsx'

/** Who votes with whose tokens. */
export const DelegationPage = () => (
  <VotingPage title="Delegation">{(voting) => <Delegations voting={voting} />}</VotingPage>
)

function Delegations({ voting }: { readonly voting: Voting }) {
  const wallet = useWallet()
  return (
    <Columns>
      <Stack>
        {wallet === null ? (
          <Empty title="Connect a wallet to delegate">
            Tokens vote only once they are delegated: to yourself, so that you vote, or to somebody you trust.
          </Empty>
        ) : (
          <OwnDelegation key={wallet.account} voting={voting} account={wallet.account} />
        )}
        <SendDelegation voting={voting} />
      </Stack>
      <DelegateList voting={voting} />
    </Columns>
  )
}

function OwnDelegation({ voting, account }: { readonly voting: Voting; readonly account: Hex }) {
  const holder = useHolder(voting, account)
  const { supply } = voting.governance
  const amount = (value: bigint) => `${tokens(value)} KSW, ${share(value, supply)} of the supply`
  const delegate = holder?.delegate
  return (
    <>
      {holder !== undefined && holder.balance > 0n && holder.delegate === null ? (
        <Notice title="Your tokens are not delegated: they vote for nothing" tone="mark">
          Delegate them, to yourself or another. What counts in a vote is what was delegated at its snapshot.
        </Notice>
      ) : null}
      <Panel title="This wallet" sources={['chain']}>
        <Facts>
          <Fact name="Tokens">{holder === undefined ? 'reading …' : amount(holder.balance)}</Fact>
          <Fact name="Delegated to">
            {delegate === undefined ? (
              'reading …'
            ) : delegate === null ? (
              'nobody'
            ) : delegate === account ? (
              'itself'
            ) : (
              <CopyText text={delegate} what="delegate's address" />
            )}
          </Fact>
          <Fact name="Votes now">{holder === undefined ? 'reading …' : amount(holder.power)}</Fact>
        </Facts>
      </Panel>
      <DelegateForm voting={voting} account={account} />
    </>
  )
}
