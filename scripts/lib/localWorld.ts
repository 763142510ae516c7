import { http } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import type { GovernedContracts } from '../../protocol/governance/contracts.ts'
import { localPace } from '../../protocol/governance/settings.ts'
import { initialPolicy } from '../../protocol/policy/killPolicy.ts'
import { type Child, type Children, createChildren } from './children.ts'
import type { DataFolder } from './dataFolder.ts'
import { deployGoverned } from './deployGoverned.ts'
import { type FleetAgent, registerAgents } from './fleet.ts'
import { giveVotes } from './giveVotes.ts'
import { prepareApp } from './localApp.ts'
import { type LocalChain, startLocalChain } from './localChain.ts'
import type { AgentsMessage, AgentsSetup, RelayerAddress } from './messages.ts'
import { receive } from './receive.ts'
import { startRelayer } from './relayerProcess.ts'
import { type RunningService, startServices } from './services.ts'
import { makeWallets, type Wallets } from './wallets.ts'

/** A whole Killswitch on one machine, with agents of two wallets that call guarded services. */
export type LocalWorld = {
  readonly chain: LocalChain
  readonly wallets: Wallets
  readonly deployment: Deployment
  readonly startBlock: bigint
  /** All contracts; Alice and Bob hold two fifths and a quarter of the votes, Carol a tenth of the tokens, not delegated. */
  readonly contracts: GovernedContracts
  readonly trustDomain: string
  readonly relayer: RelayerAddress
  readonly relayerProcess: Child
  readonly services: readonly RunningService[]
  readonly agentProcesses: readonly Child[]
  readonly fleet: { readonly alice: readonly FleetAgent[]; readonly bob: readonly FleetAgent[] }
  /** Called when a part ends that nobody stopped. */
  onLoss(listener: (error: Error) => void): void
}

export type LocalWorldOptions = {
  readonly data: DataFolder
  readonly ports: {
    readonly chain: number
    readonly relayer: number
    readonly mtls: number
    readonly service: number
  }
  /** How many services; only the first has its port from `ports`. */
  readonly services: number
  readonly agents: { readonly alice: number; readonly bob: number }
  readonly agentProcesses: number
  readonly callInterval: number
  readonly record: boolean
  readonly returning: boolean
  /** Life of SVIDs and all cool-downs, in seconds. */
  readonly svidLife: number
  /** Whether the relayer serves the dApp, with a development wallet for its accounts. */
  readonly app?: boolean
  readonly progress: (text: string) => void
}

const trustDomain = 'killswitch.local'

/** In the smallest unit of the token: a million. */
const localSupply = 10n ** 24n

/** Deals items out into at most `count` hands. */
export const deal = <T>(items: readonly T[], count: number): T[][] => {
  const hands: T[][] = Array.from({ length: Math.max(1, Math.min(count, items.length)) }, () => [])
  items.forEach((item, index) => {
    hands[index % hands.length]?.push(item)
  })
  return hands
}

/**
 * Starts everything, in order, and waits until every agent has been served once.
 * @returns at once what stops all of it, also halfway, and a promise of the whole
 */
export function startLocalWorld(options: LocalWorldOptions): {
  readonly world: Promise<LocalWorld>
  stop(): Promise<void>
} {
  const children = createChildren(options.data.file('logs'))
  let chain: LocalChain | undefined
  const world = build(options, children, (started) => {
    chain = started
  })
  // A failure while stopping has no listener any more.
  world.catch(() => {})
  return {
    world,
    async stop() {
      await children.stop()
      await chain?.close()
    },
  }
}

async function build(
  options: LocalWorldOptions,
  children: Children,
  onChain: (chain: LocalChain) => void,
): Promise<LocalWorld> {
  const { data, ports, progress } = options
  progress('starting the chain')
  const chain = await startLocalChain(ports.chain)
  onChain(chain)
  const wallets = await makeWallets(chain, data)
  const { alice, bob, carol, governance } = wallets.accounts
  const life = options.svidLife

  progress('deploying the contract, registering the agents')
  const { deployment, contracts, block, fleet } = await chain.withoutWaiting(async () => {
    const deployed = await deployGoverned({
      transport: http(chain.rpc),
      account: governance,
      pollingInterval: 50,
      config: {
        trustDomain,
        council: null,
        minCooldown: life,
        cooldowns: { breaker: life, owner: life, council: life, governance: life },
      },
      governance: {
        ...localPace,
        holder: governance.address,
        supply: localSupply,
        defaultPolicy: {
          ...initialPolicy,
          limits: { ...initialPolicy.limits, resumeCooldown: life },
        },
        subscriptions: {
          ...{ currency: null, interval: 10, leastInterval: 1, samples: 6 },
          // The world's own agents fit, and not many more: what a quota refuses can be tried.
          freeQuota: Math.max(3, options.agents.alice, options.agents.bob),
        },
      },
    })
    await giveVotes({
      rpc: chain.rpc,
      token: deployed.contracts.token,
      from: governance,
      to: [
        { holder: alice, amount: (localSupply * 40n) / 100n },
        { holder: bob, amount: (localSupply * 25n) / 100n },
        { holder: carol, amount: (localSupply * 10n) / 100n, delegates: false },
      ],
    })
    const register = (owner: typeof alice, count: number) =>
      registerAgents({ chain, deployment: deployed.deployment, trustDomain, owner, count })
    return {
      deployment: deployed.deployment,
      contracts: deployed.contracts,
      block: deployed.block,
      fleet: {
        alice: await register(alice, options.agents.alice),
        bob: await register(bob, options.agents.bob),
      },
    }
  })

  const app =
    options.app === true ? await prepareApp({ data, chain, wallets, contracts, progress }) : undefined

  progress('starting the relayer')
  const relayer = await startRelayer({
    children,
    rpc: chain.rpc,
    deployment,
    startBlock: block,
    killPolicies: contracts.killPolicies,
    subscriptions: contracts.subscriptions,
    trustDomain,
    data: data.file('relayer'),
    port: ports.relayer,
    mtlsPort: ports.mtls,
    gasKeyFile: wallets.keyFiles.gas,
    svidLife: life,
    ...(app === undefined ? {} : { app }),
  })

  progress(options.services === 1 ? 'starting the service' : `starting ${options.services} services`)
  const services = await startServices({
    children,
    relayer,
    deployment,
    trustDomain,
    count: options.services,
    port: ports.service,
    record: options.record ? 'all' : 'none',
  })

  progress(`starting ${options.agents.alice + options.agents.bob} agents`)
  // Both wallets in every process: what a kill does to one must not come from its process.
  const hands = deal([...fleet.alice, ...fleet.bob], options.agentProcesses)
  const agentProcesses = await Promise.all(
    hands.map(async (agents, index) => {
      const child = children.start({
        name: hands.length === 1 ? 'agents' : `agents-${index + 1}`,
        script: 'scripts/processes/agents.ts',
      })
      child.send({
        type: 'setup',
        relayer: relayer.address,
        services: services.map(({ spiffeId, url }) => ({ spiffeId, url })),
        agents: agents.map(({ spiffeId, privateKey }) => ({ spiffeId, privateKey })),
        interval: options.callInterval,
        returning: options.returning,
        record: options.record,
      } satisfies AgentsSetup)
      await receive<AgentsMessage, 'ready'>(child, 'ready')
      return child
    }),
  )
  return {
    chain,
    wallets,
    deployment,
    startBlock: block,
    contracts,
    trustDomain,
    relayer: relayer.address,
    relayerProcess: relayer.child,
    services,
    agentProcesses,
    fleet,
    onLoss: children.onLoss,
  }
}
