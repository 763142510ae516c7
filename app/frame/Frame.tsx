import { type ReactNode, useState } from 'react'
import { useDisconnect, useSwitchChain } from 'wagmi'
import { useLocation } from 'wouter'
import { useChainHealth, useFeedHealth, useRelayerHealth } from '../data/useHealth.ts'
import { useStore } from '../data/useStore.ts'
import { AppShell } from '../design/components/AppShell.tsx'
import { Button } from '../design/components/Button.tsx'
import { CopyText } from '../design/components/CopyText.tsx'
import { Dialog } from '../design/components/Dialog.tsx'
import { Fact, Facts } from '../design/components/Facts.tsx'
import { Health } from '../design/components/Health.tsx'
import { Mono, Row, Unseen } from '../design/components/Layout.tsx'
import { ErrorNotice, Notice } from '../design/components/Notice.tsx'
import { StopButton } from '../design/components/StopButton.tsx'
import { shortHex } from '../format.ts'
import { stopSummary } from '../pages/stop/stopSummary.ts'
import { plainError } from '../plainError.ts'
import { useServices } from '../services.ts'
import { ConnectDialog } from '../wallet/ConnectDialog.tsx'
import { useWallet } from '../wallet/useWallet.ts'
import { navigation } from './navigation.ts'
import { href, routes } from './routes.ts'
import { useStop } from './stopContext.ts'

export function Frame({ children }: { readonly children: ReactNode }) {
  const [location] = useLocation()
  const { open } = useStop()
  return (
    <AppShell
      brand={<a href={href(routes.fleet)}>Killswitch</a>}
      navigation={navigation(location)}
      wallet={<WalletMenu />}
      stop={<StopButton label="Stop" what="agents of this wallet" onPress={() => open(null)} />}
      banner={<Banner />}
      status={<StatusBar />}
    >
      {children}
    </AppShell>
  )
}

function WalletMenu() {
  const wallet = useWallet()
  const { config } = useServices()
  const { mutate: disconnect } = useDisconnect()
  const [shown, setShown] = useState<'wallets' | 'wallet' | null>(null)
  const close = () => setShown(null)
  if (wallet === null)
    return (
      <>
        <Button kind="strong" onPress={() => setShown('wallets')}>
          Connect wallet
        </Button>
        {shown === 'wallets' ? <ConnectDialog onClose={close} /> : null}
      </>
    )
  return (
    <>
      <Button onPress={() => setShown('wallet')}>
        <Unseen>Wallet </Unseen>
        <Mono>{shortHex(wallet.account)}</Mono>
      </Button>
      {shown === 'wallet' ? (
        <Dialog title="Wallet" onClose={close}>
          <Facts>
            <Fact name="Wallet">{wallet.name}</Fact>
            <Fact name="Address">
              <CopyText text={wallet.account} what="address" />
            </Fact>
            <Fact name="Chain">
              {wallet.onChain ? config.chainName : `another one than ${config.chainName}`}
            </Fact>
          </Facts>
          <Row>
            <Button
              onPress={() => {
                disconnect({})
                close()
              }}
            >
              Disconnect
            </Button>
          </Row>
        </Dialog>
      ) : null}
    </>
  )
}

/** What every page has to say first: a stop under way, and what does not work. */
function Banner() {
  const { stopper, config } = useServices()
  const run = useStore(stopper.run)
  const { showProgress, isOpen } = useStop()
  const wallet = useWallet()
  const relayer = useRelayerHealth()
  const chain = useChainHealth()
  const { mutate: switchChain, error, isPending } = useSwitchChain()
  return (
    <>
      {run === null || isOpen ? null : (
        <Notice
          title={stopSummary(run).title}
          tone={stopSummary(run).tone}
          actions={
            <>
              <Button onPress={showProgress}>Show progress</Button>
              <Button kind="quiet" onPress={stopper.dismiss}>
                Dismiss
              </Button>
            </>
          }
        >
          {stopSummary(run).detail}
        </Notice>
      )}
      {wallet !== null && !wallet.onChain ? (
        <Notice
          title={`Your wallet is on another chain than ${config.chainName}`}
          tone="mark"
          actions={
            <Button
              busy={isPending}
              onPress={() => switchChain({ chainId: config.deployment.chainId as never })}
            >
              Switch network
            </Button>
          }
        >
          It signs and sends for chain {config.deployment.chainId} only after you switch.
          {error === null ? null : <ErrorNotice error={plainError(error)} />}
        </Notice>
      ) : null}
      {relayer.isDown ? (
        <Notice title="The relayer does not answer" tone="mark">
          Live data is missing or old. You can still stop agents: by transaction, which needs gas but no
          relayer. Enforcement points that lose their feed refuse every agent.
        </Notice>
      ) : null}
      {chain.isDown ? (
        <Notice title="The node of the chain does not answer" tone="mark">
          What comes from the chain may be old. You can still stop agents: by signature, which goes to the
          relayer.
        </Notice>
      ) : null}
    </>
  )
}

function StatusBar() {
  const { config } = useServices()
  const wallet = useWallet()
  const chain = useChainHealth()
  const relayer = useRelayerHealth()
  const feed = useFeedHealth()
  return (
    <>
      <Health name={config.chainName} {...chain} />
      <Health name="Relayer" {...relayer} />
      <Health name="Feed" {...feed} />
      <Health
        name="Wallet"
        state={wallet === null || !wallet.onChain ? 'doubtful' : 'good'}
        words={wallet === null ? 'not connected' : wallet.onChain ? wallet.name : 'on another chain'}
      />
    </>
  )
}
