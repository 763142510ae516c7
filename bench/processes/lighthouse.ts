// Lighthouse's command, which gives way to the browser that it watches: it would take half of two cores.
import process from 'node:process'
import { yieldCores, yielding } from '../lib/yieldCores.ts'

yieldCores(process.pid, yielding.enforcer)
// Installed by installTool, so that no declaration of it is here when types are checked.
await import(new URL('../lighthouse/node_modules/lighthouse/cli/index.js', import.meta.url).href)
