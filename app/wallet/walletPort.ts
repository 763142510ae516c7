import type { TypedDataDefinition } from 'viem'
import type { Config } from 'wagmi'
import { getConnection, signTypedData, switchChain } from 'wagmi/actions'
import type { Deployment } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderTypedData } from '../../protocol/order.ts'

/** What is asked of the connected wallet. Every call throws viem's errors, with EIP-1193 codes. */
export type WalletPort = {
  /** Asks the wallet to go to the deployment's chain where it is not there yet. */
  goToChain(): Promise<void>
  /** EIP-712. */
  signTypedData(account: Hex, typed: TypedDataDefinition): Promise<Hex>
  signOrder(order: KillOrder): Promise<Hex>
}

export function createWalletPort(config: Config, deployment: Deployment): WalletPort {
  const sign = (account: Hex, typed: TypedDataDefinition): Promise<Hex> =>
    signTypedData(config, { ...typed, account } as never)
  return {
    async goToChain() {
      const { chainId } = getConnection(config)
      if (chainId !== undefined && chainId !== deployment.chainId)
        await switchChain(config, { chainId: deployment.chainId as never })
    },
    signTypedData: sign,
    signOrder: (order) => sign(order.authority, killOrderTypedData(deployment, order) as TypedDataDefinition),
  }
}
