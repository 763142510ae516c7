import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { http, toHex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { Deployment } from '../../../protocol/deployment.ts'
import type { GovernedContracts } from '../../../protocol/governance/contracts.ts'
import { localPace, type Pace } from '../../../protocol/governance/settings.ts'
import { initialPolicy } from '../../../protocol/policy/killPolicy.ts'
import { createChildren } from '../../../scripts/lib/children.ts'
import { takeDataFolder } from '../../../scripts/lib/dataFolder.ts'
import { deployContracts } from '../../../scripts/lib/deployContracts.ts'
import { deployGoverned } from '../../../scripts/lib/deployGoverned.ts'
import { type FleetAgent, registerAgents } from '../../../scripts/lib/fleet.ts'
import { giveVotes } from '../../../scripts/lib/giveVotes.ts'
import { prepareApp } from '../../../scripts/lib/localApp.ts'
import { type LocalChain, startLocalChain } from '../../../scripts/lib/localChain.ts'
import type { AgentsMessage, AgentsSetup } from '../../../scripts/lib/messages.ts'
import { claimPorts } from '../../../scripts/lib/ports.ts'
import { receive } from '../../../scripts/lib/receive.ts'
import { type RunningRelayer, startRelayer } from '../../../scripts/lib/relayerProcess.ts'
import { startServices } from '../../../scripts/lib/services.ts'
import { makeWallets, type Wallets } from '../../../scripts/lib/wallets.ts'

export const trustDomain = 'killswitch.local'
/** Seconds: the least cool-down, and with it the life of SVIDs. Enforcement points must outlive a restart of the relayer. */
export const cooldown = 60
/** How many enforcement points confirm a kill. */
export const points = 2

/** A wallet with agents of its own. */
export type Owner = { readonly account: PrivateKeyAccount; readonly agents: readonly FleetAgent[] }

/** The real thing on one machine: chain, contract, relayer that serves the dApp, enforcement points. */
export type Stack = {
  readonly chain: LocalChain
  readonly deployment: Deployment
  /** All that token holders govern; null without votes. */
  readonly contracts: GovernedContracts | null
  /** With votes, of the tokens alice has 40 %, bob 25 %, and carol 10 % that she has not delegated. */
  readonly accounts: Wallets['accounts']
  readonly url: string
  /** Makes a wallet that owns agents. @param ether what it holds afterwards */
  owner(agents: number, ether?: number): Promise<Owner>
  /** Makes agents of the development wallet's first account. */
  ofDeveloper(agents: number): Promise<readonly FleetAgent[]>
  /** Lets agents call the services until the end. */
  runAgents(agents: readonly FleetAgent[]): Promise<void>
  /** Lets the chain's clock run ahead. @param seconds */
  passTime(seconds: number): Promise<void>
  stopRelayer(): Promise<void>
  startRelayer(): Promise<void>
  stop(): Promise<void>
}

/** Times of votes, in seconds: a slow machine, too, gets its votes in before the clock is moved on. */
export const pace: Pace = {
  policy: { ...localPace.policy, votingPeriod: 120 },
  emergency: { ...localPace.emergency, votingPeriod: 120 },
}

/** In the smallest unit of the token: a million. */
const supply = 10n ** 24n

/** @param options `votes` puts it under token holders, at `pace` */
export async function startStack(options: { readonly votes?: boolean } = {}): Promise<Stack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-browser-'))
  const data = takeDataFolder(path.join(folder, 'data'))
  const children = createChildren(data.file('logs'))
  const any = (what: string) => ({ what, option: '', port: 0 })
  const ports = await claimPorts({ chain: any('chain'), relayer: any('relayer'), mtls: any('mtls') })
  const chain = await startLocalChain(ports.chain)
  const wallets = await makeWallets(chain, data)
  const { governance, alice, bob, carol } = wallets.accounts
  const deploying = { transport: http(chain.rpc), account: governance, pollingInterval: 50 }
  const config = {
    trustDomain,
    council: null,
    minCooldown: cooldown,
    cooldowns: { breaker: cooldown, owner: cooldown, council: cooldown, governance: cooldown },
  }
  const { deployment, block, contracts } = await chain.withoutWaiting(async () => {
    if (options.votes !== true) {
      const deployed = await deployContracts({
        ...deploying,
        config: { ...config, governance: governance.address, emergencyGovernor: null },
      })
      return { ...deployed, contracts: null }
    }
    const deployed = await deployGoverned({
      ...deploying,
      config,
      governance: {
        ...pace,
        holder: governance.address,
        supply,
        defaultPolicy: initialPolicy,
        subscriptions: { currency: null, interval: 10, leastInterval: 1, samples: 6, freeQuota: 3 },
      },
    })
    await giveVotes({
      rpc: chain.rpc,
      token: deployed.contracts.token,
      from: governance,
      to: [
        { holder: alice, amount: (supply * 40n) / 100n },
        { holder: bob, amount: (supply * 25n) / 100n },
        { holder: carol, amount: (supply * 10n) / 100n, delegates: false },
      ],
    })
    return deployed
  })
  const app = await prepareApp({
    data,
    chain,
    wallets,
    ...(contracts === null ? {} : { contracts }),
    progress: () => {},
  })
  const start = (): Promise<RunningRelayer> =>
    startRelayer({
      children,
      rpc: chain.rpc,
      deployment,
      startBlock: block,
      trustDomain,
      data: data.file('relayer'),
      port: ports.relayer,
      mtlsPort: ports.mtls,
      gasKeyFile: wallets.keyFiles.gas,
      svidLife: cooldown,
      app,
      ...(contracts === null ? {} : { killPolicies: contracts.killPolicies }),
    })
  let relayer = await start()
  const services = await startServices({
    children,
    relayer,
    deployment,
    trustDomain,
    count: points,
    port: 0,
    record: 'none',
  })
  const setBalance = (account: PrivateKeyAccount, ether: number) =>
    chain.request('hardhat_setBalance', [
      account.address,
      toHex(BigInt(Math.round(ether * 1e6)) * 10n ** 12n),
    ])
  const register = (owner: PrivateKeyAccount, count: number): Promise<readonly FleetAgent[]> =>
    chain.withoutWaiting(() => registerAgents({ chain, deployment, trustDomain, owner, count }))
  return {
    chain,
    deployment,
    contracts,
    accounts: wallets.accounts,
    url: `http://127.0.0.1:${ports.relayer}/`,
    async owner(count, ether = 10) {
      const account = privateKeyToAccount(generatePrivateKey())
      await setBalance(account, 100)
      const agents = await register(account, count)
      await setBalance(account, ether)
      return { account, agents }
    },
    ofDeveloper: (count) => register(wallets.accounts.alice, count),
    async runAgents(agents) {
      const child = children.start({ name: 'agents', script: 'scripts/processes/agents.ts' })
      child.send({
        type: 'setup',
        relayer: relayer.address,
        services: services.map(({ spiffeId, url }) => ({ spiffeId, url })),
        agents: agents.map(({ spiffeId, privateKey }) => ({ spiffeId, privateKey })),
        interval: 250,
        returning: true,
        record: false,
      } satisfies AgentsSetup)
      await receive<AgentsMessage, 'ready'>(child, 'ready')
    },
    async passTime(seconds) {
      await chain.request('evm_increaseTime', [seconds])
      await chain.request('evm_mine', [])
    },
    stopRelayer: () => relayer.child.stop(),
    async startRelayer() {
      relayer = await start()
    },
    async stop() {
      await children.stop()
      await chain.close()
      data.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
