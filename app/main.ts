import { type ConfigError, loadConfig } from './config.ts'
import './design/tokens.css'
import './design/base.css'

// A phone reads the configuration while it still loads the rest, and takes the two in turns.
const loading = import('./page.tsx')

/** ms until a configuration that could not be read is asked for again */
const patience = 2_000

async function start(): Promise<void> {
  const config = await loadConfig().catch((error: ConfigError) => error)
  const { showApp, showFailure } = await loading
  if (!(config instanceof Error)) return showApp(config)
  showFailure(config)
  setTimeout(() => void start(), patience)
}

void start()
