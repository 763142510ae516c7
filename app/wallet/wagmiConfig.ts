import { defineChain, http } from 'viem'
import { type Config, createConfig } from 'wagmi'
import type { AppConfig } from '../config.ts'

/** How long the node may take to answer, in ms. */
const rpcTimeout = 8_000

/** One chain, its configured node, and whatever wallets announce themselves (EIP-6963). */
export function createWagmiConfig({ deployment, chainName, rpc }: AppConfig): Config {
  const chain = defineChain({
    id: deployment.chainId,
    name: chainName,
    nativeCurrency: { name: 'ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  })
  return createConfig({
    chains: [chain],
    connectors: [],
    multiInjectedProviderDiscovery: true,
    transports: { [chain.id]: http(rpc, { timeout: rpcTimeout, retryCount: 1 }) },
    cacheTime: 0,
  })
}
