import type { Config } from 'wagmi'
import { getConnection, signTypedData, switchChain } from 'wagmi/actions'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderTypedData } from '../../protocol/order.ts'

/** What is asked of the connected wallet. Every call throws viem's errors, with EIP-1193 codes. */
export type WalletPort = {
  /** Asks the wallet to go to the deployment's chain where it is not there yet. */
  goToChain(): Promise<void>
  signOrder(order: KillOrder): Promise<Hex>
}

export const createWalletPort = (config: Config, deployment: Deployment): WalletPort => ({
  async goToChain() {
    const { chainId } = getConnection(config)
    if (chainId !== undefined && chainId !== deployment.chainId)
      await switchChain(config, { chainId: deployment.chainId as never })
  },
  signOrder: (order) =>
    signTypedData(config, { ...killOrderTypedData(deployment, order), account: order.authority }),
})
