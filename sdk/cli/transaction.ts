import {
  type ContractFunctionArgs,
  type ContractFunctionName,
  createWalletClient,
  http,
  type PrivateKeyAccount,
  type TransactionReceipt,
  WaitForTransactionReceiptTimeoutError,
} from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { RegistryEvent } from '../../protocol/registry.ts'
import { decodeRegistryLog } from '../../protocol/registryLog.ts'
import { type Chain, onChain, rpcTimeout } from './chain.ts'
import { CliError } from './cliError.ts'
import type { Context } from './command.ts'
import { exitCode } from './exitCode.ts'

type Writable = ContractFunctionName<typeof killSwitchAbi, 'nonpayable'>

/** How long a transaction may take to get into a block, in ms. */
const receiptTimeout = 180_000

/** A transaction that is in a block: its receipt and the contract's events in it. */
export type Landed = { readonly receipt: TransactionReceipt; readonly events: readonly RegistryEvent[] }

/**
 * Simulates, sends and waits for the receipt. What the contract would refuse is never sent.
 * @throws {ContractRefusedError | RpcUnreachableError | CliError}
 */
export async function sendTransaction<const Name extends Writable>(
  context: Context,
  chain: Chain,
  account: PrivateKeyAccount,
  functionName: Name,
  args: ContractFunctionArgs<typeof killSwitchAbi, 'nonpayable', Name>,
): Promise<Landed> {
  const { client, rpc, deployment } = chain
  const call = { address: deployment.contract, abi: killSwitchAbi, functionName, args, account } as const
  const hash = await onChain(rpc, rpcTimeout, async () => {
    await client.simulateContract(call as never)
    const wallet = createWalletClient({
      account,
      chain: client.chain,
      transport: http(rpc, { timeout: rpcTimeout, retryCount: 0 }),
    })
    return wallet.writeContract(call as never)
  })
  context.say(`sent       transaction ${hash}`)
  const receipt = await onChain(rpc, rpcTimeout, async () => {
    try {
      return await client.waitForTransactionReceipt({ hash, timeout: receiptTimeout, retryCount: 10 })
    } catch (error) {
      if (!(error instanceof WaitForTransactionReceiptTimeoutError)) throw error
      throw new CliError(
        exitCode.unreachable,
        `transaction ${hash} is sent but in no block after ${receiptTimeout / 1000} s; it may still land`,
        { cause: error, details: { txHash: hash } },
      )
    }
  })
  if (receipt.status !== 'success') {
    throw new CliError(
      exitCode.refused,
      `transaction ${hash} failed in block ${receipt.blockNumber}: the chain's state changed after it was checked; try again`,
      { details: { txHash: hash } },
    )
  }
  context.say(`on chain   block ${receipt.blockNumber}, ${receipt.gasUsed} gas`)
  const events = receipt.logs
    .filter((log) => log.address.toLowerCase() === deployment.contract)
    .flatMap((log) => decodeRegistryLog(log) ?? [])
  return { receipt, events }
}
