import { useState } from 'react'
import { getAddress, isAddress } from 'viem'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import type { Registry } from '../../../protocol/registry.ts'
import { useWrite } from '../../chain/useWrite.ts'
import { guardedOwners } from '../../data/useFleet.ts'
import { useStore } from '../../data/useStore.ts'
import { Button } from '../../design/components/Button.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { TextField } from '../../design/components/Field.tsx'
import { Muted, Page, Row } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { count, dateTime, wholeDuration } from '../../format.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { ChainUnread } from '../ChainUnread.tsx'
import { WriteStatus } from '../WriteStatus.tsx'

type Guardian = { readonly guardian: Hex; readonly until: number }

/** Kill-only keys that an owner appoints. */
export function GuardiansPage() {
  const { chain } = useServices()
  const { registry, head, error } = useStore(chain.view)
  const wallet = useWallet()
  if (wallet === null)
    return (
      <Page title="Guardians" narrow>
        <Empty title="Connect a wallet to see its guardians">
          A guardian can stop your agents, one or all, but never resume them. Appoint people who are awake
          when you are not.
        </Empty>
      </Page>
    )
  if (registry === null || head === null)
    return (
      <Page title="Guardians" narrow>
        <ChainUnread error={error} />
      </Page>
    )
  return <Guardians key={wallet.account} account={wallet.account} registry={registry} now={head.time} />
}

/** @param props `now` is the chain's, in Unix seconds */
function Guardians(props: { readonly account: Hex; readonly registry: Registry; readonly now: number }) {
  const { account, registry, now } = props
  const dismiss = useWrite('dismissGuardian')
  const guardians: readonly Guardian[] = [...registry.guardians]
    .filter(([key, until]) => key.startsWith(`${account}:`) && until > now)
    .map(([key, until]) => ({ guardian: key.slice(43) as Hex, until }))
  const owners = guardedOwners(registry, account, now)
  const cooldown = wholeDuration((registry.cooldowns.get(Rank.Owner) ?? 0) * 1000)
  const isBusy = dismiss.step === 'wallet' || dismiss.step === 'landing'
  const columns: readonly Column<Guardian>[] = [
    {
      name: 'Address',
      wide: true,
      cell: ({ guardian }) => <CopyText text={guardian} what="guardian's address" />,
    },
    {
      name: 'Power',
      cell: ({ until }) =>
        until === Number.POSITIVE_INFINITY
          ? 'may stop your agents'
          : `may stop until ${dateTime(until * 1000)}`,
    },
    {
      name: 'Dismiss',
      unnamed: true,
      cell: ({ guardian, until }) =>
        until === Number.POSITIVE_INFINITY ? (
          <Button
            busy={isBusy}
            label={`Dismiss ${guardian}`}
            onPress={() => dismiss.run([getAddress(guardian)])}
          >
            Dismiss
          </Button>
        ) : (
          <Muted>dismissed</Muted>
        ),
    },
  ]
  return (
    <Page title="Guardians" narrow>
      <Panel title="Guardians of this wallet" sources={['chain']} flush>
        {guardians.length === 0 ? (
          <Empty title="No guardians">Without one, only this wallet can stop your agents.</Empty>
        ) : (
          <DataTable
            caption="Guardians"
            columns={columns}
            rows={guardians}
            keyOf={({ guardian }) => guardian}
          />
        )}
      </Panel>
      <WriteStatus write={dismiss} done={`Dismissed. The power ends after a cool-down of ${cooldown}.`} />
      <AppointForm account={account} cooldown={cooldown} />
      <Panel title="Wallets that you guard" sources={['chain']}>
        {owners.length === 0 ? (
          <Muted>
            None. A wallet that appoints this one appears here, and its agents on your fleet page.
          </Muted>
        ) : (
          owners.map((owner) => (
            <Row key={owner} spread>
              <CopyText text={owner} what="address" />
              <Muted>{count(registry.agentsByOwner.get(owner)?.size ?? 0, 'agent')}</Muted>
            </Row>
          ))
        )}
      </Panel>
    </Page>
  )
}

function AppointForm({ account, cooldown }: { readonly account: Hex; readonly cooldown: string }) {
  const appoint = useWrite('appointGuardian')
  const [address, setAddress] = useState('')
  const text = address.trim()
  const isGood = isAddress(text, { strict: text !== text.toLowerCase() })
  const fault =
    text === '' || isGood
      ? text.toLowerCase() === account
        ? 'That is this wallet; it can stop its agents anyway.'
        : undefined
      : 'That is no address, or its capitals do not fit it (EIP-55).'
  const isBusy = appoint.step === 'wallet' || appoint.step === 'landing'
  return (
    <Panel title="Appoint a guardian">
      <p>
        A guardian stops any or all of your agents, at once. It can never resume them, and dismissing it takes{' '}
        {cooldown}.
      </p>
      <TextField label="Address" mono value={address} onChange={setAddress} placeholder="0x…" fault={fault} />
      <Row>
        <Button
          kind="strong"
          busy={isBusy}
          why={!isGood || fault !== undefined ? 'enter an address' : undefined}
          onPress={() => appoint.run([getAddress(text)])}
        >
          Appoint
        </Button>
      </Row>
      <WriteStatus write={appoint} done="Appointed." />
    </Panel>
  )
}
