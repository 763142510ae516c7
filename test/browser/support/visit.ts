import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import type { InjectedWallet } from './injectedWallet.ts'

/** A browser of its own: nothing is stored from one visit to the next. */
export type Visit = {
  readonly context: BrowserContext
  readonly page: Page
  /** Everything that the page complained of: errors, refusals of the policy, requests to strangers. */
  readonly complaints: readonly string[]
}

export type VisitOptions = {
  readonly wallets?: readonly InjectedWallet[]
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  /** Origins that the page may talk to. */
  readonly origins: readonly string[]
}

const open = new Set<BrowserContext>()

/** Closes every visit. */
export async function endVisits(): Promise<void> {
  for (const context of open) {
    // A page asks on until it is gone: what is under way through a test's route then ends in the middle.
    await context.unrouteAll({ behavior: 'ignoreErrors' })
    await context.close()
  }
  open.clear()
}

export async function visit(browser: Browser, url: string, options: VisitOptions): Promise<Visit> {
  const { wallets = [], width = 1280, height = 900, dark = false, origins } = options
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  open.add(context)
  for (const wallet of wallets) await wallet.install(context)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url())
    if (/^https?:$/.test(protocol) && !origins.includes(origin))
      complaints.push(`request to ${request.url()}`)
  })
  await page.goto(url)
  return { context, page, complaints }
}

/** Connects a wallet by its name. */
export async function connect(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Connect wallet' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name }).click()
  await page.getByRole('button', { name: /^Wallet 0x/ }).waitFor()
}

/** Holds a button down, as a finger would, until its effect shows. */
export async function hold(page: Page, button: Locator, effect: Locator): Promise<void> {
  await button.scrollIntoViewIfNeeded()
  const box = await button.boundingBox()
  if (box === null) throw new Error('the button is not in sight')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await effect.waitFor()
  await page.mouse.up()
}

export type Violation = { readonly id: string; readonly impact: string; readonly targets: readonly string[] }

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** What axe finds that is serious or critical. */
export async function seriousViolations(page: Page): Promise<readonly Violation[]> {
  // As an init script would be under the page's policy: evaluated, not loaded.
  const { readFile } = await import('node:fs/promises')
  await page.evaluate(await readFile(axeFile, 'utf8'))
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { target: string[] }[] }[] }> }
    }
    return (await axe.run()).violations
  })
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({ id, impact, targets: nodes.map(({ target }) => target.join(' ')) }))
}
