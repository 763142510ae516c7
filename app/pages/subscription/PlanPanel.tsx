import { useState } from 'react'
import { killswitchTokenAbi } from '../../../protocol/generated/killswitchTokenAbi.ts'
import { subscriptionsAbi } from '../../../protocol/generated/subscriptionsAbi.ts'
import type { Plan } from '../../../protocol/governance/governanceLog.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { TextField } from '../../design/components/Field.tsx'
import { Muted, Row } from '../../design/components/Layout.tsx'
import { Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { count, wholeDuration } from '../../format.ts'
import { governanceErrors, governanceWords } from '../../governance/governanceWords.ts'
import { tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { type Subscriber, useCost } from '../../governance/useSubscription.ts'
import { plainError } from '../../plainError.ts'
import { WriteStatus } from '../WriteStatus.tsx'

/** A plan: its price for this wallet, and buying it in one or two transactions. */
export function PlanPanel(props: {
  readonly voting: Voting
  readonly account: Hex
  readonly plan: Plan
  readonly subscriber: Subscriber
  readonly onBought: () => Promise<void>
}) {
  const { voting, account, plan, subscriber, onBought } = props
  const { currency } = subscriber
  const [entered, setEntered] = useState('1')
  const periods = /^\d{1,5}$/.test(entered) ? Number(entered) : 0
  const { cost, error } = useCost(voting, account, plan.planId, periods)
  const refresh = async () => {
    await Promise.all([voting.refresh(), onBought()])
  }
  const approve = useCall(refresh, governanceWords)
  const subscribe = useCall(refresh, governanceWords)
  const money = (amount: bigint) => `${tokens(amount, currency.decimals)} ${currency.symbol}`
  const isAllowed = cost !== undefined && currency.allowance >= cost
  const why =
    periods < 1
      ? 'enter a number of periods'
      : cost === undefined
        ? 'the price is not known'
        : currency.balance < cost
          ? `this wallet holds ${money(currency.balance)}`
          : undefined
  return (
    <Panel title={`Plan ${plan.planId}: ${count(plan.agentQuota, 'agent')}`} sources={['chain']}>
      <Facts>
        <Fact name="Price">
          {money(plan.price)} for {wholeDuration(plan.period * 1000)}
          {subscriber.discount === 0 ? '' : `, less ${subscriber.discount / 100} %`}
        </Fact>
      </Facts>
      <TextField
        label="Periods"
        figures
        value={entered}
        onChange={setEntered}
        fault={periods < 1 || periods > 65_535 ? 'A whole number from 1.' : undefined}
      />
      {error === null ? null : (
        <Notice title="It cannot be bought like this" tone="mark">
          {plainError(error, governanceWords).next}
        </Notice>
      )}
      {cost === undefined ? null : (
        <p>
          Costs <strong>{money(cost)}</strong> now:{' '}
          {isAllowed ? 'one transaction.' : 'two transactions, the first allows the payment.'}
        </p>
      )}
      <Row>
        {isAllowed ? (
          <Button
            kind="strong"
            busy={subscribe.isBusy}
            why={why}
            onPress={() =>
              subscribe.run({
                address: voting.contracts.subscriptions,
                abi: [...subscriptionsAbi, ...governanceErrors],
                functionName: 'subscribe',
                args: [plan.planId, periods, cost],
              })
            }
          >
            Subscribe
          </Button>
        ) : (
          <Button
            kind="strong"
            busy={approve.isBusy}
            why={why}
            onPress={() =>
              approve.run({
                address: currency.address,
                abi: [...killswitchTokenAbi, ...governanceErrors],
                functionName: 'approve',
                args: [voting.contracts.subscriptions, cost],
              })
            }
          >
            {cost === undefined ? 'Allow the payment' : `Allow ${money(cost)}`}
          </Button>
        )}
      </Row>
      <Muted>Payments go to the timelock of the votes.</Muted>
      <WriteStatus write={approve} done="Allowed." />
      <WriteStatus write={subscribe} done="Subscribed." />
    </Panel>
  )
}
