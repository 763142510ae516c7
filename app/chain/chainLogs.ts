import { type Client, type Hex, HttpRequestError, TimeoutError } from 'viem'
import { getBlock, getLogs } from 'viem/actions'
import { decodeRegistryLog } from '../../protocol/registryLog.ts'
import type { ChainEvent } from './registryFold.ts'

/** Widest range that is asked for at once, in blocks; a node that finds it too wide gets halves. */
const widest = 50_000n

/** No answer at all, which no narrower range would mend. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof TimeoutError || (error instanceof HttpRequestError && error.status === undefined)

/**
 * The contract's events in [from, to], in the order of the chain.
 * @param onProgress told of each block up to which everything is read
 * @throws viem's errors when the node does not answer
 */
export async function readChainEvents(
  client: Client,
  contract: Hex,
  from: bigint,
  to: bigint,
  onProgress: (block: bigint) => void = () => {},
): Promise<readonly ChainEvent[]> {
  const events: ChainEvent[] = []
  const times = new Map<bigint, number>()
  let width = widest
  for (let start = from; start <= to; ) {
    const end = start + width - 1n < to ? start + width - 1n : to
    let logs: Awaited<ReturnType<typeof getLogs>>
    try {
      logs = await getLogs(client, { address: contract, fromBlock: start, toBlock: end })
    } catch (error) {
      if (isUnreachable(error) || start === end) throw error
      width = (end - start + 1n) / 2n
      continue
    }
    for (const log of logs) {
      const event = decodeRegistryLog({ topics: log.topics as readonly Hex[], data: log.data })
      if (event === null || log.blockNumber === null) continue
      const block = log.blockNumber
      // Many nodes put the time into the log; for the others only events whose time counts cost a call.
      let time = Number((log as { blockTimestamp?: bigint | null }).blockTimestamp ?? times.get(block) ?? 0)
      if (time === 0 && (event.type === 'Killed' || event.type === 'ResumeRequested'))
        time = Number((await getBlock(client, { blockNumber: block })).timestamp)
      times.set(block, time)
      events.push({
        event,
        block,
        blockHash: log.blockHash as Hex,
        logIndex: log.logIndex as number,
        txHash: log.transactionHash as Hex,
        time,
      })
    }
    onProgress(end)
    start = end + 1n
  }
  return events
}
