import { useState } from 'react'
import { type Connector, useConnect, useConnectors } from 'wagmi'
import { Dialog } from '../design/components/Dialog.tsx'
import { Empty } from '../design/components/Empty.tsx'
import { Stack } from '../design/components/Layout.tsx'
import { ErrorNotice } from '../design/components/Notice.tsx'
import { WalletOption } from '../design/components/WalletOption.tsx'
import { plainError } from '../plainError.ts'
import { developmentRdns } from './developmentRdns.ts'

/** The wallets that announced themselves (EIP-6963), to choose from. */
export function WalletChoice({ onConnected }: { readonly onConnected: () => void }) {
  const connectors = useConnectors()
  const { mutate: connect, error, isPending } = useConnect()
  const [chosen, setChosen] = useState<string | null>(null)
  const choose = (connector: Connector) => {
    setChosen(connector.uid)
    connect({ connector }, { onSuccess: onConnected })
  }
  if (connectors.length === 0)
    return (
      <Empty title="No wallet found in this browser">
        Install or unlock a wallet extension, or open this page in your wallet's own browser; it appears here
        by itself. The command line works without any: npx killswitch kill.
      </Empty>
    )
  return (
    <Stack tight>
      {connectors.map((connector) => {
        const isDevelopment = __DEVELOPMENT_WALLET__ && connector.id.startsWith(developmentRdns)
        return (
          <WalletOption
            key={connector.uid}
            name={connector.name}
            note={isDevelopment ? 'Development wallet of this local chain' : connector.id}
            icon={connector.icon}
            busy={isPending && chosen === connector.uid}
            onPress={() => choose(connector)}
          />
        )
      })}
      {error === null ? null : <ErrorNotice error={plainError(error)} />}
    </Stack>
  )
}

export function ConnectDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Connect a wallet" onClose={onClose}>
      <WalletChoice onConnected={onClose} />
    </Dialog>
  )
}
