import { useState } from 'react'
import { toHex } from 'viem'
import { deriveAgentId } from '../../../protocol/agentId.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { formatSpiffeId, isAgentType } from '../../../protocol/spiffeId.ts'
import { uuidFromAgentId } from '../../../protocol/uuid.ts'
import { useWrite } from '../../chain/useWrite.ts'
import { Button } from '../../design/components/Button.tsx'
import { CopyText } from '../../design/components/CopyText.tsx'
import { Empty } from '../../design/components/Empty.tsx'
import { Fact, Facts } from '../../design/components/Facts.tsx'
import { ChoiceField, TextField } from '../../design/components/Field.tsx'
import { Page, Row, Stack } from '../../design/components/Layout.tsx'
import { Link } from '../../design/components/Link.tsx'
import { ErrorNotice, Notice } from '../../design/components/Notice.tsx'
import { Panel } from '../../design/components/Panel.tsx'
import { agentHref } from '../../frame/routes.ts'
import { type PlainError, plainError } from '../../plainError.ts'
import { useServices } from '../../services.ts'
import { useWallet } from '../../wallet/useWallet.ts'
import { WriteStatus } from '../WriteStatus.tsx'
import { type AgentKey, createAgentKey } from './agentKey.ts'
import { saveFile } from './saveFile.ts'

export function RegisterPage() {
  const wallet = useWallet()
  // Here, since a wallet that locks itself or goes to another account takes the form away. Also before a registration has
  // landed: what is sent may land although nobody on this page learns of it.
  const [keys, setKeys] = useState<readonly MadeKey[]>([])
  const noteSent = (sent: string, privatePem: string | null) =>
    setKeys((former) => [
      ...former.filter(({ uuid }) => uuid !== sent),
      ...(privatePem === null ? [] : [{ uuid: sent, privatePem }]),
    ])
  return (
    <Page title="Register an agent" narrow>
      {wallet === null ? (
        <Empty title="Connect a wallet to register an agent">It becomes the agent's owner.</Empty>
      ) : (
        <RegisterForm account={wallet.account} key={wallet.account} onSent={noteSent} />
      )}
      {keys.map(({ uuid, privatePem }) => (
        <Notice
          key={uuid}
          title="Save the agent's private key now"
          tone="mark"
          actions={
            <Button kind="strong" onPress={() => saveFile(`${uuid}.pem`, privatePem)}>
              Save {uuid.slice(0, 8)}….pem
            </Button>
          }
        >
          It was made in this page and is kept nowhere. Without it the agent cannot prove who it is.
        </Notice>
      ))}
    </Page>
  )
}

/** Made in this page for an agent whose registration is sent. */
type MadeKey = { readonly uuid: string; readonly privatePem: string }

function RegisterForm(props: {
  readonly account: Hex
  /** @param privatePem of the key that was made here; null where the agent has its own */
  readonly onSent: (uuid: string, privatePem: string | null) => void
}) {
  const { account, onSent } = props
  const { config } = useServices()
  const register = useWrite('register')
  const [agentType, setType] = useState('')
  const [keyFrom, setKeyFrom] = useState<'made here' | 'pasted'>('made here')
  const [pasted, setPasted] = useState('')
  const [made, setMade] = useState<AgentKey | null>(null)
  const [keyFault, setKeyFault] = useState<PlainError | null>(null)
  const [salt] = useState<Hex>(() => toHex(crypto.getRandomValues(new Uint8Array(32))))
  const uuid = uuidFromAgentId(deriveAgentId(config.deployment, account, salt))
  const isTypeGood = isAgentType(agentType)
  const spiffeId = isTypeGood
    ? formatSpiffeId({ trustDomain: config.trustDomain, type: agentType, name: uuid })
    : null
  const isKeyGood = keyFrom === 'made here' || /^0x[0-9a-f]{64}$/i.test(pasted.trim())
  const isBusy = register.step === 'wallet' || register.step === 'landing'

  const send = async () => {
    setKeyFault(null)
    try {
      const key = keyFrom === 'pasted' ? null : (made ?? (await createAgentKey()))
      if (key !== null) setMade(key)
      register.run([agentType, key?.publicKey ?? (pasted.trim().toLowerCase() as Hex), salt], () => {
        onSent(uuid, key?.privatePem ?? null)
      })
    } catch (error) {
      setKeyFault(plainError(error))
    }
  }
  if (register.step === 'landed' && spiffeId !== null)
    return (
      <Panel title="Registered" sources={['chain']}>
        <Facts>
          <Fact name="SPIFFE ID">
            <CopyText text={spiffeId} what="SPIFFE ID" />
          </Fact>
        </Facts>
        <p>
          It gets its identity from the relayer once the registration is granted.{' '}
          <Link href={agentHref(uuid)}>Open the agent</Link>
        </p>
      </Panel>
    )
  return (
    <Panel title="New agent">
      <TextField
        label="Type"
        mono
        value={agentType}
        onChange={setType}
        placeholder="trader"
        hint="Lower-case letters, digits and hyphens, at most 32. It is part of the identity and never changes."
        fault={
          agentType === '' || isTypeGood
            ? undefined
            : 'Only a-z, 0-9 and -, at most 32; reserved types are refused.'
        }
      />
      <ChoiceField
        label="Key that it proves itself with (Ed25519)"
        value={keyFrom}
        onChange={setKeyFrom}
        choices={[
          {
            value: 'made here',
            label: 'Make one here',
            note: 'You save its private part as a file for the agent.',
          },
          { value: 'pasted', label: 'It has one', note: 'You paste its public key.' },
        ]}
      />
      {keyFrom === 'pasted' ? (
        <TextField
          label="Public key"
          mono
          value={pasted}
          onChange={setPasted}
          placeholder="0x…"
          fault={pasted === '' || isKeyGood ? undefined : '32 bytes: 0x and 64 hexadecimal digits.'}
        />
      ) : null}
      {spiffeId === null ? null : (
        <Facts>
          <Fact name="Will be">
            <CopyText text={spiffeId} what="SPIFFE ID" />
          </Fact>
        </Facts>
      )}
      <Row>
        <Button
          kind="strong"
          busy={isBusy}
          why={isTypeGood ? (isKeyGood ? undefined : 'enter its public key') : 'enter a type'}
          onPress={() => void send()}
        >
          Register by transaction
        </Button>
      </Row>
      <Stack tight>
        <WriteStatus write={register} done="Registered." />
        {keyFault === null ? null : <ErrorNotice error={keyFault} />}
      </Stack>
    </Panel>
  )
}
