import type { Client, Hex } from 'viem'
import { getBlock } from 'viem/actions'
import { decodeRegistryLog } from '../../protocol/registryLog.ts'
import { inTurns, pause } from '../turns.ts'
import { readLogs } from './readLogs.ts'
import type { ChainEvent } from './registryFold.ts'

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
  const mayPause = inTurns()
  await readLogs(client, { address: contract }, from, to, async (logs, end) => {
    for (const log of logs) {
      await mayPause()
      const event = decodeRegistryLog({ topics: log.topics, data: log.data })
      if (event === null) continue
      const { blockNumber: block, blockHash, logIndex, transactionHash: txHash } = log
      // Many nodes put the time into the log; for the others only events whose time counts cost a call.
      let time = Number(log.blockTimestamp ?? times.get(block) ?? 0)
      if (time === 0 && (event.type === 'Killed' || event.type === 'ResumeRequested'))
        time = Number((await getBlock(client, { blockNumber: block })).timestamp)
      times.set(block, time)
      events.push({ event, block, blockHash, logIndex, txHash, time })
    }
    // Whoever draws it does so in a turn of its own.
    await pause()
    onProgress(end)
  })
  return events
}
