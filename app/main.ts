import { type ConfigError, loadConfig } from './config.ts'
import './design/tokens.css'
import './design/base.css'

/** ms after which no first paint is waited for: a tab that is not shown has none. */
const paintPatience = 100

/** Once the frame that stands in the page is painted. */
const painted = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, paintPatience)
  })

/** A phone reads the configuration meanwhile, and takes what is large in turns, not in one long one. */
async function load() {
  await painted()
  await import('react-dom/client')
  await import('./wallet/wagmiConfig.ts')
  await import('./services.ts')
  return import('./page.tsx')
}

const loading = load()

/** ms until a configuration that could not be read is asked for again */
const patience = 2_000

async function start(): Promise<void> {
  const config = await loadConfig().catch((error: ConfigError) => error)
  const { showApp, showFailure } = await loading
  if (!(config instanceof Error)) return showApp(config)
  showFailure(config)
  setTimeout(() => void start(), patience)
}

start().catch((error: Error) => {
  // Without its parts there is nothing to show it with but the frame that stands in the page.
  const place = document.getElementById('content') ?? document.body
  place.replaceChildren(
    `Killswitch could not be loaded (${error.message}). Reload this page, or stop agents from the command line: npx killswitch kill.`,
  )
})
