import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { getAddress, parseSignature, recoverTypedDataAddress } from 'viem'
import { killswitchTokenAbi } from '../../../protocol/generated/killswitchTokenAbi.ts'
import {
  DelegationTextError,
  delegationTypedData,
  readSignedDelegation,
  type SignedDelegation,
} from '../../../protocol/governance/delegation.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { useCall } from '../../chain/useCall.ts'
import { Button } from '../../design/components/Button.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { Muted, Row, Stack } from '../../design/components/Layout.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { TextArea } from '../../design/components/TextArea.tsx'
import { dateTime } from '../../format.ts'
import { governanceWords } from '../../governance/governanceWords.ts'
import { tokens } from '../../governance/tokens.ts'
import type { Voting } from '../../governance/useGovernance.ts'
import { useHolder } from '../../governance/useHolder.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'

/** A delegation that somebody else signed, sent by this wallet. */
export function SendDelegation({ voting }: { readonly voting: Voting }) {
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
