import { http, type PrivateKeyAccount } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import { type Children, createChildren } from '../../scripts/lib/children.ts'
import { deployContracts } from '../../scripts/lib/deployContracts.ts'
import { type FleetAgent, registerAgents } from '../../scripts/lib/fleet.ts'
import { type RunningRelayer, startRelayer } from '../../scripts/lib/relayerProcess.ts'
import { makeWallets, type Wallets } from '../../scripts/lib/wallets.ts'
import { type AnvilChain, startAnvilChain } from './anvilChain.ts'
import type { Bench } from './benchmark.ts'

export const trustDomain = 'killswitch.bench'

/** Life of SVIDs and all cool-downs, in seconds: longer than any run, so that none expires in it. */
export const svidLife = 900

/** A chain with the contract on it, and the processes beside it. */
export type BareWorld = {
  readonly chain: AnvilChain
  readonly wallets: Wallets
  readonly deployment: Deployment
  readonly startBlock: bigint
  readonly children: Children
}

/** Everything is stopped with the run: processes first, then the chain. */
export async function startBareWorld(
  { data, defer }: Pick<Bench, 'data' | 'defer'>,
  ...anvilArgs: readonly string[]
): Promise<BareWorld> {
  const chain = await startAnvilChain(...anvilArgs)
  defer(chain.close)
  const children = createChildren(data.file('logs'))
  defer(children.stop)
  const wallets = await makeWallets(chain, data)
  const { governance } = wallets.accounts
  const { deployment, block } = await chain.withoutWaiting(() =>
    deployContracts({
      transport: http(chain.rpc),
      account: governance,
      pollingInterval: 20,
      config: {
        trustDomain,
        governance: governance.address,
        council: null,
        emergencyGovernor: null,
        minCooldown: svidLife,
        cooldowns: { breaker: svidLife, owner: svidLife, council: svidLife, governance: svidLife },
      },
    }),
  )
  return { chain, wallets, deployment, startBlock: block, children }
}

/** Registers agents of a wallet, with fresh keys. */
export const registerFleet = (
  { chain, deployment }: BareWorld,
  owner: PrivateKeyAccount,
  count: number,
): Promise<readonly FleetAgent[]> =>
  chain.withoutWaiting(() => registerAgents({ chain, deployment, trustDomain, owner, count }))

/** The relayer as operators run it, in a process of its own. @param readyTimeout ms */
export const startWorldRelayer = (
  { chain, wallets, deployment, startBlock, children }: BareWorld,
  { data }: Pick<Bench, 'data'>,
  readyTimeout = 300_000,
): Promise<RunningRelayer> =>
  startRelayer({
    children,
    rpc: chain.rpc,
    deployment,
    startBlock,
    trustDomain,
    data: data.file('relayer'),
    port: 0,
    mtlsPort: 0,
    gasKeyFile: wallets.keyFiles.gas,
    svidLife,
    readyTimeout,
  })
