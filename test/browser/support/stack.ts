import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { http, toHex } from 'viem'
import { generatePrivateKey, type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import type { Deployment } from '../../../protocol/deployment.ts'
import { createChildren } from '../../../scripts/lib/children.ts'
import { takeDataFolder } from '../../../scripts/lib/dataFolder.ts'
import { deployContracts } from '../../../scripts/lib/deployContracts.ts'
import { type FleetAgent, registerAgents } from '../../../scripts/lib/fleet.ts'
import { prepareApp } from '../../../scripts/lib/localApp.ts'
import { type LocalChain, startLocalChain } from '../../../scripts/lib/localChain.ts'
import type { AgentsMessage, AgentsSetup } from '../../../scripts/lib/messages.ts'
import { claimPorts } from '../../../scripts/lib/ports.ts'
import { receive } from '../../../scripts/lib/receive.ts'
import { type RunningRelayer, startRelayer } from '../../../scripts/lib/relayerProcess.ts'
import { startServices } from '../../../scripts/lib/services.ts'
import { makeWallets } from '../../../scripts/lib/wallets.ts'

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

export async function startStack(): Promise<Stack> {
  const folder = mkdtempSync(path.join(tmpdir(), 'killswitch-browser-'))
  const data = takeDataFolder(path.join(folder, 'data'))
  const children = createChildren(data.file('logs'))
  const any = (what: string) => ({ what, option: '', port: 0 })
  const ports = await claimPorts({ chain: any('chain'), relayer: any('relayer'), mtls: any('mtls') })
  const chain = await startLocalChain(ports.chain)
  const wallets = await makeWallets(chain, data)
  const { governance } = wallets.accounts
  const { deployment, block } = await chain.withoutWaiting(() =>
    deployContracts({
      transport: http(chain.rpc),
      account: governance,
      pollingInterval: 50,
      config: {
        trustDomain,
        governance: governance.address,
        council: null,
        emergencyGovernor: null,
        minCooldown: cooldown,
        cooldowns: { breaker: cooldown, owner: cooldown, council: cooldown, governance: cooldown },
      },
    }),
  )
  const app = await prepareApp({ data, chain, wallets, progress: () => {} })
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
