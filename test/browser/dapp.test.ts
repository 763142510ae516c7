// The dApp in a real Chromium with a wallet that really signs, against the real stack. Skipped with one line where
// there is no Chromium.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { agentTarget } from '../../protocol/scope.ts'
import { agentIdFromUuid } from '../../protocol/uuid.ts'
import { buildApp } from '../../scripts/lib/buildApp.ts'
import type { FleetAgent } from '../../scripts/lib/fleet.ts'
import { type Answer, createInjectedWallet, type InjectedWallet } from './support/injectedWallet.ts'
import { launchChromium } from './support/launchChromium.ts'
import { cooldown, type Owner, points, type Stack, startStack, trustDomain } from './support/stack.ts'
import { serveStatic } from './support/staticServer.ts'
import { connect, endVisits, hold, seriousViolations, type VisitOptions, visit } from './support/visit.ts'

const browser: Browser | null = await launchChromium()
let stack: Stack

beforeAll(async () => {
  if (browser !== null) stack = await startStack()
}, 180_000)
afterEach(endVisits)
afterAll(async () => {
  await browser?.close()
  await stack?.stop()
})

const walletOf = (owner: Pick<Owner, 'account'>, name = 'Test wallet'): InjectedWallet =>
  createInjectedWallet({
    name,
    account: owner.account,
    rpc: stack.chain.rpc,
    chainId: stack.deployment.chainId,
  })

const open = (wallets: readonly InjectedWallet[], options: Partial<VisitOptions> = {}) =>
  visit(browser as Browser, stack.url, {
    wallets,
    origins: [new URL(stack.url).origin, new URL(stack.chain.rpc).origin],
    ...options,
  })

/** The row or card of an agent. */
const rowOf = (page: Page, spiffeId: string) =>
  page.getByRole('row').filter({ has: page.locator(`[title="${spiffeId}"]`) })

const dialog = (page: Page) => page.getByRole('dialog')
const progressOf = (page: Page) =>
  dialog(page).getByText(/^(Stopped|Stopping|Waiting for your wallet|Not stopped): /)

/** Stops one agent from its row, with the way that is set or the named one. */
async function stopAgent(page: Page, spiffeId: string, way?: 'Signature' | 'Transaction'): Promise<void> {
  await rowOf(page, spiffeId).getByRole('button', { name: /^Stop/ }).click()
  if (way !== undefined) await dialog(page).getByLabel(way).check()
  await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop' }), progressOf(page))
}

const stopped = (page: Page) => dialog(page).getByText(/^Stopped: /)
const confirmedByAll = `Confirmed by all ${points} enforcement points`

