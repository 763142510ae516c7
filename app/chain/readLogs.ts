import { type AbiEvent, type Client, type Hex, HttpRequestError, type Log, TimeoutError } from 'viem'
import { getLogs } from 'viem/actions'

/** Widest range that is asked for at once, in blocks; a node that finds it too wide gets halves. */
const widest = 50_000n

/** No answer at all, which no narrower range would mend. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof TimeoutError || (error instanceof HttpRequestError && error.status === undefined)

/** A log that is in a block. */
export type MinedLog = Log<bigint, number, false>

/**
 * The logs of some contracts in [from, to], in the order of the chain.
 * @param source without `events` all that they say
 * @param onLogs told of each range, with its last block, as it is read; waited for
 * @throws viem's errors when the node does not answer
 */
export async function readLogs(
  client: Client,
  source: { readonly address: Hex | Hex[]; readonly events?: readonly AbiEvent[] },
  from: bigint,
  to: bigint,
  onLogs: (logs: readonly MinedLog[], end: bigint) => Promise<void> | void,
): Promise<void> {
  let width = widest
  for (let start = from; start <= to; ) {
    const end = start + width - 1n < to ? start + width - 1n : to
    let logs: readonly Log[]
    try {
      logs = await getLogs(client, { ...source, fromBlock: start, toBlock: end } as Parameters<
        typeof getLogs
      >[1])
    } catch (error) {
      if (isUnreachable(error) || start === end) throw error
      width = (end - start + 1n) / 2n
      continue
    }
    await onLogs(
      logs.filter((log): log is MinedLog => log.blockNumber !== null),
      end,
    )
    start = end + 1n
  }
}
