// The dApp's pages about votes in a real Chromium, against the real stack under token holders, with the chain's clock moved
// on. Skipped with one line where there is no Chromium.
import type { Browser, Locator, Page } from 'playwright-core'
import {
  type Abi,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  http,
  stringToHex,
  toFunctionSelector,
  toHex,
} from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { killPoliciesAbi } from '../../protocol/generated/killPoliciesAbi.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { killswitchTokenAbi } from '../../protocol/generated/killswitchTokenAbi.ts'
import { policyGovernorAbi } from '../../protocol/generated/policyGovernorAbi.ts'
import { subscriptionsAbi } from '../../protocol/generated/subscriptionsAbi.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import type { GovernorName } from '../../protocol/governance/governanceLog.ts'
import {
  type Action,
  type Proposal,
  proposalId,
  proposeArguments,
  settleArguments,
} from '../../protocol/governance/proposal.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { defaultWord, toPolicyStruct } from '../../protocol/policy/policyLog.ts'
import { agentTypeTarget } from '../../protocol/scope.ts'
import { parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { FleetAgent } from '../../scripts/lib/fleet.ts'
import { createInjectedWallet, type InjectedWallet } from './support/injectedWallet.ts'
import { launchChromium } from './support/launchChromium.ts'
import { cooldown, pace, points, type Stack, startStack } from './support/stack.ts'
import { connect, endVisits, hold, seriousViolations, type VisitOptions, visit } from './support/visit.ts'

const browser: Browser | null = await launchChromium()
let stack: Stack
let contracts: GovernedContracts

beforeAll(async () => {
  if (browser === null) return
  stack = await startStack({ votes: true })
  contracts = stack.contracts as GovernedContracts
}, 180_000)
afterEach(endVisits)
afterAll(async () => {
  await browser?.close()
  await stack?.stop()
})

const proposeSignature = 'function propose(address[],uint256[],bytes[],string)'

const walletOf = (account: PrivateKeyAccount, name: string): InjectedWallet =>
  createInjectedWallet({ name, account, rpc: stack.chain.rpc, chainId: stack.deployment.chainId })

/** Blocks come with transactions, not only each second: nobody waits for what is tested elsewhere. */
const mineAtOnce = () => stack.chain.request('evm_setAutomine', [true])

async function open(
  account: PrivateKeyAccount,
  name: string,
  path: string,
  options: Partial<VisitOptions> = {},
) {
  await mineAtOnce()
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

/** Proposed without the page, by whoever pleases. @returns the page's path of it */
async function proposed(
  account: PrivateKeyAccount,
  governor: GovernorName,
  actions: readonly Omit<Action, 'value'>[],
  description: string,
): Promise<{ readonly path: string; readonly proposal: Proposal }> {
  const proposal = { actions: actions.map((action) => ({ ...action, value: 0n })), description }
  await send(account, governor, 'propose', proposeArguments(proposal))
  return { path: `/votes/${governor}/${toHex(proposalId(proposal), { size: 32 })}`, proposal }
}

const send = (
  account: PrivateKeyAccount,
  governor: GovernorName,
  functionName: string,
  args: readonly unknown[],
): Promise<void> =>
  sendTo(
    account,
    governor === 'policy' ? contracts.policyGovernor : contracts.emergencyGovernor,
    policyGovernorAbi,
    functionName,
    args,
  )

async function sendTo(
  account: PrivateKeyAccount,
  address: Hex,
  abi: Abi,
  functionName: string,
  args: readonly unknown[],
): Promise<void> {
  const wallet = createWalletClient({
    account,
    chain: stack.chain.client.chain,
    transport: http(stack.chain.rpc),
  })
  await mineAtOnce()
  const hash = await wallet.writeContract({ address, abi, functionName, args } as never)
  const { status } = await stack.chain.client.waitForTransactionReceipt({ hash })
  expect(status, functionName).toBe('success')
}

/** Proposes what alice then carries. */
async function decided(actions: readonly Omit<Action, 'value'>[], description: string): Promise<void> {
  const { proposal } = await proposed(stack.accounts.alice, 'policy', actions, description)
  await carried(proposal)
}

/** A policy vote from the proposal to its execution, by alice alone. @param wait beyond the timelock, in seconds */
async function carried(proposal: Proposal, wait = 0): Promise<void> {
  const { alice } = stack.accounts
  await stack.passTime(pace.policy.votingDelay + 1)
  await send(alice, 'policy', 'castVote', [proposalId(proposal), 1])
  await stack.passTime(pace.policy.votingPeriod)
  await send(alice, 'policy', 'queue', settleArguments(proposal))
  await stack.passTime(pace.policy.timelockDelay + wait)
  await send(alice, 'policy', 'execute', settleArguments(proposal))
}

/** Replaces the default that there is now. */
async function setDefault(consecutiveFailures: number): Promise<Omit<Action, 'value'>> {
  const [, version] = await stack.chain.client.readContract({
    address: contracts.killPolicies,
    abi: killPoliciesAbi,
    functionName: 'policyOf',
    args: [defaultWord],
  })
  const policy = { ...initialPolicy, limits: { ...initialPolicy.limits, consecutiveFailures } }
  return {
    target: contracts.killPolicies,
    data: encodeFunctionData({
      abi: killPoliciesAbi,
      functionName: 'setDefault',
      args: [toPolicyStruct(policy), version],
    }),
  }
}

/** A step of the release of an agent's type. */
const resume = (step: 'requestResume' | 'resume', { spiffeId }: FleetAgent): Omit<Action, 'value'> => {
  const { scope, subject } = agentTypeTarget(parseSpiffeId(spiffeId).type)
  return {
    target: contracts.killSwitch,
    data: encodeFunctionData({ abi: killSwitchAbi, functionName: step, args: [scope, subject] }),
  }
}

type Policy = {
  readonly granted: { readonly version: number }
  readonly inForce: { readonly limits: { readonly consecutiveFailures: number } }
}
const relayersDefault = async (): Promise<readonly [number, number]> => {
  const { granted, inForce } = (await (await fetch(`${stack.url}policies/_default`)).json()) as Policy
  return [granted.version, inForce.limits.consecutiveFailures]
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
    await page.getByText('The default policy: consecutive failures 10 → 3').first().waitFor()
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
    await stack.passTime(pace.policy.votingDelay)
    await vote(page, 'For')
    await page.getByText('40 % of 4 %, reached').waitFor()
    expect(wallet.asked.filter((method) => method === 'eth_sendTransaction')).toHaveLength(2)

    const bobs = await open(bob, "Bob's wallet", '/votes')
    await bobs.page.getByRole('link', { name: /consecutive failures 10 → 3/ }).click()
    await vote(bobs.page, 'For', 'ten is too many')
    await bobs.page.getByText('For: 250,000 KSW').waitFor()
    await page.getByText(/ten is too many/).waitFor()

    await stack.passTime(pace.policy.votingPeriod)
    await enabled(page, 'Queue').click()
    await page.getByText('The timelock').waitFor()
    await stack.passTime(pace.policy.timelockDelay)
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

  it('shows the policy with its versions, by the chain and by the word of the relayer', async () => {
    const { page } = await open(stack.accounts.alice, "Alice's wallet", '/policies')
    await page.getByText('goes by version 2').waitFor()
    const row = page.getByRole('row').filter({ hasText: 'Consecutive failures' })
    await row.getByText('3', { exact: true }).waitFor()
    await page.getByText('History: 2 versions').click()
    await page.getByText('Consecutive failures: 10 → 3').waitFor()
    await page.getByRole('link', { name: 'The vote', exact: true }).click()
    await page.getByRole('heading', { name: 'The default policy: consecutive failures 10 → 3' }).waitFor()
  })

  it('stops an agent type by emergency vote: its agents drop, those of other types go on', async () => {
    const { alice } = stack.accounts
    const owner = await stack.owner(2)
    const [trader, scraper] = owner.agents as [FleetAgent, FleetAgent]
    await stack.runAgents(owner.agents)
    const { page: ownersPage } = await open(owner.account, "Owner's wallet", '/')
    const rowOf = ({ spiffeId }: FleetAgent) =>
      ownersPage.getByRole('row').filter({ has: ownersPage.locator(`[title="${spiffeId}"]`) })
    for (const agent of owner.agents)
      await rowOf(agent)
        .getByText(/accepted/)
        .waitFor()

    const { page, complaints } = await open(alice, "Alice's wallet", '/votes/emergency')
    await page.getByText(/as soon as 30 % of the supply have voted for it/).waitFor()
    await page.getByLabel('Agent type', { exact: true }).fill('trader')
    await page.getByText(/^Stops all agents of type trader: 1 agent, 1 of them running now/).waitFor()
    await page.getByLabel('Why').fill('Traders run wild.')
    await page.getByText(/^Tried on your node: it can be proposed/).waitFor()
    const proposedLink = page.getByRole('link', { name: 'Open the proposal' })
    await hold(page, page.getByRole('button', { name: 'Hold to call the vote' }), proposedLink)
    await proposedLink.click()
    await page.getByText('Voting ends').first().waitFor()
    await vote(page, 'For')
    await page.getByText('40 % of 30 %, reached').waitFor()
    const executed = page.getByText('Executed', { exact: true })
    await hold(page, page.getByRole('button', { name: 'Hold to stop' }), executed)

    await rowOf(trader).getByText('Killed').waitFor()
    await rowOf(trader)
      .getByText(/denied/)
      .waitFor()
    await rowOf(scraper).getByText('Alive').waitFor()
    await rowOf(scraper)
      .getByText(/accepted/)
      .waitFor()
    await ownersPage.getByRole('link', { name: 'Activity' }).click()
    await ownersPage.getByText('All agents of type trader').waitFor()
    await ownersPage
      .getByText(/^(confirmed|2 of 2 confirmed)/)
      .first()
      .waitFor()
    const { kills } = (await (await fetch(`${stack.url}kills?limit=1`)).json()) as {
      kills: readonly { rank: string; points: readonly { state: string }[] }[]
    }
    expect(kills[0]).toMatchObject({
      rank: 'Governance',
      points: Array.from({ length: points }, () => ({ state: 'confirmed' })),
    })
    expect(complaints).toEqual([])
  })

  it('releases a stopped type by two votes with the cool-down between them, never what only its owner stopped', async () => {
    const { alice } = stack.accounts
    const owner = await stack.owner(1)
    const [trader] = owner.agents as [FleetAgent]
    const { page } = await open(alice, "Alice's wallet", '/votes/new')
    const propose = async (step: 'Ask for the release' | 'Release', words: RegExp): Promise<Proposal> => {
      await page.goto(`${stack.url}#/votes/new`)
      await page.getByLabel('A release').check()
      await page.getByLabel('Agent type', { exact: true }).fill('trader')
      await page.getByRole('radio', { name: new RegExp(`^${step}`) }).check()
      await page.getByText(words).waitFor()
      await page.getByLabel('Why').fill(`Mended: ${step}`)
      await enabled(page, 'Propose by transaction').click()
      await page.getByRole('link', { name: 'Open the proposal' }).click()
      await page
        .getByRole('heading', { name: /^(Asks for the release of|Releases) all agents of type trader$/ })
        .waitFor()
      const { target, data } = step === 'Release' ? resume('resume', trader) : resume('requestResume', trader)
      return {
        actions: [{ target, data, value: 0n }],
        description: `Mended: ${step}#proposer=${alice.address.toLowerCase()}`,
      }
    }
    const { page: ownersPage } = await open(owner.account, "Owner's wallet", '/')
    const row = ownersPage
      .getByRole('row')
      .filter({ has: ownersPage.locator(`[title="${trader.spiffeId}"]`) })
    await row.getByText('Killed').waitFor()

    await carried(await propose('Ask for the release', /^Ask first\. From then on a cool-down of 1 min runs/))
    const release = await propose('Release', /^Asked for already; it can be released from/)
    await carried(release, cooldown)
    await page.getByText('Executed', { exact: true }).waitFor()
    await row.getByText('Alive').waitFor()

    await ownersPage.getByRole('button', { name: 'Stop agents of this wallet' }).click()
    const dialog = ownersPage.getByRole('dialog')
    await hold(
      ownersPage,
      dialog.getByRole('button', { name: 'Hold to stop all' }),
      dialog.getByText(/^Stopped: /),
    )
    await page.goto(`${stack.url}#/votes/new`)
    await page.getByLabel('A release').check()
    await page.getByLabel("A wallet's agents").check()
    await page.getByLabel('Wallet', { exact: true }).fill(owner.account.address)
    await page.getByText('Votes cannot release this').waitFor()
  })

  it('warns before a vote that would count for nothing: tokens that nobody was delegated', async () => {
    const { alice, carol } = stack.accounts
    const { path } = await proposed(alice, 'policy', [await setDefault(4)], 'Four')
    await stack.passTime(pace.policy.votingDelay)
    const { page, wallet } = await open(carol, "Carol's wallet", path)
    await page.getByText('Your tokens are not delegated: a vote would count for nothing').waitFor()
    await page.getByText('0 KSW (0 %), your votes at the snapshot').waitFor()
    await page.getByText('100,000 KSW (10 %)').waitFor()
    await page.getByLabel('For', { exact: true }).check()
    const button = page.getByRole('button', { name: /^Vote by transaction/ })
    expect(await button.getAttribute('aria-disabled')).toBe('true')
    await button.click({ force: true })
    expect(wallet.asked).toEqual(['wallet_requestPermissions'])
  })

  it('delegates by signature: the holder signs, another account sends it and pays', async () => {
    const { bob, carol } = stack.accounts
    const holder = await open(carol, "Carol's wallet", '/votes/delegation')
    await holder.page.getByText('Your tokens are not delegated: they vote for nothing').waitFor()
    await holder.page.getByLabel('Signature').check()
    await holder.page.getByRole('button', { name: 'Sign the delegation' }).click()
    await holder.page.getByText('Signed, but nothing has changed yet').waitFor()
    await holder.page.getByRole('button', { name: 'Copy the signed delegation' }).click()
    const signed = await holder.page.evaluate(() => navigator.clipboard.readText())
    expect(holder.wallet.asked).toEqual(['wallet_requestPermissions', 'eth_signTypedData_v4'])

    const sender = await open(bob, "Bob's wallet", '/votes/delegation')
    await sender.page.getByRole('textbox', { name: 'Signed delegation' }).fill(signed.slice(0, -20))
    await sender.page.getByText(/it is no JSON/).waitFor()
    await sender.page.getByRole('textbox', { name: 'Signed delegation' }).fill(signed)
    await sender.page.getByText('with 100,000 KSW; by the signature').waitFor()
    expect(
      await sender.page
        .locator('dd', { hasText: 'by the signature' })
        .locator('[title]')
        .getAttribute('title'),
    ).toBe(carol.address.toLowerCase())
    await enabled(sender.page, 'Send it by transaction').click()
    await sender.page.getByText('Sent: the tokens are delegated.').waitFor()
    const row = sender.page
      .getByRole('row')
      .filter({ has: sender.page.locator(`[title="${carol.address.toLowerCase()}"]`) })
    await row.getByText('10 %').waitFor()
    await holder.page.getByText('itself').waitFor()
    // It can be sent once.
    await enabled(sender.page, 'Send it by transaction').click()
    await sender.page.getByText(/^The signature was used already/).waitFor()
  })

  it('tries a proposal on the node before anything is signed, and says what it would fail by', async () => {
    const { alice } = stack.accounts
    const fill = async (page: Page, consecutiveFailures: string) => {
      await page.getByLabel('The policy of an agent type').check()
      await page.getByLabel('Type', { exact: true }).fill('scraper')
      await page.getByLabel('Consecutive failures').fill(consecutiveFailures)
      await page.getByLabel('Why').fill('A try')
    }
    const { page, wallet } = await open(alice, "Alice's wallet", '/votes/new')
    const button = page.getByRole('button', { name: /^Propose by transaction/ })
    await fill(page, '500')
    await page.getByText('Looser than the default', { exact: true }).waitFor()
    expect(await button.textContent()).toContain('it is looser than the default')
    await page.getByLabel('By admission').check()
    await page.getByText(/By admission: it holds alone/).waitFor()
    await page.getByText(/^Tried on your node: it can be proposed/).waitFor()
    await page.getByLabel('Not at all').check()
    await page.getByText('It would fail when it is executed').waitFor()
    await page.getByText('The type has no policy of its own.', { exact: true }).waitFor()
    expect(await button.getAttribute('aria-disabled')).toBe('true')
    expect(wallet.asked).toEqual(['wallet_requestPermissions'])

    const newcomer = await stack.owner(0)
    const { page: newcomersPage } = await open(newcomer.account, 'A new wallet', '/votes/new')
    await fill(newcomersPage, '2')
    await newcomersPage.getByText('You cannot propose it now').waitFor()
    await newcomersPage.getByText(/^To propose takes 1,000 KSW of votes; this wallet had 0/).waitFor()
  })

  it('swallows no press while news of the chain have the same proposal tried again', async () => {
    const { alice, bob } = stack.accounts
    const { page, context } = await open(alice, "Alice's wallet", '/votes/new')
    await page.getByLabel('Consecutive failures').fill('8')
    await page.getByLabel('Why').fill('Eight')
    await page.getByText(/^Tried on your node: it can be proposed/).waitFor()
    const answers = Promise.withResolvers<void>()
    await context.route(`${stack.chain.rpc}/**`, async (route) => {
      if (route.request().postData()?.includes(toFunctionSelector(proposeSignature)) === true)
        await answers.promise
      await route.continue()
    })
    const told = page.waitForResponse(async (response) =>
      (await response.text()).includes(stringToHex('Nobody waits').slice(2)),
    )
    await proposed(bob, 'policy', [await setDefault(7)], 'Nobody waits')
    await told
    await page.waitForRequest((request) =>
      Boolean(request.postData()?.includes(toFunctionSelector(proposeSignature))),
    )
    await enabled(page, 'Propose by transaction').click({ timeout: 5_000 })
    answers.resolve()
    await page.getByRole('link', { name: 'Open the proposal' }).waitFor()
  })

  it('lets what the calldata does lead, and shows a description that lies as what it is: words', async () => {
    const { bob } = stack.accounts
    const lie =
      'Fixes a typo\u202e, changes no policy <img src=x onerror="document.title=1"> [x](javascript:alert(1))'
    const { path } = await proposed(bob, 'policy', [await setDefault(1000)], lie)
    const { page } = await open(bob, "Bob's wallet", path)
    await page.getByRole('heading', { name: 'The default policy: consecutive failures 3 → 1,000' }).waitFor()
    await page.getByText('Looser than before: consecutive failures.').waitFor()
    const quote = page.locator('blockquote')
    expect(await quote.textContent()).toBe(lie.replace('\u202e', '⟨U+202E⟩'))
    expect(await quote.locator('*').count()).toBe(0)
    const digest = path.split('/').at(-1) as string
    await page.locator(`dd [title="${digest}"]`).waitFor()
    await page.getByRole('link', { name: 'All proposals' }).click()
    const row = page.getByRole('row').filter({ hasText: 'Fixes a typo' })
    expect(await row.getByRole('link').textContent()).toBe(
      'The default policy: consecutive failures 3 → 1,000',
    )
  })

  it('says loudly what it cannot read, with the bytes one click away', async () => {
    const { bob } = stack.accounts
    const target: Hex = `0x${'5e'.repeat(20)}`
    const { path } = await proposed(
      bob,
      'policy',
      [{ target, data: '0xdeadbeef0123' }],
      'Routine maintenance',
    )
    const { page } = await open(bob, "Bob's wallet", path)
    await page.getByRole('heading', { name: /^An unreadable call of 0x5e5e/ }).waitFor()
    await page.getByText('This page cannot read this action').waitFor()
    expect(await page.getByText('0xdeadbeef0123').isVisible()).toBe(false)
    await page.getByText('The call, byte by byte').click()
    await page.getByText('0xdeadbeef0123').waitFor()
    expect(await page.locator(`dd [title="${target}"]`).isVisible()).toBe(true)
  })

  it('notices a node that tells a proposal otherwise than it was made', async () => {
    const { bob } = stack.accounts
    const { path } = await proposed(bob, 'policy', [await setDefault(5)], 'an honest proposal')
    const { page, context } = await open(bob, "Bob's wallet", path)
    await page.getByText('an honest proposal').waitFor()
    expect(await page.getByText('This proposal is not what it says it is').count()).toBe(0)
    await page.getByRole('button', { name: /^Vote by transaction/ }).waitFor()
    const [honest, other] = ['an honest', 'a forged '].map((text) => stringToHex(text).slice(2)) as [
      string,
      string,
    ]
    await context.route(`${stack.chain.rpc}/**`, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: (await response.text()).replaceAll(honest, other) })
    })
    await page.reload()
    await page.getByText('This proposal is not what it says it is').waitFor()
    expect(await page.getByRole('button', { name: /^Vote by transaction/ }).count()).toBe(0)
  })

  it('sells a plan that votes have set, at the discount of who holds, and counts its agents', async () => {
    const { alice } = stack.accounts
    const ksw = 10n ** 18n
    const onSubscriptions = (functionName: string, args: readonly unknown[]): Omit<Action, 'value'> => ({
      target: contracts.subscriptions,
      data: encodeFunctionData({ abi: subscriptionsAbi, functionName, args } as never),
    })
    // Two are registered, and one of them takes a place with its first SVID.
    const [first] = (await stack.ofDeveloper(2)) as [FleetAgent, FleetAgent]
    await stack.runAgents([first])
    await decided(
      [
        onSubscriptions('setPlan', [1, { price: 100n * ksw, period: 86_400, agentQuota: 25, offered: true }]),
        onSubscriptions('setDiscounts', [
          [
            { balance: 1_000n * ksw, discount: 1_000 },
            { balance: 500_000n * ksw, discount: 2_000 },
          ],
        ]),
      ],
      'Plans',
    )
    // Balances count that were held for as long as they are sampled.
    await stack.passTime(70)
    const { page, wallet } = await open(alice, "Alice's wallet", '/subscription')
    await page.getByText('3 agents, free of charge').waitFor()
    await page.getByText(/^2 agents; registering is free/).waitFor()
    await page.getByText('1 of 3', { exact: true }).waitFor()
    await page.getByText('10 %', { exact: true }).waitFor()
    await page.getByText(/^With 100,000 KSW more it would be 20 %/).waitFor()
    await page.getByLabel('Periods').fill('2')
    await page.getByText('180 KSW', { exact: true }).waitFor()
    await enabled(page, 'Allow 180 KSW').click()
    await enabled(page, 'Subscribe').click()
    await page.getByText(/^Plan 1, paid until/).waitFor()
    await page.getByText('1 of 25', { exact: true }).waitFor()
    expect(wallet.asked.filter((method) => method === 'eth_sendTransaction')).toHaveLength(2)
  })

  it('goes on while the relayer is down: votes are read, cast and executed through the node', async () => {
    const { bob } = stack.accounts
    const { page } = await open(bob, "Bob's wallet", '/votes')
    await page.getByRole('heading', { name: 'Votes' }).waitFor()
    // The other pages are loaded while nothing else is to do.
    await page.waitForFunction(() =>
      performance.getEntriesByType('resource').some(({ name }) => name.includes('GovernancePages')),
    )
    await stack.stopRelayer()
    try {
      await page.getByText('The relayer does not answer').first().waitFor()
      await page.getByRole('link', { name: 'Policies' }).click()
      await page.getByText('it does not tell: this page shows what the chain says').waitFor()
      const made = await proposed(bob, 'policy', [await setDefault(6)], 'Six')
      await page.getByRole('link', { name: 'Votes', exact: true }).click()
      await page.getByRole('link', { name: /consecutive failures 3 → 6/ }).click()
      await stack.passTime(pace.policy.votingDelay)
      await vote(page, 'For')
      await page.getByText('25 % of 4 %, reached').waitFor()
      expect(await page.evaluate(() => location.hash)).toBe(`#${made.path}`)
      await stack.passTime(pace.policy.votingPeriod)
      await enabled(page, 'Queue').click()
      await page.getByText('The timelock').waitFor()
      await stack.passTime(pace.policy.timelockDelay)
      await enabled(page, 'Execute').click()
      await page.getByText('Executed', { exact: true }).waitFor()
    } finally {
      await stack.startRelayer()
    }
  })

  it('says that what it shows may be old while the node is down, and goes on by itself', async () => {
    const { page, context } = await open(stack.accounts.bob, "Bob's wallet", '/votes/new')
    await page.getByLabel('Consecutive failures').waitFor()
    await context.route(`${stack.chain.rpc}/**`, (route) => route.abort())
    await page.getByText('What you see here may be old').waitFor()
    await page.getByText(/^The node of the chain does not answer\. It was read at block/).waitFor()
    await page.getByLabel('Consecutive failures').fill('9')
    await page.getByLabel('Why').fill('Nine')
    await page.getByText('It could not be tried out').waitFor()
    await context.unroute(`${stack.chain.rpc}/**`)
    await page.getByText('What you see here may be old').waitFor({ state: 'detached' })
    await page.getByText(/^Tried on your node: it can be proposed/).waitFor()
    // It answers, but has seen no block for two minutes.
    await context.route(`${stack.chain.rpc}/**`, async (route) => {
      const response = await route.fetch()
      const body = (await response.json()) as { result?: { timestamp?: string } | null }
      if (typeof body.result?.timestamp === 'string')
        body.result.timestamp = toHex(Math.floor(Date.now() / 1000) - 120)
      await route.fulfill({ response, json: body })
    })
    await page.getByText(/^The latest block of your node, [\d,]+, is 2 min old/).waitFor()
  })

  it('lets nobody undo a vote unseen that came while a change was being entered', async () => {
    const { alice } = stack.accounts
    const { page } = await open(alice, "Alice's wallet", '/votes/new')
    await page.getByLabel('Probation after a resume').fill('7200')
    await page.getByText('The default policy: probation after a resume 1 h → 2 h').first().waitFor()
    await decided([await setDefault(4)], 'Four after all')
    await page.getByText('The policy has changed since you began', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /^Propose by transaction/ }).textContent()).toContain(
      'the policy has changed since you began, see above',
    )
    await page.getByRole('button', { name: 'Back to what holds now' }).click()
    await page
      .getByText('The policy has changed since you began', { exact: true })
      .waitFor({ state: 'detached' })
    await page.getByLabel('Probation after a resume').fill('7200')
    await page.getByText('The default policy: probation after a resume 1 h → 2 h').first().waitFor()
    expect(await page.getByLabel('Consecutive failures').inputValue()).toBe('4')
  })

  it('says where token holders govern nothing, and where the KillSwitch obeys others than it was told', async () => {
    const { page, context } = await open(stack.accounts.bob, "Bob's wallet", '/')
    let governance: GovernedContracts | undefined
    await context.route('**/config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as Record<string, unknown>
      await route.fulfill({ json: { ...config, governance } })
    })
    await page.goto(`${stack.url}#/votes`)
    await page.reload()
    await page.getByText('Token holders do not govern this KillSwitch').waitFor()
    governance = { ...contracts, emergencyGovernor: `0x${'99'.repeat(20)}` }
    await page.reload()
    await page.getByText('The KillSwitch obeys others than these votes').waitFor()
    // One wrong address among the others: said, and nothing is signed for any of them.
    governance = { ...contracts, subscriptions: contracts.token }
    await page.goto(`${stack.url}#/votes/delegation`)
    await page.reload()
    await page.getByText(/^Of the subscriptions \(0x/).waitFor()
    await page.getByText('the contracts do not fit, see above').first().waitFor()
    expect(await enabled(page, 'Delegate by transaction').count()).toBe(0)
    governance = contracts
    await page.reload()
    await enabled(page, 'Delegate by transaction').waitFor()
  })

  it('takes a vote by the keyboard alone', async () => {
    const { bob } = stack.accounts
    const { path } = await proposed(bob, 'policy', [await setDefault(9)], 'Nine')
    await stack.passTime(pace.policy.votingDelay)
    const { page } = await open(bob, "Bob's wallet", path)
    await page.getByLabel('For', { exact: true }).waitFor()
    const focusOn = async (name: RegExp): Promise<void> => {
      for (let presses = 0; presses < 60; presses++) {
        const label = await page.evaluate(() => {
          const at = document.activeElement
          const labels = at instanceof HTMLInputElement ? [...(at.labels ?? [])] : []
          return (
            at?.getAttribute('aria-label') ??
            (labels.map((one) => one.textContent).join() || at?.textContent) ??
            ''
          )
        })
        if (name.test(label)) return
        await page.keyboard.press('Tab')
      }
      throw new Error(`Tab does not lead to ${name}`)
    }
    await focusOn(/^For$/)
    await page.keyboard.press('Space')
    // One of three, as radio buttons are: arrows go on within them.
    await page.keyboard.press('ArrowDown')
    await focusOn(/^Your reason$/)
    await page.keyboard.type('nine is too many')
    await focusOn(/^Vote by transaction$/)
    await page.keyboard.press('Enter')
    await page.getByText('You voted against').waitFor()
  })

  it('is accessible by day and by night, and fits a screen of 360 pixels', async () => {
    const { alice } = stack.accounts
    const { path } = await proposed(
      alice,
      'policy',
      [await setDefault(7)],
      'A description that is long enough to wrap',
    )
    for (const dark of [false, true]) {
      const { page, complaints } = await open(alice, "Alice's wallet", '/votes', {
        width: dark ? 360 : 1280,
        height: dark ? 640 : 900,
        dark,
      })
      for (const [fragment, heading] of [
        ['/votes', 'Open'],
        ['/votes/new', 'The default policy'],
        ['/votes/emergency', 'Call an emergency vote'],
        ['/votes/delegation', 'Delegates'],
        [path, 'Your vote'],
        ['/policies', 'Default: every agent'],
        ['/subscription', 'Now'],
      ] as const) {
        await page.goto(`${stack.url}#${fragment}`)
        await page.getByRole('heading', { name: heading, exact: true }).waitFor()
        expect(await seriousViolations(page), fragment).toEqual([])
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        expect(width, fragment).toBeLessThanOrEqual(dark ? 360 : 1280)
      }
      expect(complaints).toEqual([])
    }
  })

  it('tells before voting begins what will not count, and lets the proposer take it back', async () => {
    const { alice, bob } = stack.accounts
    await decided(
      [
        {
          target: contracts.policyGovernor,
          data: encodeFunctionData({
            abi: policyGovernorAbi,
            functionName: 'setVotingDelay',
            args: [3600],
          }),
        },
      ],
      'An hour to prepare',
    )
    const { path } = await proposed(alice, 'policy', [await setDefault(8)], 'Eight')
    const newcomer = await stack.owner(0)
    await sendTo(bob, contracts.token, killswitchTokenAbi, 'transfer', [newcomer.account.address, 10n ** 18n])
    const { page } = await open(newcomer.account, 'A new wallet', path)
    await page.getByText(/^Voting begins in (1 h|59 min)/).waitFor()
    await page.getByText('Your tokens are not delegated: they would not count').waitFor()
    expect(await page.getByRole('button', { name: 'Cancel the proposal' }).count()).toBe(0)
    const { page: alicesPage, context } = await open(alice, "Alice's wallet", path)
    // Contracts that do not fit: not even this is signed for them.
    await context.route('**/config.json', async (route) => {
      const config = (await (await route.fetch()).json()) as Record<string, unknown>
      await route.fulfill({
        json: { ...config, governance: { ...contracts, subscriptions: contracts.token } },
      })
    })
    await alicesPage.reload()
    await alicesPage.getByRole('button', { name: /^Cancel the proposal.*the contracts do not fit/ }).waitFor()
    expect(await enabled(alicesPage, 'Cancel the proposal').count()).toBe(0)
    await context.unroute('**/config.json')
    await alicesPage.reload()
    await enabled(alicesPage, 'Cancel the proposal').click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    // What it was changed from is told of the vote that changed it, also later.
    await page.getByRole('link', { name: 'All proposals' }).click()
    await page.getByRole('link', { name: 'Of policy votes: voting delay 1 s → 1 h' }).waitFor()
  })

  it('delegates by transaction to somebody else, and back', async () => {
    const { alice, bob } = stack.accounts
    const { page } = await open(bob, "Bob's wallet", '/votes/delegation')
    const row = (delegate: PrivateKeyAccount) =>
      page.getByRole('row').filter({ has: page.locator(`[title="${delegate.address.toLowerCase()}"]`) })
    await row(alice)
      .getByText(/^(40|39[.]\d+) %$/)
      .waitFor()
    await page.getByLabel('Somebody else').check()
    const miswritten = alice.address.replace(/[a-f]/, (digit) => digit.toUpperCase())
    await page.getByLabel('Address', { exact: true }).fill(miswritten)
    await page.getByText('That is no address, or its capitals do not fit it (EIP-55).').waitFor()
    expect(await enabled(page, 'Delegate by transaction').count()).toBe(0)
    await page.getByLabel('Address', { exact: true }).fill(alice.address)
    await enabled(page, 'Delegate by transaction').click()
    await page.getByText(/^Delegated\. It counts/).waitFor()
    await row(alice)
      .getByText(/^(65|64[.]\d+) %$/)
      .waitFor()
    await page.getByLabel('Myself').check()
    await enabled(page, 'Delegate by transaction').click()
    await row(alice)
      .getByText(/^(40|39[.]\d+) %$/)
      .waitFor()
  })
})
