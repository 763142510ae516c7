// The dApp's pages about votes in a real Chromium, against the real stack under token holders, with the chain's clock moved
// on. Skipped with one line where there is no Chromium.
import type { Browser, Locator, Page } from 'playwright-core'
import type { PrivateKeyAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { localPace } from '../../protocol/governance/settings.ts'
import { createInjectedWallet, type InjectedWallet } from './support/injectedWallet.ts'
import { launchChromium } from './support/launchChromium.ts'
import { type Stack, startStack } from './support/stack.ts'
import { connect, endVisits, type VisitOptions, visit } from './support/visit.ts'

const browser: Browser | null = await launchChromium()
let stack: Stack

beforeAll(async () => {
  if (browser !== null) stack = await startStack({ votes: true })
}, 180_000)
afterEach(endVisits)
afterAll(async () => {
  await browser?.close()
  await stack?.stop()
})

const walletOf = (account: PrivateKeyAccount, name: string): InjectedWallet =>
  createInjectedWallet({ name, account, rpc: stack.chain.rpc, chainId: stack.deployment.chainId })

async function open(
  account: PrivateKeyAccount,
  name: string,
  path: string,
  options: Partial<VisitOptions> = {},
) {
  const wallet = walletOf(account, name)
  const visited = await visit(browser as Browser, `${stack.url}#${path}`, {
    wallets: [wallet],
    origins: [new URL(stack.url).origin, new URL(stack.chain.rpc).origin],
    ...options,
  })
  await connect(visited.page, name)
  return { ...visited, wallet }
}

const enabled = (page: Page, name: string): Locator =>
  page.locator('button[aria-disabled=false]', { hasText: new RegExp(`^${name}$`) })

async function vote(page: Page, support: 'For' | 'Against', reason?: string): Promise<void> {
  await page.getByLabel(support, { exact: true }).check()
  if (reason !== undefined) await page.getByLabel('Your reason').fill(reason)
  await enabled(page, 'Vote by transaction').click()
  await page.getByText(`You voted ${support.toLowerCase()}`).waitFor()
}

type Policy = {
  readonly latest: { readonly version: number }
  readonly inForce: { readonly limits: { readonly consecutiveFailures: number } }
}
const relayersDefault = async (): Promise<readonly [number, number]> => {
  const { latest, inForce } = (await (await fetch(`${stack.url}policies/_default`)).json()) as Policy
  return [latest.version, inForce.limits.consecutiveFailures]
}

describe.skipIf(browser === null)('votes in the dApp', { timeout: 90_000 }, () => {
  it('changes consecutive failures from 10 to 3: proposed by a form, voted from two wallets, queued, executed', async () => {
    const { alice, bob } = stack.accounts
    const { page, complaints, wallet } = await open(alice, "Alice's wallet", '/votes')
    await page.getByText('Nothing is voted on now').waitFor()
    await page.getByRole('link', { name: 'New proposal' }).click()
    await page.getByLabel('Consecutive failures').fill('1')
    await page.getByText('From 2 to 1,000.').waitFor()
    await page.getByLabel('Consecutive failures').fill('3')
    await page.getByText('The default policy: consecutive failures 10 → 3').waitFor()
    await page.getByLabel('Why').fill('Three failures in a row are enough.')
    await page.getByText(/^Tried on your node: it can be proposed/).waitFor()
    await enabled(page, 'Propose by transaction').click()
    await page.getByRole('link', { name: 'Open the proposal' }).click()
    const row = page.getByRole('row').filter({ hasText: 'Consecutive failures' })
    await row.getByText('tighter').waitFor()
    expect(await row.getByRole('cell').allTextContents()).toEqual([
      'Consecutive failures',
      '10',
      '3',
      'tighter',
    ])
    await stack.passTime(localPace.policy.votingDelay)
    await vote(page, 'For')
    await page.getByText('40 % of 4 %, reached').waitFor()
    expect(wallet.asked.filter((method) => method === 'eth_sendTransaction')).toHaveLength(2)

    const bobs = await open(bob, "Bob's wallet", '/votes')
    await bobs.page.getByRole('link', { name: /consecutive failures 10 → 3/ }).click()
    await vote(bobs.page, 'For', 'ten is too many')
    await bobs.page.getByText('For: 250,000 KSW').waitFor()
    await page.getByText(/ten is too many/).waitFor()

    await stack.passTime(localPace.policy.votingPeriod)
    await enabled(page, 'Queue').click()
    await page.getByText('The timelock').waitFor()
    await stack.passTime(localPace.policy.timelockDelay)
    await enabled(bobs.page, 'Execute').click()
    await page.getByText('Executed', { exact: true }).waitFor()
    // What it changed stays told from what held then.
    await row.getByText('10').waitFor()
    await vi.waitFor(async () => expect(await relayersDefault()).toEqual([2, 3]), {
      timeout: 20_000,
      interval: 100,
    })
    expect([...complaints, ...bobs.complaints]).toEqual([])
  })
})
