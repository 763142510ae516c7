import type { BaseError, Hex, Log } from 'viem'
import { applyRegistryEvent, createRegistry, type Registry } from '../../protocol/registry.ts'
import { decodeRegistryLog } from '../../protocol/registryLog.ts'
import { type Chain, onChain, RpcUnreachableError, rpcTimeout } from './chain.ts'

/** Logs of a range; a node that finds it too wide gets halves. */
async function logsBetween(chain: Chain, from: bigint, to: bigint): Promise<readonly Log[]> {
  try {
    return await onChain(chain.rpc, rpcTimeout, () =>
      chain.client.getLogs({ address: chain.deployment.contract, fromBlock: from, toBlock: to }),
    )
  } catch (error) {
    // A node that is gone stays gone, whatever the range; one that answers with an HTTP error may mean the range.
    const status = (error as { cause?: BaseError }).cause?.walk(
      (one) => typeof (one as { status?: unknown }).status === 'number',
    )
    if (from >= to || (error instanceof RpcUnreachableError && status == null)) throw error
    const middle = (from + to) / 2n
    return [...(await logsBetween(chain, from, middle)), ...(await logsBetween(chain, middle + 1n, to))]
  }
}

/** Blocks that are read without a word. */
const longChain = 10_000n

/** The contract's state rebuilt from its logs, and the block up to which it holds. */
export type RegistryReading = {
  readonly registry: Registry
  readonly block: { readonly number: bigint; readonly time: number }
}

/**
 * Reads every log of the contract: what nobody else can list, at the cost of the chain's length.
 * @param say where that it may take long is said, when nobody named the block of the deployment
 * @throws {RpcUnreachableError}
 */
export async function readRegistry(chain: Chain, say: (line: string) => void): Promise<RegistryReading> {
  const { client, rpc } = chain
  const head = await onChain(rpc, rpcTimeout, () => client.getBlock())
  if (chain.fromBlock === 0n && head.number > longChain)
    say(
      `note       reading the logs of ${head.number} blocks; --from-block <block of the deployment> or --relayer spare that`,
    )
  const logs = await logsBetween(chain, chain.fromBlock, head.number)
  const registry = createRegistry()
  const times = new Map<bigint, number>()
  for (const log of logs) {
    const event = decodeRegistryLog({ topics: log.topics as readonly Hex[], data: log.data })
    if (event === null) continue
    // Many nodes put the time into the log; for the others only events whose time counts cost a call.
    let time = log.blockTimestamp == null ? 0 : Number(log.blockTimestamp)
    const number = log.blockNumber ?? head.number
    if (time === 0 && (event.type === 'Killed' || event.type === 'ResumeRequested')) {
      const known = times.get(number)
      time =
        known ??
        Number((await onChain(rpc, rpcTimeout, () => client.getBlock({ blockNumber: number }))).timestamp)
      times.set(number, time)
    }
    applyRegistryEvent(registry, event, time)
  }
  return { registry, block: { number: head.number, time: Number(head.timestamp) } }
}
