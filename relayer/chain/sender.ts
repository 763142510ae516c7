import {
  BaseError,
  ContractFunctionRevertedError,
  createPublicClient,
  custom,
  defineChain,
  encodeFunctionData,
  keccak256,
  type LocalAccount,
} from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { Clock } from '../clock.ts'
import type { OrderSender, SignedOrder } from '../kill/chainPort.ts'
import { createSerial } from '../serial.ts'
import type { ChainLog } from './chainLog.ts'
import { parseQuantity } from './rpcBlock.ts'
import { createRpcPool } from './rpcPool.ts'
import { systemSchedule } from './schedule.ts'

/** How the contract refused, by its own error. */
export type Revert = { readonly name: string; readonly args: readonly unknown[] }

/** An order did not get into a node's pool. */
export class OrderNotLandedError extends Error {
  override readonly name = 'OrderNotLandedError'
  readonly digest: Hex
  /** The contract's refusal; null if it was not asked or gave no reason. */
  readonly revert: Revert | null
  /** Whether the same order may land later without anybody doing anything else to it. */
  readonly retryable: boolean
  constructor(digest: Hex, revert: Revert | null, retryable: boolean, why: string, cause: unknown) {
    super(`order ${digest} is not on chain: ${why}`, { cause })
    this.digest = digest
    this.revert = revert
    this.retryable = retryable
  }
}

/** Refusals that end by themselves: other transactions or time may lift them. */
const passingReverts: ReadonlySet<string> = new Set(['InvalidOrderTimes'])

/** A node that has not yet seen our last transaction counts one less; after this time it is taken at its word. In ms. */
const nonceMemory = 30_000

/**
 * Puts orders on chain with the relayer's gas key, one after the other.
 *
 * Invariant: two transactions never use one nonce, unless the first has vanished from the nodes.
 */
export function createSender(options: {
  readonly rpcs: readonly string[]
  readonly deployment: Deployment
  /** Pays the gas; has no power over any agent. */
  readonly account: LocalAccount
  readonly clock: Clock
  readonly log: ChainLog
}): OrderSender & { readonly close: () => void } {
  const { deployment, account, clock, log } = options
  const pool = createRpcPool({
    ...options,
    chainId: deployment.chainId,
    schedule: systemSchedule,
    random: Math.random,
  })
  const request = <T>(
    method: string,
    params: readonly unknown[],
    parse: (result: unknown) => T,
  ): Promise<T> => pool.request({ method, params, parse })
  const client = createPublicClient({
    chain: defineChain({
      id: deployment.chainId,
      name: `eip155:${deployment.chainId}`,
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [] } },
    }),
    transport: custom(
      {
        request: ({ method, params }: { method: string; params?: readonly unknown[] }) =>
          request(method, params ?? [], (result) => result),
      },
      { retryCount: 0 },
    ),
  })
  const serial = createSerial()
  let lastNonce: { readonly next: number; readonly at: number } | null = null

  const nextNonce = async (): Promise<number> => {
    const pending = await request('eth_getTransactionCount', [account.address, 'pending'], (result) =>
      parseQuantity('nonce', result),
    )
    if (lastNonce === null || clock.monotonic() - lastNonce.at > nonceMemory) return pending
    return Math.max(pending, lastNonce.next)
  }

  const broadcast = async (transaction: Hex): Promise<Hex> => {
    const txHash = keccak256(transaction)
    try {
      await request('eth_sendRawTransaction', [transaction], () => undefined)
    } catch (error) {
      if (!/already known|already imported/i.test((error as Error).message)) throw error
    }
    return txHash
  }

  const transact = async ({ order, signature, digest }: SignedOrder): Promise<{ readonly txHash: Hex }> => {
    const call = {
      address: deployment.contract,
      abi: killSwitchAbi,
      functionName: 'killBySig',
      args: [order, signature],
    } as const
    const [estimate, fees, nonce] = await Promise.all([
      client.estimateContractGas({ ...call, account }),
      client.estimateFeesPerGas(),
      nextNonce(),
    ])
    const transaction = await account.signTransaction({
      type: 'eip1559',
      chainId: deployment.chainId,
      to: deployment.contract,
      data: encodeFunctionData(call),
      nonce,
      // Another kill of the subject in between may change what storage costs.
      gas: (estimate * 13n) / 10n,
      maxFeePerGas: fees.maxFeePerGas,
      maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
    })
    const txHash = await broadcast(transaction)
    lastNonce = { next: nonce + 1, at: clock.monotonic() }
    log.info({ digest, txHash, nonce }, 'order sent')
    return { txHash }
  }

  return {
    send: (signed) =>
      serial(async () => {
        try {
          return await transact(signed)
        } catch (error) {
          lastNonce = null
          throw notLanded(signed.digest, account.address, error)
        }
      }),
    close: () => pool.close(),
  }
}

function notLanded(digest: Hex, gasKey: Hex, error: unknown): OrderNotLandedError {
  const reverted =
    error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : null
  if (reverted instanceof ContractFunctionRevertedError) {
    const { data, reason } = reverted
    const revert = data === undefined ? null : { name: data.errorName, args: data.args ?? [] }
    const args = revert?.args.map(String).join(', ')
    const why = revert === null ? (reason ?? 'without a reason') : `${revert.name}(${args})`
    const passing = revert !== null && passingReverts.has(revert.name)
    return new OrderNotLandedError(
      digest,
      revert,
      passing,
      `the contract refuses it: ${why}; ${passing ? 'send it again later' : 'sign a new order that it accepts'}`,
      error,
    )
  }
  const text =
    error instanceof BaseError ? `${error.shortMessage} ${error.details}` : String((error as Error)?.message)
  const why = /insufficient funds|doesn't have enough funds|lack of funds|exceeds the balance/i.test(text)
    ? `the gas key ${gasKey} cannot pay; send it funds`
    : `no node took it (${text}); send it again when a node answers`
  return new OrderNotLandedError(digest, null, true, why, error)
}
