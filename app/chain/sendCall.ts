import { BaseError, type Client, ContractFunctionRevertedError } from 'viem'
import {
  estimateContractGas,
  getBalance,
  getGasPrice,
  simulateContract,
  waitForTransactionReceipt,
} from 'viem/actions'
import type { Config } from 'wagmi'
import { writeContract } from 'wagmi/actions'
import type { Hex } from '../../protocol/hex.ts'
import type { ContractCall, Landed } from './contractWrites.ts'
import { NoGasError, TransactionFailedError, TransactionReplacedError } from './writeErrors.ts'

/** How long a transaction may take to get into a block before the page stops waiting for it, in ms. */
const receiptTimeout = 300_000

/** Checks, asks the wallet and sends. @throws NoGasError, viem's errors for what the contract or the wallet refuses */
export async function sendCall(
  config: Config,
  client: Client,
  chainId: number,
  account: Hex,
  wanted: ContractCall,
): Promise<Hex> {
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
  return writeContract(config, { ...request, chainId } as never)
}

/** Waits until a transaction is in a block. @throws TransactionFailedError or TransactionReplacedError */
export async function waitUntilLanded(client: Client, txHash: Hex): Promise<Landed> {
  let isReplaced = false
  const { status, transactionHash, blockNumber } = await waitForTransactionReceipt(client, {
    hash: txHash,
    timeout: receiptTimeout,
    pollingInterval: 500,
    // Sped up it is the same call by another hash.
    onReplaced({ reason }) {
      isReplaced = reason !== 'repriced'
    },
  })
  if (isReplaced) throw new TransactionReplacedError(txHash, transactionHash)
  if (status !== 'success') throw new TransactionFailedError(transactionHash)
  return { block: blockNumber, txHash: transactionHash }
}
