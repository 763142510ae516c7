import type { Hex } from '../../../protocol/hex.ts'
import { RpcResponseError } from '../rpc/rpcErrors.ts'
import type { RpcPool } from '../rpc/rpcPool.ts'

/** What the nodes said to a transaction; the first of these that any of them said. */
export type BroadcastResult =
  | { readonly type: 'accepted' }
  /** Another with the nonce is there and does not offer much less, or the fee is below what nodes keep. */
  | { readonly type: 'underpriced' }
  /** Another with the nonce is mined. */
  | { readonly type: 'nonce too low' }
  | { readonly type: 'cannot pay' }
  | { readonly type: 'refused'; readonly why: string; readonly cause: unknown }
  | { readonly type: 'unanswered'; readonly why: string; readonly cause: unknown }

/** The words of geth, reth, Erigon, Nethermind, Besu, anvil and Hardhat. */
const words: readonly (readonly [Exclude<BroadcastResult['type'], 'refused' | 'unanswered'>, RegExp])[] = [
  ['accepted', /already known|already imported|known transaction|already exists/i],
  [
    'underpriced',
    /underpriced|less than block base fee|below.*base fee|gas price too low to replace|not enough.*to replace|too low to compete/i,
  ],
  ['nonce too low', /nonce too low|nonce is too low|nonce has already been used|old nonce|nonce below/i],
  ['cannot pay', /insufficient funds|enough funds|lack of funds|exceeds the balance|upfront cost/i],
]

const order = ['accepted', 'underpriced', 'nonce too low', 'cannot pay', 'refused', 'unanswered'] as const

function resultOf(error: unknown): BroadcastResult {
  const why = error instanceof Error ? error.message : String(error)
  if (!(error instanceof RpcResponseError)) return { type: 'unanswered', why, cause: error }
  const type = words.find(([, pattern]) => pattern.test(error.details))?.[0]
  return type === undefined ? { type: 'refused', why: error.details, cause: error } : { type }
}

/** Gives a transaction to every node, since one alone may lose or withhold it. Resolves as soon as one has it. */
export async function broadcast(pool: RpcPool, raw: Hex): Promise<BroadcastResult> {
  const results = pool.rpcs.map((rpc) =>
    rpc.request('eth_sendRawTransaction', [raw]).then(
      (): BroadcastResult => ({ type: 'accepted' }),
      (error: unknown) => resultOf(error),
    ),
  )
  const accepted = results.map(async (result) => {
    if ((await result).type !== 'accepted') throw new Error('not accepted')
    return { type: 'accepted' } as const
  })
  return Promise.any(accepted).catch(async () => {
    const all = await Promise.all(results)
    return all.sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type))[0] as BroadcastResult
  })
}
