import type { Abi, Client, ContractFunctionArgs, ContractFunctionName } from 'viem'
import type { Config } from 'wagmi'
import type { Deployment } from '../../protocol/deployment.ts'
import type { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { late } from '../late.ts'

export type WriteName = ContractFunctionName<typeof killSwitchAbi, 'nonpayable'>
export type WriteArgs<Name extends WriteName> = ContractFunctionArgs<typeof killSwitchAbi, 'nonpayable', Name>

/** A call of any contract. */
export type ContractCall = {
  readonly address: Hex
  /** With every error that it may end in, so that it can be said in words. */
  readonly abi: Abi
  readonly functionName: string
  readonly args: readonly unknown[]
}

/** Where a transaction is; its hash is another one where the wallet sped it up. */
export type Landed = { readonly block: bigint; readonly txHash: Hex }

/** Calls of contracts from the user's wallet. */
export type ContractWrites = {
  /**
   * Checks, asks the wallet and sends.
   * @returns the transaction's hash once the wallet has sent it
   * @throws NoGasError, viem's errors for what the contract or the wallet refuses
   */
  call(account: Hex, call: ContractCall): Promise<Hex>
  /** The same for the KillSwitch. */
  send<const Name extends WriteName>(account: Hex, functionName: Name, args: WriteArgs<Name>): Promise<Hex>
  /** Waits until it is in a block. @throws TransactionFailedError or TransactionReplacedError */
  landed(txHash: Hex): Promise<Landed>
}

/** What sends is not needed to look, so it is no part of the first load. */
export const loadSending = late(async () => {
  const [sending, { killSwitchAbi }] = await Promise.all([
    import('./sendCall.ts'),
    import('../../protocol/generated/killSwitchAbi.ts'),
  ])
  return { ...sending, killSwitchAbi }
})

export function createContractWrites(config: Config, client: Client, deployment: Deployment): ContractWrites {
  const { chainId, contract } = deployment
  return {
    async call(account, call) {
      const { sendCall } = await loadSending()
      return sendCall(config, client, chainId, account, call)
    },
    async send(account, functionName, args) {
      const { killSwitchAbi, sendCall } = await loadSending()
      return sendCall(config, client, chainId, account, {
        address: contract,
        abi: killSwitchAbi,
        functionName,
        args: args as readonly unknown[],
      })
    },
    async landed(txHash) {
      return (await loadSending()).waitUntilLanded(client, txHash)
    },
  }
}
