import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { getAddress, isAddress } from 'viem'
import { readContract } from 'viem/actions'
import { killswitchTokenAbi } from '../../../protocol/generated/killswitchTokenAbi.ts'
import {
  delegationTypedData,
  type SignedDelegation,
  writeSignedDelegation,
} from '../../../protocol/governance/delegation.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Live, Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { ErrorNotice, Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { Verbatim } from '../../design/components/Quote.tsx'
import { dateTime } from '../../format.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'
import { WriteStatus } from '../WriteStatus.tsx'

type Way = 'transaction' | 'signature'
const lives = { day: 86_400n, week: 604_800n, month: 2_592_000n } as const
type Life = keyof typeof lives

/** Delegating this wallet's tokens, by transaction or by a signature for others to send. */
export function DelegateForm({ voting, account }: { readonly voting: Voting; readonly account: Hex }) {
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
