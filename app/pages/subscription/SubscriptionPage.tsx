import type { Hex } from '../../../protocol/hex.ts'
import { useStore } from '../../data/useStore.ts'
import { Empty, Loading } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Stack } from '../../design/components/Layout.tsx'
import { ErrorNotice, Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { GoalBar } from '../../design/components/VoteBar.tsx'
import { clockTime, count, dateTime, whole, wholeDuration } from '../../format.ts'
import { discountWords } from '../../governance/discountWords.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useHolder } from '../../governance/useHolder.ts'
import { type Subscriber, useSubscriber } from '../../governance/useSubscription.ts'
import { plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { VotingPage } from '../votes/VotingPage.tsx'
import { PlanPanel } from './PlanPanel.tsx'

/** How many agents this wallet may enrol, what it pays for that, and what holding more would change. */
export const SubscriptionPage = () => (
  <VotingPage title="My subscription" alone narrow>
    {(voting) => <Mine voting={voting} />}
  </VotingPage>
)

function Mine({ voting }: { readonly voting: Voting }) {
  const wallet = useWallet()
  return wallet === null ? (
    <Empty title="Connect a wallet to see its subscription">
      A subscription says how many agents a wallet may enrol. It never stops a renewal or a kill.
    </Empty>
  ) : (
    <WalletSubscription key={wallet.account} voting={voting} account={wallet.account} />
  )
}

function WalletSubscription({ voting, account }: { readonly voting: Voting; readonly account: Hex }) {
  const { chain } = useServices()
  const { registry } = useStore(chain.view)
  const { subscriber, error, refresh } = useSubscriber(voting, account)
  const plans = [...voting.governance.plans.values()].filter(({ offered }) => offered)
  if (subscriber === undefined)
    return error === null ? (
      <Loading what="Reading your subscription …" />
    ) : (
      <ErrorNotice error={plainError(error, governanceWords)} />
    )
  const agents = registry?.agentsByOwner.get(account)?.size ?? 0
  const { planId, paidUntil, quota } = subscriber
  const isPaid = paidUntil > voting.now
  return (
    <>
      <Panel title="Now" sources={['chain']}>
        <Facts>
          <Fact name="Plan">
            {isPaid
              ? `Plan ${planId}, paid until ${dateTime(paidUntil * 1000)} (${wholeDuration((paidUntil - voting.now) * 1000)} left)`
              : paidUntil > 0
                ? `none; plan ${planId} ended ${dateTime(paidUntil * 1000)}`
                : 'none'}
          </Fact>
        </Facts>
        <GoalBar
          name="Agents of this wallet"
          words={`${whole(agents)} of ${whole(quota)}${isPaid ? '' : ', free of charge'}`}
          share={quota === 0 ? 1 : agents / quota}
        />
        {agents > quota ? (
          <Notice title="More agents than the quota" tone="mark">
            Relayers may refuse to enrol new ones. Those that run go on: a quota stops no renewal and no kill.
          </Notice>
        ) : null}
      </Panel>
      <DiscountPanel voting={voting} account={account} subscriber={subscriber} />
      {plans.length === 0 ? (
        <Panel title="Plans" sources={['chain']} flush>
          <Empty title="No plan is offered">
            Votes set plans. Until they do, every wallet may enrol {count(subscriber.freeQuota, 'agent')}.
          </Empty>
        </Panel>
      ) : (
        plans.map((plan) => (
          <PlanPanel
            key={plan.planId}
            voting={voting}
            account={account}
            plan={plan}
            subscriber={subscriber}
            onBought={refresh}
          />
        ))
      )}
    </>
  )
}

function DiscountPanel(props: {
  readonly voting: Voting
  readonly account: Hex
  readonly subscriber: Subscriber
}) {
  const { voting, account, subscriber } = props
  const holder = useHolder(voting, account)
  const { held, discount, samples, interval } = subscriber
  return (
    <Panel title="Discount for holding KSW" sources={['chain']}>
      <Facts>
        <Fact name="Now">{discount === 0 ? 'none' : `${discount / 100} %`}</Fact>
        <Fact name="Counts">
          {tokens(held)} KSW, the least of your last {samples} balances, taken every{' '}
          {wholeDuration(interval * 1000)}
        </Fact>
        <Fact name="You hold">{holder === undefined ? 'reading …' : `${tokens(holder.balance)} KSW`}</Fact>
      </Facts>
      <Stack tight>
        {discountWords(subscriber, holder?.balance, voting.now).map(({ key, text, at }) => (
          <p key={key}>
            {text}
            {at === null ? '' : ` (${at - voting.now < 43_200 ? clockTime(at * 1000) : dateTime(at * 1000)})`}
          </p>
        ))}
      </Stack>
    </Panel>
  )
}
