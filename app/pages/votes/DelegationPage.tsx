import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { getAddress, isAddress, parseSignature, recoverTypedDataAddress } from 'viem'
import { readContract } from 'viem/actions'
import { killswitchTokenAbi } from '../../../protocol/generated/killswitchTokenAbi.ts'
import {
  DelegationTextError,
  delegationTypedData,
  readSignedDelegation,
  type SignedDelegation,
  writeSignedDelegation,
} from '../../../protocol/governance/delegation.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { type Column, DataTable } from '../../design/components/DataTable.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Columns, Live, Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { ErrorNotice, Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { Verbatim } from '../../design/components/Quote.tsx'
import { TextArea } from '../../design/components/TextArea.tsx'
import { count, dateTime, shortHex } from '../../format.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { share, tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useHolder } from '../../governance/useHolder.ts'
import { plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'
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
        <SendPanel voting={voting} />
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

type Way = 'transaction' | 'signature'
const lives = { day: 86_400n, week: 604_800n, month: 2_592_000n } as const
type Life = keyof typeof lives

function DelegateForm({ voting, account }: { readonly voting: Voting; readonly account: Hex }) {
  const { client, config, walletPort } = useServices()
  const [to, setTo] = useState<'self' | 'other'>('self')
  const [address, setAddress] = useState('')
  const [way, setWay] = useState<Way>('transaction')
  const [life, setLife] = useState<Life>('week')
  const send = useCall(voting.refresh, governanceWords)
  const { token } = voting.contracts
  const text = address.trim()
  const isGood = to === 'self' || isAddress(text, { strict: text !== text.toLowerCase() })
  const delegatee = to === 'self' ? account : text
  const sign = useMutation({
    mutationFn: async (): Promise<SignedDelegation> => {
      await walletPort.goToChain()
      const nonce = await readContract(client, {
        address: token,
        abi: killswitchTokenAbi,
        functionName: 'nonces',
        args: [account],
      })
      const place = { chainId: config.deployment.chainId, token }
      const delegation = {
        delegatee: delegatee.toLowerCase() as Hex,
        nonce,
        expiry: BigInt(voting.now) + lives[life],
      }
      const signature = await walletPort.signTypedData(account, delegationTypedData(place, delegation))
      return { ...place, ...delegation, signature }
    },
  })
  const why = isGood ? undefined : 'enter an address'
  return (
    <Panel title="Delegate">
      <Stack>
        <ChoiceField
          label="To"
          value={to}
          onChange={setTo}
          choices={[
            { value: 'self', label: 'Myself', note: 'You vote with your tokens.' },
            {
              value: 'other',
              label: 'Somebody else',
              note: 'They vote with your tokens; your tokens stay yours.',
            },
          ]}
        />
        {to === 'other' ? (
          <TextField
            label="Address"
            mono
            value={address}
            onChange={setAddress}
            placeholder="0x…"
            fault={
              text === '' || isGood
                ? undefined
                : 'That is no address, or its capitals do not fit it (EIP-55).'
            }
          />
        ) : null}
        <ChoiceField
          label="How"
          value={way}
          onChange={setWay}
          choices={[
            { value: 'transaction', label: 'Transaction', note: 'Your wallet sends it and pays the gas.' },
            {
              value: 'signature',
              label: 'Signature',
              note: 'Free: you sign, and another account sends it and pays the gas.',
            },
          ]}
        />
        {way === 'signature' ? (
          <ChoiceField
            label="It can be sent for"
            compact
            value={life}
            onChange={setLife}
            choices={[
              { value: 'day', label: 'a day' },
              { value: 'week', label: 'a week' },
              { value: 'month', label: '30 days' },
            ]}
          />
        ) : null}
        <Muted>
          {way === 'transaction'
            ? `Next, your wallet asks to confirm a transaction on ${config.chainName}. It costs gas.`
            : 'Next, your wallet asks for a signature (Delegation). It costs nothing; nothing changes until somebody sends it.'}
        </Muted>
        <Row>
          {way === 'transaction' ? (
            <Button
              kind="strong"
              busy={send.isBusy}
              why={why}
              onPress={() =>
                send.run({
                  address: token,
                  abi: killswitchTokenAbi,
                  functionName: 'delegate',
                  args: [getAddress(delegatee)],
                })
              }
            >
              Delegate by transaction
            </Button>
          ) : (
            <Button kind="strong" busy={sign.isPending} why={why} onPress={() => sign.mutate()}>
              Sign the delegation
            </Button>
          )}
        </Row>
        <WriteStatus write={send} done="Delegated. It counts in votes whose snapshot is later than this." />
        {sign.error === null ? null : <ErrorNotice error={plainError(sign.error, governanceWords)} />}
        {sign.data === undefined || way !== 'signature' ? null : (
          <Notice title="Signed, but nothing has changed yet">
            <Stack>
              <p>
                Copy it to whoever sends it, from this page or any other. It can be sent once, until{' '}
                {dateTime(Number(sign.data.expiry) * 1000)}. Another delegation of yours makes it void.
              </p>
              <Verbatim label="Signed delegation">{writeSignedDelegation(sign.data)}</Verbatim>
              <CopyButton text={writeSignedDelegation(sign.data)} />
            </Stack>
          </Notice>
        )}
      </Stack>
    </Panel>
  )
}

function CopyButton({ text }: { readonly text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <Row>
      <Button onPress={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
        Copy the signed delegation
      </Button>
      <Live>{copied ? <Muted>Copied.</Muted> : null}</Live>
    </Row>
  )
}

/** A delegation that somebody else signed, sent by this wallet. */
function SendPanel({ voting }: { readonly voting: Voting }) {
  const { config } = useServices()
  const wallet = useWallet()
  const [text, setText] = useState('')
  const send = useCall(voting.refresh, governanceWords)
  const { token } = voting.contracts
  const place = { chainId: config.deployment.chainId, token }
  let signed: SignedDelegation | null = null
  let fault: string | undefined
  if (text.trim() !== '')
    try {
      signed = readSignedDelegation(text, place)
    } catch (error) {
      if (!(error instanceof DelegationTextError)) throw error
      fault = error.message
    }
  const signer = useQuery({
    queryKey: ['signer', text],
    enabled: signed !== null,
    queryFn: async () =>
      (
        await recoverTypedDataAddress({
          ...delegationTypedData(place, signed as SignedDelegation),
          signature: (signed as SignedDelegation).signature,
        })
      ).toLowerCase() as Hex,
  }).data
  const holder = useHolder(voting, signed === null ? null : (signer ?? null))
  const isExpired = signed !== null && Number(signed.expiry) < voting.now
  const run = () => {
    if (signed === null) return
    const { r, s, yParity } = parseSignature(signed.signature)
    send.run({
      address: token,
      abi: killswitchTokenAbi,
      functionName: 'delegateBySig',
      args: [getAddress(signed.delegatee), signed.nonce, signed.expiry, 27 + yParity, r, s],
    })
  }
  const why =
    wallet === null
      ? 'connect a wallet'
      : signed === null || signer === undefined
        ? 'paste a signed delegation'
        : isExpired
          ? 'it has expired'
          : undefined
  return (
    <Panel title="Send a signed delegation">
      <Stack>
        <TextArea
          label="Signed delegation"
          mono
          value={text}
          onChange={setText}
          hint="As somebody copied it from this page. Your wallet sends it and pays the gas."
          fault={fault}
        />
        {signed === null || signer === undefined ? null : (
          <Facts>
            <Fact name="Holder">
              <CopyText text={signer} what="holder's address" />
              <Muted>
                {' '}
                {holder === undefined ? '' : `with ${tokens(holder.balance)} KSW; by the signature`}
              </Muted>
            </Fact>
            <Fact name="Delegates to">
              {signed.delegatee === signer ? (
                'itself'
              ) : (
                <CopyText text={signed.delegatee} what="delegate's address" />
              )}
            </Fact>
            <Fact name="Can be sent until">{dateTime(Number(signed.expiry) * 1000)}</Fact>
          </Facts>
        )}
        <Row>
          <Button kind="strong" busy={send.isBusy} why={why} onPress={run}>
            Send it by transaction
          </Button>
        </Row>
        <WriteStatus write={send} done="Sent: the tokens are delegated." />
      </Stack>
    </Panel>
  )
}

type Delegate = { readonly delegate: Hex; readonly votes: bigint; readonly holders: number }
/** Delegates that are listed; the rest is counted. */
const shown = 100

function DelegateList({ voting }: { readonly voting: Voting }) {
  const { votes, delegates, supply } = voting.governance
  const wallet = useWallet()
  const holders = new Map<Hex, number>()
  for (const delegate of delegates.values()) holders.set(delegate, (holders.get(delegate) ?? 0) + 1)
  const all: readonly Delegate[] = [...votes]
    .filter(([, power]) => power > 0n)
    .map(([delegate, power]) => ({ delegate, votes: power, holders: holders.get(delegate) ?? 0 }))
    .sort((a, b) => (a.votes === b.votes ? 0 : a.votes < b.votes ? 1 : -1))
  const total = all.reduce((sum, one) => sum + one.votes, 0n)
  const columns: readonly Column<Delegate>[] = [
    {
      name: 'Delegate',
      wide: true,
      cell: ({ delegate }) => <CopyText text={delegate} what="delegate's address" />,
    },
    { name: 'Votes', figures: true, cell: (one) => share(one.votes, supply) },
    {
      name: 'Holders',
      figures: true,
      cell: (one) => `${one.holders}${one.delegate === wallet?.account ? ' (you)' : ''}`,
    },
  ]
  return (
    <Panel
      title="Delegates"
      sources={['chain']}
      flush
      actions={<Muted>{share(total, supply)} delegated</Muted>}
    >
      {all.length === 0 ? (
        <Empty title="Nobody has delegated">Without delegates no vote can carry.</Empty>
      ) : (
        <DataTable
          caption="Delegates"
          columns={columns}
          rows={all.slice(0, shown)}
          keyOf={({ delegate }) => delegate}
          dense
        />
      )}
      {all.length > shown ? (
        <Muted>
          and {count(all.length - shown, 'more delegate')}, the next {shortHex(all[shown]?.delegate ?? '')}
        </Muted>
      ) : null}
    </Panel>
  )
}
