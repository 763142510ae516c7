import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { initialScripts } from '../scripts/lib/appSize.ts'
import { buildApp } from '../scripts/lib/buildApp.ts'
import { createChildren } from '../scripts/lib/children.ts'
import { chromiumOptions, findChromium } from '../scripts/lib/chromium.ts'
import { startLocalWorld } from '../scripts/lib/localWorld.ts'
import { claimPorts } from '../scripts/lib/ports.ts'
import { SetupError } from '../scripts/lib/setupError.ts'
import type { Bench, Benchmark } from './lib/benchmark.ts'
import { installTool } from './lib/installTool.ts'
import { judgePage, type Preset } from './lib/lighthouse.ts'
import { median, quantile } from './lib/statistics.ts'
import { yieldCores, yielding } from './lib/yieldCores.ts'

/** Kills by either way. */
const kills = 20
const points = 2
/** Of each page by either preset, of which the median counts: Lighthouse's own advice, since it measures wall time. */
const judgements = 3
/** Seconds: longer than a run. */
const svidLife = 900
/** ms */
const callInterval = 5_000
const patience = 60_000

/** What the page says: `23.4 ms`, `1.52 s`. @returns ms */
function readDuration(text: string): number {
  const [, value, unit] = /([\d.]+) (ms|s)\b/.exec(text) ?? []
  if (value === undefined) throw new Error(`"${text}" is no duration`)
  return Number(value) * (unit === 's' ? 1000 : 1)
}

/** Stops one agent as an owner does. @returns ms from the end of the hold until all points have confirmed */
async function stopAgent(page: Page, spiffeId: string, way: 'Signature' | 'Transaction'): Promise<number> {
  await page.getByRole('button', { name: `Stop ${spiffeId}`, exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(way).check()
  await dialog.getByRole('button', { name: 'Hold to stop' }).hover()
  await page.mouse.down()
  const took = dialog.getByText(/until all confirmed/)
  await took.waitFor()
  await page.mouse.up()
  const text = (await took.textContent()) ?? ''
  await dialog.getByRole('button', { name: 'Done' }).click()
  return readDuration(text)
}

async function connect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Connect wallet' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'alice' }).click()
  await page.getByRole('table').waitFor()
}

async function startBrowser(port: number, defer: Bench['defer']): Promise<BrowserContext> {
  const executablePath = findChromium()
  if (executablePath === null) throw new SetupError('there is no Chromium: npm run browser installs one')
  const profile = mkdtempSync(path.join(tmpdir(), 'killswitch-profile-'))
  defer(() => rmSync(profile, { recursive: true, force: true }))
  const { args = [] } = chromiumOptions(executablePath)
  // A profile on disk, so that Lighthouse's own tab finds the wallet connected.
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...args, `--remote-debugging-port=${port}`],
  })
  defer(() => context.close())
  context.setDefaultTimeout(patience)
  return context
}

async function run(bench: Bench) {
  const { data, defer } = bench
  const any = (what: string) => ({ what, option: '', port: 0 })
  const { debug, ...ports } = await claimPorts({
    chain: any('chain'),
    relayer: any('relayer'),
    mtls: any('mtls'),
    service: any('service'),
    debug: any("the browser's debugger"),
  })
  const rounds = bench.small ? kills / 10 : kills
  const starting = startLocalWorld({
    data,
    ports,
    services: points,
    agents: { alice: 2 * rounds + 2, bob: 1 },
    agentProcesses: 1,
    callInterval,
    record: false,
    returning: true,
    svidLife,
    app: true,
    progress: bench.say,
  })
  defer(starting.stop)
  const world = await starting.world
  const { relayer, fleet } = world
  const context = await startBrowser(debug, defer)
  const page = await context.newPage()
  await page.goto(relayer.url)
  await connect(page)

  bench.say(`${rounds} kills by signature and as many by transaction, in turn`)
  const took: Record<'Signature' | 'Transaction', number[]> = { Signature: [], Transaction: [] }
  const ways = ['Signature', 'Transaction'] as const
  for (const [index, { spiffeId }] of fleet.alice.slice(2).entries()) {
    const way = ways[index % 2] as (typeof ways)[number]
    took[way].push(await stopAgent(page, spiffeId, way))
  }
  await page.close()

  // A page is judged on the visitor's machine: what serves it stands elsewhere and gives way to the browser. (All but the
  // node, which is in this process.)
  const elsewhere = [
    world.relayerProcess,
    ...world.services.map(({ child }) => child),
    ...world.agentProcesses,
  ]
  for (const child of elsewhere) yieldCores(child.process.pid, yielding.client)
  await installTool('lighthouse', bench.say)
  const children = createChildren(data.file('logs'))
  defer(children.stop)
  const [agent] = fleet.alice
  const least = async (fragment: string, preset: Preset): Promise<number> => {
    const all: number[] = []
    while (all.length < judgements) {
      const scores = await judgePage({
        children,
        port: debug,
        preset,
        say: bench.say,
        url: `${relayer.url}/#${fragment}`,
      })
      const said = Object.entries(scores).map(([name, score]) => `${name} ${score}`)
      bench.say(`Lighthouse, ${preset}, ${fragment}: ${said.join(', ')}`)
      all.push(Math.min(...Object.values(scores)))
    }
    return median(all)
  }
  const agentPage = `/agents/${agent?.spiffeId.split('/').at(-1)}`
  const judged = {
    fleetMobile: await least('/', 'mobile'),
    fleetDesktop: await least('/', 'desktop'),
    agentMobile: await least(agentPage, 'mobile'),
    agentDesktop: await least(agentPage, 'desktop'),
  }

  const built = data.file('app/production')
  await buildApp(built, 'production')
  const initial = initialScripts(built).reduce((sum, { gzipped }) => sum + gzipped, 0)
  return {
    initial: initial / 1000,
    signature: median(took.Signature),
    signatureTail: quantile(took.Signature, 0.95),
    transaction: median(took.Transaction),
    transactionTail: quantile(took.Transaction, 0.95),
    ...judged,
  }
}

const score = { unit: 'of 100', better: 'more', floor: 95, aim: 100 } as const

export const dapp: Benchmark = {
  about: `the dApp in Chromium: its size, what Lighthouse says, and ${kills} kills by either way, ${points} enforcement points`,
  runs: 3,
  figures: {
    initial: { text: 'initial JavaScript, gzipped', unit: 'kB', better: 'less', floor: 200, aim: 170 },
    signature: { text: 'end of the hold → all confirmed p50, by signature', unit: 'ms' },
    signatureTail: { text: 'end of the hold → all confirmed p95, by signature', unit: 'ms' },
    transaction: { text: 'end of the hold → all confirmed p50, by transaction', unit: 'ms' },
    transactionTail: { text: 'end of the hold → all confirmed p95, by transaction', unit: 'ms' },
    fleetMobile: { text: 'Lighthouse, least category: fleet, mobile', ...score },
    fleetDesktop: { text: 'Lighthouse, least category: fleet, desktop', ...score },
    agentMobile: { text: 'Lighthouse, least category: agent, mobile', ...score },
    agentDesktop: { text: 'Lighthouse, least category: agent, desktop', ...score },
  },
  prepare: async () => run,
}
