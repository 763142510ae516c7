import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { startTransition } from 'react'
import { createRoot } from 'react-dom/client'
import { WagmiProvider } from 'wagmi'
import { App, loadAllPages, loadForEmergency } from './App.tsx'
import type { AppConfig } from './config.ts'
import { Empty } from './design/components/Empty.tsx'
import { late } from './late.ts'
import { createServices, ServicesContext } from './services.ts'
import { pause } from './turns.ts'
import { createWagmiConfig } from './wallet/wagmiConfig.ts'

/** ms until the other pages are loaded */
const idle = 1_500

const root = createRoot(document.getElementById('app') as HTMLElement)

/** Asked for while the configuration is. */
const developmentWallet = __DEVELOPMENT_WALLET__
  ? late(() => import('./wallet/developmentWallet.ts'))()
  : null

export const showFailure = (error: Error): void =>
  root.render(<Empty title="Killswitch cannot start">{error.message}</Empty>)

export async function showApp(config: AppConfig): Promise<void> {
  try {
    if (developmentWallet !== null) (await developmentWallet).announceDevelopmentWallets(config)
    // In turns, so that a phone takes a press in between.
    const wagmi = createWagmiConfig(config)
    await pause()
    const services = createServices(config, wagmi)
    const queries = new QueryClient({
      defaultOptions: {
        queries: { retry: false, networkMode: 'always' },
        mutations: { networkMode: 'always' },
      },
    })
    await pause()
    startTransition(() =>
      root.render(
        <WagmiProvider config={wagmi}>
          <QueryClientProvider client={queries}>
            <ServicesContext value={services}>
              <App />
            </ServicesContext>
          </QueryClientProvider>
        </WagmiProvider>,
      ),
    )
    setTimeout(loadForEmergency)
    setTimeout(() => void loadAllPages(), idle)
  } catch (error) {
    showFailure(error as Error)
  }
}
