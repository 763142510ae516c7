import type { Clock } from '../../clock.ts'
import type { Schedule } from '../../schedule.ts'
import type { ChainLog } from '../chainLog.ts'
import { createHttpRpc } from './httpRpc.ts'
import type { Rpc } from './rpc.ts'
import { parseQuantity } from './rpcBlock.ts'
import { isRevert, rpcLabel, WrongChainError } from './rpcErrors.ts'
import { createSocketRpc } from './socketRpc.ts'

export type RpcPoolOptions = {
  /** http, https, ws or wss addresses, in order of preference. */
  readonly rpcs: readonly string[]
  readonly chainId: number
  readonly clock: Clock
  readonly schedule: Schedule
  /** In [0, 1). */
  readonly random: () => number
  readonly log: ChainLog
  /** Opens a connection to an address; by its scheme unless given. */
  readonly connect?: ((url: string) => Rpc) | undefined
}

export type RpcCall<T> = {
  readonly method: string
  readonly params: readonly unknown[]
  /** Parses and checks the answer; whatever it throws sends the question to the next RPC. */
  readonly parse: (result: unknown) => T
  /** Longest wait for each RPC, in ms. */
  readonly timeout?: number
}

/** Several RPCs of one chain of which any answers; what more than one must say is asked by `majority`. */
export type RpcPool = {
  readonly rpcs: readonly Rpc[]
  /**
   * Asks one RPC after the other, beginning with the last that answered, until one gives an acceptable answer.
   * A revert is an answer.
   * @throws the last RPC's error
   */
  request<T>(call: RpcCall<T>): Promise<T>
  close(): void
}

export class NoRpcError extends Error {
  override readonly name = 'NoRpcError'
  readonly value: string | null
  constructor(value: string | null) {
    super(
      value === null
        ? 'no RPC is configured; give at least one http(s) or ws(s) address'
        : `"${value}" is no http(s) or ws(s) address of an RPC`,
    )
    this.value = value
  }
}

/** @throws {NoRpcError} */
export function createRpcPool(options: RpcPoolOptions): RpcPool {
  const { chainId, log } = options
  const connect = options.connect ?? ((url: string) => connectByScheme(url, options))
  if (options.rpcs.length === 0) throw new NoRpcError(null)
  const rpcs = options.rpcs.map((url) => ofChain(connect(url), chainId))
  let preferred = rpcs[0] as Rpc
  return {
    rpcs,
    async request({ method, params, parse, timeout }) {
      let failure: unknown
      for (const rpc of new Set([preferred, ...rpcs])) {
        try {
          const answer = parse(await rpc.request(method, params, timeout))
          preferred = rpc
          return answer
        } catch (error) {
          if (isRevert(error)) throw error
          failure = error
          log.debug({ rpc: rpcLabel(rpc.url), method, error }, 'RPC failed, asking the next')
        }
      }
      throw failure
    },
    close() {
      for (const rpc of rpcs) rpc.close()
    },
  }
}

/** @throws {NoRpcError} */
function connectByScheme(url: string, options: RpcPoolOptions): Rpc {
  if (!URL.canParse(url)) throw new NoRpcError(url)
  const { protocol } = new URL(url)
  if (protocol === 'http:' || protocol === 'https:') return createHttpRpc(url, options.schedule)
  if (protocol === 'ws:' || protocol === 'wss:') return createSocketRpc(url, options)
  throw new NoRpcError(`${protocol}//…`)
}

/** Refuses an RPC that serves another chain, before its first answer is used. */
function ofChain(rpc: Rpc, chainId: number): Rpc {
  let checked: Promise<void> | null = null
  const check = async () => {
    const actual = parseQuantity('chain id', await rpc.request('eth_chainId', []))
    if (actual !== chainId) throw new WrongChainError(rpc.url, chainId, actual)
  }
  return {
    ...rpc,
    async request(method, params, timeout) {
      checked ??= check()
      const mine = checked
      try {
        await mine
      } catch (error) {
        // Asked anew next time: the address may by then lead to another node.
        if (checked === mine) checked = null
        throw error
      }
      return rpc.request(method, params, timeout)
    },
  }
}
