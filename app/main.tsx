import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot, type Root } from 'react-dom/client'
import { WagmiProvider } from 'wagmi'
import { App, loadAllPages } from './App.tsx'
import { ConfigError, loadConfig } from './config.ts'
import { Empty } from './design/components/Empty.tsx'
import './design/tokens.css'
import './design/base.css'
import { createServices, ServicesContext } from './services.ts'
import { createWagmiConfig } from './wallet/wagmiConfig.ts'

/** ms until the other pages are loaded */
const idle = 1_500
/** ms until a configuration that could not be read is asked for again */
const patience = 2_000

async function start(root: Root): Promise<void> {
  try {
    const config = await loadConfig()
    if (__DEVELOPMENT_WALLET__) {
      const { announceDevelopmentWallets } = await import('./wallet/developmentWallet.ts')
      announceDevelopmentWallets(config)
    }
    const wagmi = createWagmiConfig(config)
    const services = createServices(config, wagmi)
    const queries = new QueryClient({
      defaultOptions: {
        queries: { retry: false, networkMode: 'always' },
        mutations: { networkMode: 'always' },
      },
    })
    root.render(
      <WagmiProvider config={wagmi}>
        <QueryClientProvider client={queries}>
          <ServicesContext value={services}>
            <App />
          </ServicesContext>
        </QueryClientProvider>
      </WagmiProvider>,
    )
    setTimeout(loadAllPages, idle)
  } catch (error) {
    root.render(<Empty title="Killswitch cannot start">{(error as Error).message}</Empty>)
    if (error instanceof ConfigError) setTimeout(() => void start(root), patience)
  }
}

void start(createRoot(document.getElementById('app') as HTMLElement))
