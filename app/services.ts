import { createContext, useContext } from 'react'
import type { Client } from 'viem'
import type { Config } from 'wagmi'
import { createFeedFollower, type FeedFollower } from './api/feedFollower.ts'
import { createKillsFollower, type KillsFollower } from './api/killsFollower.ts'
import { createRelayerApi, type RelayerApi } from './api/relayerApi.ts'
import { webCryptoEd25519 } from './api/verifiedReader.ts'
import { type ChainFollower, createChainFollower } from './chain/chainFollower.ts'
import { type ContractWrites, createContractWrites } from './chain/contractWrites.ts'
import type { AppConfig } from './config.ts'
import { createRateHistory, type RateHistory } from './data/rateHistory.ts'
import { createStopper, type Stopper } from './data/stopper.ts'
import { createWalletPort, type WalletPort } from './wallet/walletPort.ts'

/** What pages are made of; composed once, in `createServices`. */
export type Services = {
  readonly config: AppConfig
  readonly client: Client
  readonly chain: ChainFollower
  readonly writes: ContractWrites
  readonly api: RelayerApi
  readonly feed: FeedFollower
  readonly kills: KillsFollower
  readonly rates: RateHistory
  readonly walletPort: WalletPort
  readonly stopper: Stopper
}

/** ms between looks at the chain's head: a local chain mines every second, others every few. */
export const headInterval = (chainId: number): number => (chainId === 31337 ? 1_000 : 4_000)

/** Composes and starts everything that lives as long as the page. */
export function createServices(config: AppConfig, wagmi: Config): Services {
  const { deployment } = config
  const client = wagmi.getClient() as Client
  const api = createRelayerApi(config.relayer, deployment)
  const chain = createChainFollower({
    client,
    deployment,
    fromBlock: config.fromBlock,
    interval: headInterval(deployment.chainId),
    now: Date.now,
  })
  const feed = createFeedFollower({
    api,
    deployment,
    relayerKey: config.relayerKey,
    verify: webCryptoEd25519,
    clocks: () => ({ wall: Date.now(), monotonic: performance.now() }),
  })
  const kills = createKillsFollower(api)
  const writes = createContractWrites(wagmi, client, deployment)
  const walletPort = createWalletPort(wagmi, deployment)
  const stopper = createStopper({
    deployment,
    api,
    kills,
    writes,
    wallet: walletPort,
    blockTime: () => chain.view.get().head?.time ?? null,
    onLanded: () => void chain.refresh(),
    now: Date.now,
    monotonic: () => performance.now(),
  })
  chain.start()
  feed.start()
  kills.start()
  return { config, client, chain, writes, api, feed, kills, rates: createRateHistory(), walletPort, stopper }
}

export const ServicesContext = createContext<Services | null>(null)

export function useServices(): Services {
  const services = useContext(ServicesContext)
  if (services === null) throw new Error('there is no ServicesContext above this component')
  return services
}
