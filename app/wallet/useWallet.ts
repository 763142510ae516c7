import { useConnection } from 'wagmi'
import type { Hex } from '../../protocol/hex.ts'
import { useServices } from '../services.ts'

/** The connected wallet, its address in lower case. */
export type Wallet = {
  readonly account: Hex
  readonly name: string
  /** Whether it is on the deployment's chain. */
  readonly onChain: boolean
}

/** Null while none is connected. */
export function useWallet(): Wallet | null {
  const { config } = useServices()
  const { address, chainId, connector, status } = useConnection()
  if (status !== 'connected' || address === undefined) return null
  return {
    account: address.toLowerCase() as Hex,
    name: connector?.name ?? 'wallet',
    onChain: chainId === config.deployment.chainId,
  }
}

/** Whether the wallet of the last visit is being asked whether it still knows this page. */
export const useIsReconnecting = (): boolean => useConnection().status === 'reconnecting'
