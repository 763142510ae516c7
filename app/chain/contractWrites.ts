import {
  type Abi,
  BaseError,
  type Client,
  type ContractFunctionArgs,
  type ContractFunctionName,
  ContractFunctionRevertedError,
} from 'viem'
import {
  estimateContractGas,
  getBalance,
  getGasPrice,
  simulateContract,
  waitForTransactionReceipt,
} from 'viem/actions'
import type { Config } from 'wagmi'
import { writeContract } from 'wagmi/actions'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'

export type WriteName = ContractFunctionName<typeof killSwitchAbi, 'nonpayable'>
export type WriteArgs<Name extends WriteName> = ContractFunctionArgs<typeof killSwitchAbi, 'nonpayable', Name>

/** How long a transaction may take to get into a block before the page stops waiting for it, in ms. */
const receiptTimeout = 300_000

/** A transaction is in a block, but did nothing. */
export class TransactionFailedError extends Error {
  override readonly name = 'TransactionFailedError'
  readonly txHash: Hex
  constructor(txHash: Hex) {
    super(`transaction ${txHash} failed: the chain's state changed after it was checked; try again`)
    this.txHash = txHash
  }
}

/** The wallet cannot pay for a transaction; amounts in wei. */
export class NoGasError extends Error {
  override readonly name = 'NoGasError'
  readonly balance: bigint
  readonly needed: bigint
  constructor(balance: bigint, needed: bigint) {
    super(`the wallet has ${balance} wei, the transaction needs about ${needed}`)
    this.balance = balance
    this.needed = needed
  }
}

/** A call of any contract. */
export type ContractCall = {
  readonly address: Hex
  /** With every error that it may end in, so that it can be said in words. */
  readonly abi: Abi
  readonly functionName: string
  readonly args: readonly unknown[]
}

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
  /** Waits until it is in a block. @throws TransactionFailedError */
  landed(txHash: Hex): Promise<bigint>
}

export function createContractWrites(config: Config, client: Client, deployment: Deployment): ContractWrites {
  const call = async (account: Hex, wanted: ContractCall): Promise<Hex> => {
    const request = { ...wanted, account }
    try {
      await simulateContract(client, request as never)
      const [gas, price, balance] = await Promise.all([
        estimateContractGas(client, request as never),
        getGasPrice(client),
        getBalance(client, { address: account }),
      ])
      if (balance < gas * price) throw new NoGasError(balance, gas * price)
    } catch (error) {
      // A node that does not answer must not stand between the owner and the stop: the wallet has its own.
      const isWord =
        error instanceof NoGasError ||
        (error instanceof BaseError &&
          error.walk((one) => one instanceof ContractFunctionRevertedError) !== null)
      if (isWord) throw error
    }
    return writeContract(config, { ...request, chainId: deployment.chainId } as never)
  }
  return {
    call,
    send: (account, functionName, args) =>
      call(account, {
        address: deployment.contract,
        abi: killSwitchAbi,
        functionName,
        args: args as readonly unknown[],
      }),
    async landed(txHash) {
      const receipt = await waitForTransactionReceipt(client, {
        hash: txHash,
        timeout: receiptTimeout,
        pollingInterval: 500,
      })
      if (receipt.status !== 'success') throw new TransactionFailedError(txHash)
      return receipt.blockNumber
    },
  }
}