describe.skipIf(browser === null)('the dApp', { timeout: 90_000 }, () => {
  it('offers every wallet that announces itself and shows the agents of the one that is chosen', async () => {
    const [one, other] = [await stack.owner(2), await stack.owner(1)]
    const { page, complaints } = await open([walletOf(one, 'First wallet'), walletOf(other, 'Second wallet')])
    await connect(page, 'Second wallet')
    await rowOf(page, other.agents[0]?.spiffeId ?? '')
      .getByText('Alive')
      .waitFor()
    expect(await page.getByRole('table').getByRole('row').count()).toBe(2)
    for (const { spiffeId } of one.agents) expect(await rowOf(page, spiffeId).count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('kills an agent by signature from a wallet without gas, and shows each confirmation with its milliseconds', async () => {
    const owner = await stack.owner(2, 0)
    const [agent, spared] = owner.agents.map(({ spiffeId }) => spiffeId) as [string, string]
    const wallet = walletOf(owner)
    const { page, complaints } = await open([wallet])
    await connect(page, wallet.name)
    await stopAgent(page, agent)
    await stopped(page).waitFor()
    await dialog(page).getByText(confirmedByAll).waitFor()
    const steps = dialog(page).getByRole('listitem')
    for (const name of ['Durable', 'Published', 'demo-service-1', 'demo-service-2', 'On chain', 'Final'])
      await steps.filter({ hasText: new RegExp(`${name}.*[0-9] m?s$`) }).waitFor()
    expect(wallet.asked).toEqual(['wallet_requestPermissions', 'eth_signTypedData_v4'])
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await rowOf(page, agent).getByText('Killed').waitFor()
    expect(await rowOf(page, spared).getByText('Alive').count()).toBe(1)
    expect(complaints).toEqual([])
  })

  it('leads to a killed agent in five clicks at most and nothing typed, in a browser without a wallet', async () => {
    const [agent] = (await stack.ofDeveloper(1)).map(({ spiffeId }) => spiffeId) as [string]
    const { page, complaints } = await open([])
    let clicks = 0
    page.on('console', (message) => {
      if (message.text() === 'pressed') clicks++
    })
    await page.evaluate(() => addEventListener('pointerdown', () => console.log('pressed'), true))
    await connect(page, 'alice')
    await stopAgent(page, agent)
    await dialog(page).getByText(confirmedByAll).waitFor()
    expect(clicks).toBeLessThanOrEqual(5)
    expect(complaints).toEqual([])
  })

  it('kills an agent by transaction', async () => {
    const owner = await stack.owner(1)
    const [agent] = owner.agents.map(({ spiffeId }) => spiffeId) as [string]
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await stopAgent(page, agent, 'Transaction')
    await dialog(page).getByText(confirmedByAll).waitFor()
    expect(wallet.asked.at(-1)).toBe('eth_sendTransaction')
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await rowOf(page, agent).getByText('Killed').waitFor()
  })

  it('stops all agents of the wallet from every page, and says how many before', async () => {
    const owner = await stack.owner(3, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByRole('link', { name: 'Activity' }).click()
    await page.getByRole('heading', { name: 'Activity' }).waitFor()
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page)
      .getByText(/^Stops 3 running agents now, and every agent that the wallet registers/)
      .waitFor()
    await dialog(page)
      .getByText(/your wallet asks for a signature/)
      .waitFor()
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await dialog(page).getByText(confirmedByAll).waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.getByRole('link', { name: 'Fleet' }).click()
    await page.getByText('0 alive, 3 stopped').waitFor()
    for (const { spiffeId } of owner.agents) await rowOf(page, spiffeId).getByText('Killed').waitFor()
  })

  it('follows the wallet to another account, also with the stop open, and says when it is locked', async () => {
    const [one, other] = [await stack.owner(2, 0), await stack.owner(1, 0)]
    const wallet = walletOf(one)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByText('2 alive, 0 stopped').waitFor()
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByText('Stops 2 running agents now').waitFor()
    await wallet.goToAccount(other.account)
    await dialog(page).getByText('Stops 1 running agent now').waitFor()
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await dialog(page).getByText(confirmedByAll).waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.getByText('0 alive, 1 stopped').waitFor()
    await wallet.goToAccount(one.account)
    await page.getByText('2 alive, 0 stopped').waitFor()
    await wallet.goToAccount(null)
    await page.getByRole('button', { name: 'Connect wallet' }).first().waitFor()
    expect(await page.getByText('2 alive, 0 stopped').count()).toBe(0)
  })

  it('asks the account that the wallet has gone to, while a stop of the former still waits in it', async () => {
    const [one, other] = [await stack.owner(2, 0), await stack.owner(1, 0)]
    const wallet = walletOf(one)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByText('2 alive, 0 stopped').waitFor()
    const late = Promise.withResolvers<Answer>()
    wallet.onAsk((method) => (method === 'eth_signTypedData_v4' ? late.promise : 'approve'))
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await dialog(page)
      .getByText(/^Waiting for your wallet: all agents of 0x/)
      .waitFor()
    await wallet.goToAccount(other.account)
    await dialog(page).getByText('Stops 1 running agent now').waitFor()
    // What is under way is still told.
    await dialog(page)
      .getByText(/^Waiting for your wallet: all agents of 0x/)
      .waitFor()
    wallet.onAsk(() => 'approve')
    const confirmed = dialog(page).getByText(confirmedByAll)
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), confirmed)
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.getByText('0 alive, 1 stopped').waitFor()
    late.resolve('reject')
    await wallet.goToAccount(one.account)
    await page.getByText('2 alive, 0 stopped').waitFor()
  })

  it('stops all agents of the wallet by transaction', async () => {
    const owner = await stack.owner(2)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByText('2 alive, 0 stopped').waitFor()
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByLabel('Transaction').check()
    await dialog(page)
      .getByText(/your wallet asks to confirm a transaction/)
      .waitFor()
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await dialog(page).getByText(confirmedByAll).waitFor()
    expect(wallet.asked.at(-1)).toBe('eth_sendTransaction')
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.getByText('0 alive, 2 stopped').waitFor()
  })

  it('shows its frame before any script, and takes a press of the stop that comes so early', async () => {
    const { page, complaints } = await open([])
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/assets/*.js', async (route) => {
      await held
      await route.continue()
    })
    await page.reload({ waitUntil: 'commit' })
    await page.getByText('In an emergency you need not wait for this page').waitFor()
    expect(await seriousViolations(page)).toEqual([])
    const stop = page.getByRole('button', { name: 'Stop agents of this wallet' })
    const note = page.getByText('It opens here as soon as this page has loaded.')
    await stop.click()
    await note.waitFor()
    expect(await seriousViolations(page), 'note').toEqual([])
    await page.getByRole('button', { name: 'Cancel' }).click()
    await note.waitFor({ state: 'hidden' })
    await stop.dblclick()
    await note.waitFor()
    release()
    await dialog(page).getByRole('heading', { name: 'Stop all agents of a wallet' }).waitFor()
    expect(await note.count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('waits with the stop open when its code is late, and asks for it again when it does not come', async () => {
    const { page } = await open([])
    let refused = 0
    await page.route('**/assets/StopDialog-*.js', (route) =>
      refused++ < 2 ? route.abort() : route.continue(),
    )
    await page.reload()
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByText('Loading the emergency stop …').first().waitFor()
    await dialog(page).getByRole('heading', { name: 'Stop all agents of a wallet' }).waitFor()
    expect(refused).toBeGreaterThan(2)
  })

  it.each(['Signature', 'Transaction'] as const)(
    'has all that a stop by %s needs soon after its first paint, whoever is gone by then',
    async (way) => {
      const owner = await stack.owner(1)
      const [agent] = owner.agents.map(({ spiffeId }) => spiffeId) as [string]
      const wallet = walletOf(owner)
      const { page, complaints } = await open([wallet])
      await page.waitForFunction(() =>
        ['StopDialog', 'sendCall', 'killSwitchAbi', 'ResumePanel'].every((part) =>
          performance
            .getEntriesByType('resource')
            .some(({ name, duration }) => name.includes(`/assets/${part}-`) && duration > 0),
        ),
      )
      await page.route('**/assets/**', (route) => route.abort())
      await connect(page, wallet.name)
      await stopAgent(page, agent, way)
      await dialog(page).getByText(confirmedByAll).waitFor()
      await dialog(page).getByRole('button', { name: 'Done' }).click()
      await rowOf(page, agent).getByText('Killed').waitFor()
      expect(complaints).toEqual([])
    },
  )

  it('does nothing when the button is let go too early', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByRole('button', { name: 'Hold to stop all' }).click()
    await dialog(page).getByText('Hold the button, or Space or Enter.').waitFor()
    expect(await progressOf(page).count()).toBe(0)
    expect(wallet.asked).toEqual(['wallet_requestPermissions'])
  })

  it('says so when the signature is rejected, and goes on from there', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    wallet.onAsk((method) => (method === 'eth_signTypedData_v4' ? 'reject' : 'approve'))
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await rowOf(page, owner.agents[0]?.spiffeId ?? '')
      .getByRole('button', { name: /^Stop/ })
      .click()
    const rejected = dialog(page).getByText('You rejected the request in your wallet')
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop' }), rejected)
    await dialog(page).getByText('Nothing was sent and nothing has changed.').waitFor()
    wallet.onAsk(() => 'approve')
    await dialog(page).getByRole('button', { name: 'Try again' }).click()
    await stopped(page).waitFor()
  })

  it('takes a wallet on another chain to the right one before it signs', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await wallet.goToChain(1)
    await page.getByText(/^Your wallet is on another chain than/).waitFor()
    await stopAgent(page, owner.agents[0]?.spiffeId ?? '')
    await stopped(page).waitFor()
    expect(wallet.asked.slice(-2)).toEqual(['wallet_switchEthereumChain', 'eth_signTypedData_v4'])
    expect(await page.getByText(/^Your wallet is on another chain than/).count()).toBe(0)
  })

  it('works with the keyboard alone', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    const focusOn = async (name: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        const label = await page.evaluate(() => {
          const { activeElement: at } = document
          return at?.getAttribute('aria-label') ?? at?.textContent ?? ''
        })
        if (name.test(label)) return
        await page.keyboard.press('Tab')
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await focusOn(/^Connect wallet/)
    await page.keyboard.press('Enter')
    await dialog(page).waitFor()
    await focusOn(new RegExp(wallet.name))
    await page.keyboard.press('Enter')
    await rowOf(page, owner.agents[0]?.spiffeId ?? '').waitFor()
    await focusOn(/^Stop agents of this wallet/)
    await page.keyboard.press('Enter')
    await dialog(page).waitFor()
    await focusOn(/^Hold to stop all/)
    await page.keyboard.down('Space')
    await progressOf(page).waitFor()
    await page.keyboard.up('Space')
    await stopped(page).waitFor()
    await page.keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'Stop agents of this wallet',
    )
  })

  it('lets assistive technology, which clicks without holding, confirm by a second press', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    const button = dialog(page).getByRole('button', { name: /Hold to stop all/ })
    const click = () => button.evaluate((element: HTMLElement) => element.click())
    await click()
    await dialog(page).getByText('Press once more within 5 seconds.').waitFor()
    await click()
    await stopped(page).waitFor()
  })

  it.each([
    { look: 'light', dark: false, width: 1280 },
    { look: 'dark', dark: true, width: 1280 },
    { look: 'light, narrow', dark: false, width: 360 },
    { look: 'dark, narrow', dark: true, width: 360 },
  ])('gives axe nothing serious to find on any page ($look)', async ({ dark, width }) => {
    const owner = await stack.owner(2, 0)
    const agent = owner.agents[0]
    const wallet = walletOf(owner)
    const { page, complaints } = await open([wallet], { dark, width })
    await page.getByText('Connect a wallet to see your agents').waitFor()
    expect(await seriousViolations(page), 'not connected').toEqual([])
    await connect(page, wallet.name)
    await rowOf(page, agent?.spiffeId ?? '').waitFor()
    expect(await seriousViolations(page), 'fleet').toEqual([])
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByRole('button', { name: 'Say why' }).click()
    expect(await seriousViolations(page), 'stop').toEqual([])
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await stopped(page).waitFor()
    expect(await seriousViolations(page), 'progress').toEqual([])
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    for (const [name, heading] of [
      ['Activity', 'Kills'],
      ['Guardians', 'Guardians of this wallet'],
      ['Register', 'New agent'],
    ] as const) {
      await page.getByRole('link', { name, exact: true }).click()
      await page.getByRole('heading', { name: heading }).waitFor()
      expect(await page.title()).toMatch(new RegExp(`^${name}.* · Killswitch$`))
      expect(await seriousViolations(page), name).toEqual([])
    }
    await page.goto(`${stack.url}#/agents/${agent?.uuid}`)
    await page.getByRole('heading', { name: 'History' }).waitFor()
    expect(await seriousViolations(page), 'agent').toEqual([])
    expect(complaints).toEqual([])
  })

  it('is served with a policy that lets it talk to its node and its relayer and to nobody else', async () => {
    const { page } = await open([])
    const answer = await page.reload()
    const policy = answer?.headers()['content-security-policy'] ?? ''
    expect(policy.split('; ').toSorted()).toEqual(
      [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",
        `connect-src 'self' ${new URL(stack.chain.rpc).origin}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].toSorted(),
    )
    const tried = await page.evaluate(async () => {
      const inline = document.createElement('script')
      inline.textContent = 'window.ran = true'
      document.body.append(inline)
      const reached = await fetch('http://127.0.0.1:9/').then(
        () => true,
        () => false,
      )
      return { ran: 'ran' in window, reached }
    })
    expect(tried).toEqual({ ran: false, reached: false })
  })

  it('works from any web server, at any path, with nothing but a configuration beside it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-build-'))
    await buildApp(folder, 'production')
    const known = await (await fetch(`${stack.url}config.json`)).json()
    const config = { ...known, relayer: stack.url, developmentKeys: undefined }
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
    const server = await serveStatic(folder, '/ipfs/some-hash/')
    try {
      const owner = await stack.owner(1, 0)
      const wallet = walletOf(owner)
      const { page, complaints } = await visit(browser as Browser, server.url, {
        wallets: [wallet],
        origins: [server.url, stack.url, stack.chain.rpc].map((url) => new URL(url).origin),
      })
      await page.getByRole('button', { name: 'Connect wallet' }).first().click()
      expect(await dialog(page).getByRole('button').allTextContents()).toEqual([
        '',
        expect.stringContaining(wallet.name),
      ])
      await page.keyboard.press('Escape')
      await connect(page, wallet.name)
      await stopAgent(page, owner.agents[0]?.spiffeId ?? '')
      await dialog(page).getByText(confirmedByAll).waitFor()
      await page
        .getByRole('contentinfo')
        .getByText(/^verified/)
        .waitFor()
      expect(complaints).toEqual([])
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('fits a screen of 360 pixels: nothing sticks out, and the stop is in sight', async () => {
    const owner = await stack.owner(2, 0)
    const agent = owner.agents[0]
    const wallet = walletOf(owner)
    const { page } = await open([wallet], { width: 360, height: 640 })
    await connect(page, wallet.name)
    await rowOf(page, agent?.spiffeId ?? '').waitFor()
    for (const fragment of ['/', `/agents/${agent?.uuid}`, '/activity', '/guardians', '/register']) {
      await page.goto(`${stack.url}#${fragment}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      expect(width, fragment).toBeLessThanOrEqual(360)
      const stop = await page.getByRole('button', { name: 'Stop agents of this wallet' }).boundingBox()
      expect(stop === null ? Number.POSITIVE_INFINITY : stop.x + stop.width, fragment).toBeLessThanOrEqual(
        360,
      )
    }
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), progressOf(page))
    await stopped(page).waitFor()
    expect(await dialog(page).evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true)
  })

  it('registers an agent under the identity that it shows before, and gives out its key once', async () => {
    const owner = await stack.owner(1)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByRole('link', { name: 'Register', exact: true }).click()
    await page.getByLabel('Type').fill('Trader')
    await page.getByText(/^Only a-z, 0-9 and -/).waitFor()
    await page.getByLabel('Type').fill('courier')
    const spiffeId = (await page.locator('dd [title^="spiffe://"]').getAttribute('title')) ?? ''
    expect(spiffeId).toMatch(new RegExp(`^spiffe://${trustDomain}/courier/[0-9a-f-]{36}$`))
    await page.getByRole('button', { name: 'Register by transaction' }).click()
    await page.getByRole('heading', { name: 'Registered' }).waitFor()
    // The form goes with the account, the only copy of the key must not.
    await wallet.goToAccount((await stack.owner(0)).account)
    await page.getByRole('heading', { name: 'New agent' }).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /^Save / }).click(),
    ])
    const key = createPrivateKey(await readFile(await download.path(), 'utf8'))
    const publicKey = createPublicKey(key).export({ format: 'jwk' }).x as string
    expect(
      await stack.chain.client.readContract({
        address: stack.deployment.contract,
        abi: killSwitchAbi,
        functionName: 'keyOf',
        args: [agentIdFromUuid(spiffeId.slice(-36))],
      }),
    ).toBe(`0x${Buffer.from(publicKey, 'base64url').toString('hex')}`)
    await wallet.goToAccount(owner.account)
    await page.getByRole('link', { name: 'Fleet' }).click()
    await rowOf(page, spiffeId).getByText('Alive').waitFor()
  })

  it('goes on while the relayer is down, stops by transaction, and recovers by itself', async () => {
    const owner = await stack.owner(2)
    const [first, second] = owner.agents.map(({ spiffeId }) => spiffeId) as [string, string]
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await rowOf(page, first).waitFor()
    await stack.stopRelayer()
    try {
      await page.getByText('The relayer does not answer').first().waitFor()
      await rowOf(page, first).getByRole('button', { name: /^Stop/ }).click()
      expect(await dialog(page).getByLabel('Signature').isDisabled()).toBe(true)
      await dialog(page).getByText('The relayer does not answer; an order needs it.').waitFor()
      await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop' }), progressOf(page))
      await dialog(page)
        .getByText(/^On chain in block/)
        .waitFor()
      await page.keyboard.press('Escape')
      await rowOf(page, first).getByText('Killed').waitFor()
    } finally {
      await stack.startRelayer()
    }
    await page.getByText(`Confirmed by all ${points} enforcement points`).waitFor()
    await page.getByText('The relayer does not answer').waitFor({ state: 'detached' })
    await page
      .getByRole('contentinfo')
      .getByText(/^verified/)
      .waitFor()
    // The stop that is over, and was left with Escape, is in nobody's way.
    await stopAgent(page, second)
    await stopped(page).waitFor()
  })

  it('keeps a signed order when the relayer goes down under it, and sends the same one again', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    const orders: string[] = []
    let isCut = true
    await page.route('**/api/kill', async (route) => {
      orders.push(route.request().postData() ?? '')
      await (isCut ? route.abort() : route.continue())
    })
    await rowOf(page, owner.agents[0]?.spiffeId ?? '')
      .getByRole('button', { name: /^Stop/ })
      .click()
    const down = dialog(page).getByText('The relayer does not answer')
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop' }), down)
    isCut = false
    await dialog(page).getByRole('button', { name: 'Send the order again' }).click()
    await stopped(page).waitFor()
    expect(new Set(orders).size).toBe(1)
    expect(wallet.asked.filter((method) => method === 'eth_signTypedData_v4')).toHaveLength(1)
  })

  it('knows its kill by the order although the answer was lost, and asks for nothing again', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    let sent = 0
    await page.route('**/api/kill', async (route) => {
      sent++
      await route.fetch()
      await route.abort()
    })
    await stopAgent(page, owner.agents[0]?.spiffeId ?? '')
    await dialog(page).getByText(confirmedByAll).waitFor()
    expect(sent).toBe(1)
    expect(wallet.asked.filter((method) => method === 'eth_signTypedData_v4')).toHaveLength(1)
  })

  it('says that the node is down, still stops by signature, and recovers by itself', async () => {
    const owner = await stack.owner(2, 0)
    const [first] = owner.agents.map(({ spiffeId }) => spiffeId) as [string]
    const wallet = walletOf(owner)
    const { page, context } = await open([wallet])
    await connect(page, wallet.name)
    await rowOf(page, first).waitFor()
    await context.route(`${stack.chain.rpc}/**`, (route) => route.abort())
    await page.getByText('The node of the chain does not answer').waitFor()
    await stopAgent(page, first)
    await stopped(page).waitFor()
    // Also once the feed calls the kill final, of which the page has read nothing on the chain.
    await dialog(page)
      .getByRole('listitem')
      .filter({ hasText: /Final.*[0-9] m?s$/ })
      .waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await rowOf(page, first).getByText('Killed').waitFor()
    await context.unroute(`${stack.chain.rpc}/**`)
    await page.getByText('The node of the chain does not answer').waitFor({ state: 'detached' })
    await page.goto(`${stack.url}#/agents/${first.slice(-36)}`)
    await page.getByText('Killed: this agent').waitFor()
  })

  it('stops all agents of a wallet of which nothing could be read, and says no number that it does not know', async () => {
    const owner = await stack.owner(2, 0)
    const wallet = walletOf(owner)
    const { page, context } = await open([])
    await context.route(`${stack.chain.rpc}/**`, (route) => route.abort())
    await context.route('**/agents?**', (route) => route.abort())
    await wallet.install(context)
    await page.reload()
    await connect(page, wallet.name)
    await page.getByText('Neither the chain nor the relayer answers').waitFor()
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page)
      .getByText(/^Stops every agent that the chain knows of the wallet now/)
      .waitFor()
    expect(await dialog(page).getByText('The chain knows no agent of this wallet').count()).toBe(0)
    await hold(page, dialog(page).getByRole('button', { name: 'Hold to stop all' }), stopped(page))
    await dialog(page).getByText(confirmedByAll).waitFor()
    await page.goto(`${stack.url}#/guardians`)
    await page.getByText('The chain cannot be read now').waitFor()
  })

  it('calls kills unknown, not none, where the relayer tells of none', async () => {
    const { page, context } = await open([])
    await context.route('**/kills**', (route) => route.abort())
    await context.route('**/kills/**', (route) => route.abort())
    await page.goto(`${stack.url}#/activity`)
    await page.reload()
    await page.getByText('Which kills there were is not known here').waitFor()
    expect(await page.getByText('Nothing was killed yet').count()).toBe(0)
    await context.unroute('**/kills**')
    await context.unroute('**/kills/**')
    await page.getByText('Which kills there were is not known here').waitFor({ state: 'detached' })
  })

  it("falls back to the relayer's list where the chain cannot be read, and marks it", async () => {
    const owner = await stack.owner(2, 0)
    const wallet = walletOf(owner)
    const { page, context } = await open([])
    await context.route(`${stack.chain.rpc}/**`, (route) => route.abort())
    await wallet.install(context)
    await page.reload()
    await connect(page, wallet.name)
    await page.getByText("This list is the relayer's").waitFor()
    for (const { spiffeId } of owner.agents) await rowOf(page, spiffeId).getByText('Relayer').waitFor()
  })

  it('believes no feed message that the relayer has not signed', async () => {
    const owner = await stack.owner(1, 0)
    const agent = owner.agents[0] as FleetAgent
    const wallet = walletOf(owner)
    const { page } = await open([])
    await page.route('**/revocations', async (route) => {
      const text = await (await route.fetch()).text()
      const [json, signature] = text.split('\n') as [string, string]
      const snapshot = JSON.parse(json)
      snapshot.rows.push({
        ...agentTarget(agent.uuid),
        provisional: true,
        finalSequence: 0,
        rank: 4,
        reason: 1,
        text: 'forged',
        killId: 'forged',
      })
      await route.fulfill({ body: `${JSON.stringify(snapshot)}\n${signature}` })
    })
    await wallet.install(page.context())
    await page.reload()
    await connect(page, wallet.name)
    await page.getByText('a message was refused').waitFor()
    await rowOf(page, agent.spiffeId).getByText('Alive').waitFor()
    await page.unrouteAll({ behavior: 'wait' })
    await page
      .getByRole('contentinfo')
      .getByText(/^verified/)
      .waitFor()
  })

  it('says that a wallet without ether cannot pay, and offers the way without gas', async () => {
    const owner = await stack.owner(1, 0)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    await dialog(page).getByText('This wallet holds no ether to pay for gas.').waitFor()
    expect(await dialog(page).getByLabel('Transaction').isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Guardians' }).click()
    await page.getByLabel('Address').fill('0x000000000000000000000000000000000000dEaD')
    await page.getByRole('button', { name: 'Appoint' }).click()
    await page.getByText('This wallet cannot pay for a transaction').waitFor()
  })

  it('shows a thousand agents, finds one of them and stops it', async () => {
    const owner = await stack.owner(1_000, 0)
    const agent = owner.agents[777] as FleetAgent
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await page.getByText('1,000 alive, 0 stopped').waitFor()
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('1001')
    expect(await page.getByRole('row').count()).toBeLessThan(200)
    await page.getByLabel('Find by SPIFFE ID').fill(agent.uuid.slice(0, 13))
    await stopAgent(page, agent.spiffeId)
    await stopped(page).waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.getByText('999 alive, 1 stopped').waitFor()
  })

  it('shows what agents do: the life of their SVID, when they were last seen, and how often they ask', async () => {
    const owner = await stack.owner(1, 0)
    const agent = owner.agents[0] as FleetAgent
    await stack.runAgents(owner.agents)
    const wallet = walletOf(owner)
    const { page } = await open([wallet])
    await connect(page, wallet.name)
    await rowOf(page, agent.spiffeId)
      .getByText(/accepted/)
      .waitFor()
    await rowOf(page, agent.spiffeId)
      .getByText(/^[1-9][0-9]* s$/)
      .waitFor()
    await rowOf(page, agent.spiffeId)
      .getByText(/^[1-9][0-9.]*\/s$/)
      .waitFor()
    await stopAgent(page, agent.spiffeId)
    await stopped(page).waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await rowOf(page, agent.spiffeId)
      .getByText(/denied/)
      .waitFor()
    await rowOf(page, agent.spiffeId).getByText('revoked').waitFor()
  })

  it('lets a guardian stop, but not resume; and the owner resume once the cool-down is over', async () => {
    const owner = await stack.owner(1)
    const guardian = await stack.owner(0, 0)
    const agent = owner.agents[0] as FleetAgent
    const ownersWallet = walletOf(owner, "Owner's wallet")
    const guardiansWallet = walletOf(guardian, "Guardian's wallet")
    const { page: ownersPage } = await open([ownersWallet])
    await connect(ownersPage, ownersWallet.name)
    await ownersPage.getByRole('link', { name: 'Guardians' }).click()
    await ownersPage.getByLabel('Address').fill(guardian.account.address)
    await ownersPage.getByRole('button', { name: 'Appoint' }).click()
    await ownersPage.getByText('may stop your agents').waitFor()

    const { page } = await open([guardiansWallet])
    await connect(page, guardiansWallet.name)
    await page.getByRole('heading', { name: 'Agents that I guard' }).waitFor()
    await stopAgent(page, agent.spiffeId)
    await stopped(page).waitFor()
    await dialog(page).getByRole('button', { name: 'Done' }).click()
    await page.goto(`${stack.url}#/agents/${agent.uuid}`)
    await page.getByText(/^A resume of this needs rank Owner; this wallet has none/).waitFor()
    expect(await page.getByRole('button', { name: 'Request resume' }).getAttribute('aria-disabled')).toBe(
      'true',
    )

    await ownersPage.goto(`${stack.url}#/agents/${agent.uuid}`)
    await ownersPage.getByText(/^by .*, by signed order/).waitFor()
    await ownersPage.getByRole('button', { name: 'Request resume' }).click()
    await ownersPage.getByText(/^Resume requested\. It can be executed from/).waitFor()
    expect(await ownersPage.getByRole('button', { name: /^Resume/ }).getAttribute('aria-disabled')).toBe(
      'true',
    )
    const resume = ownersPage.locator('button[aria-disabled=false]', { hasText: /^Resume$/ })
    await stack.passTime(cooldown)
    await resume.click()
    await ownersPage.getByText('Resumed: this agent').waitFor()
    await ownersPage.getByText('Alive', { exact: true }).waitFor()
  })
})
