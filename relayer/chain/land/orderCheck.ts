import { decodeFunctionResult, encodeFunctionData } from 'viem'
import type { Deployment } from '../../../protocol/deployment.ts'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { OrderNotLandedError, type SignedOrder } from '../../kill/chainPort.ts'
import { parseQuantity } from '../rpc/rpcBlock.ts'
import { isRevert } from '../rpc/rpcErrors.ts'
import type { RpcPool } from '../rpc/rpcPool.ts'
import { orderGas } from './landingBatch.ts'
import { refusalOf, revertDataOf, revertOf } from './refusal.ts'

/** What the contract at the head of the chain makes of an order. */
export type Verdict =
  | { readonly type: 'ready'; readonly gas: bigint }
  | { readonly type: 'landed' }
  | { readonly type: 'refused'; readonly error: OrderNotLandedError }

type Ask = <T>(method: string, params: readonly unknown[], parse: (result: unknown) => T) => Promise<T>

export const encodeLanding = ({ order, signature }: SignedOrder): Hex =>
  encodeFunctionData({ abi: killSwitchAbi, functionName: 'killBySig', args: [order, signature] })

/**
 * Tries orders against the head without sending them. One node's word is enough to send, since the contract has the
 * last; it takes more than half of those that answer to call an order landed or refused, and all of them to call it
 * dear.
 */
export function createOrderCheck(options: {
  readonly pool: RpcPool
  readonly deployment: Deployment
  /** Who would send it. */
  readonly from: Hex
}): (signed: SignedOrder) => Promise<Verdict> {
  const { pool, deployment, from } = options
  const to = deployment.contract

  const verdictOf = async (ask: Ask, signed: SignedOrder): Promise<Verdict> => {
    const { authority, nonce } = signed.order
    const nonceOf = encodeFunctionData({
      abi: killSwitchAbi,
      functionName: 'nonceOf',
      args: [authority, nonce],
    })
    const [sequence, trial] = await Promise.all([
      ask('eth_call', [{ to, data: nonceOf }, 'latest'], (data) =>
        decodeFunctionResult({ abi: killSwitchAbi, functionName: 'nonceOf', data: data as Hex }),
      ),
      ask('eth_estimateGas', [{ from, to, data: encodeLanding(signed) }, 'latest'], (gas) =>
        BigInt(parseQuantity('gas', gas)),
      ).catch((error: unknown) => {
        if (isRevert(error)) return refusalOf(signed.digest, revertOf(revertDataOf(error)), error)
        throw error
      }),
    ])
    if (trial instanceof OrderNotLandedError) return { type: 'refused', error: trial }
    // The identical order again is answered with its earlier sequence.
    return sequence === 0 ? { type: 'ready', gas: trial } : { type: 'landed' }
  }

  return async (signed) => {
    const first = await verdictOf((method, params, parse) => pool.request({ method, params, parse }), signed)
    if ((first.type === 'ready' && first.gas <= orderGas) || pool.rpcs.length === 1) return first
    const all = await Promise.allSettled(
      pool.rpcs.map((rpc) =>
        verdictOf(async (method, params, parse) => parse(await rpc.request(method, params)), signed),
      ),
    )
    const verdicts = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const ready = verdicts.filter((verdict) => verdict.type === 'ready')
    const same = verdicts.filter((verdict) => verdict.type === first.type)
    if (first.type !== 'ready' && same.length * 2 > verdicts.length) return first
    return ready.reduce<Verdict>(
      (least, verdict) => (least.type === 'ready' && least.gas <= verdict.gas ? least : verdict),
      first,
    )
  }
}
