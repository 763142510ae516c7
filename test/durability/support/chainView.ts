import assert from 'node:assert/strict'
import type { Hex } from '../../../protocol/hex.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../../protocol/registry.ts'
import { decodeRegistryLog } from '../../../protocol/registryLog.ts'
import type { StoreView } from './storeView.ts'

/** Asks a node by JSON-RPC. */
export async function rpc<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = (await answer.json()) as { result: T; error?: { message: string } }
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}

type RawLog = {
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly blockHash: Hex
  readonly blockNumber: Hex
  readonly logIndex: Hex
}
export type ChainLog = {
  readonly event: RegistryEvent
  readonly blockHash: Hex
  readonly number: number
  readonly logIndex: number
}

const quantity = (number: number): Hex => `0x${number.toString(16)}`

/** The contract's canonical events, read without anything of the follower. */
export function createChainView(url: string, contract: Hex) {
  const times = new Map<Hex, number>()
  const timeOf = async (hash: Hex): Promise<number> => {
    const known = times.get(hash)
    if (known !== undefined) return known
    const block = await rpc<{ timestamp: Hex }>(url, 'eth_getBlockByHash', [hash, false])
    times.set(hash, Number(block.timestamp))
    return Number(block.timestamp)
  }
  const logs = async (): Promise<readonly ChainLog[]> => {
    const raw = await rpc<readonly RawLog[]>(url, 'eth_getLogs', [
      { address: contract, fromBlock: '0x0', toBlock: 'latest' },
    ])
    return raw.flatMap((log) => {
      const event = decodeRegistryLog(log)
      if (event === null) return []
      return [
        {
          event,
          blockHash: log.blockHash,
          number: Number(log.blockNumber),
          logIndex: Number(log.logIndex),
        },
      ]
    })
  }

  return {
    logs,

    /**
     * Holds a store to the chain: the registry is what a fresh reading of the events gives, and every kill in a block
     * that the cursor has passed is there, once, whatever brought it.
     */
    async check({ history, kills }: StoreView): Promise<void> {
      const grantPoint = history.blocks[0]
      const tip = history.blocks.at(-1)
      if (grantPoint === undefined || tip === undefined) return
      const all = await logs()
      // A crash between the two calls of a back-fill leaves kills that the start settles.
      const linked = history.blocks.every(
        (block, i) => i === 0 || block.parentHash === history.blocks[i - 1]?.hash,
      )
      if (linked) {
        const registry = createRegistry()
        for (const { event, blockHash, number } of all)
          if (number <= grantPoint.number) applyRegistryEvent(registry, event, await timeOf(blockHash))
        assert.deepEqual(history.registry, registry, 'the registry is what the events say')
      }
      const canonical = await rpc<{ hash: Hex } | null>(url, 'eth_getBlockByNumber', [
        quantity(tip.number),
        false,
      ])
      // A reorg came in between; the chain may even be shorter for a moment.
      if (canonical?.hash !== tip.hash) return
      const landed = new Set(
        [...kills.values()].map(({ landing }) => `${landing?.blockHash}:${landing?.logIndex}`),
      )
      for (const { event, number, blockHash, logIndex } of all) {
        if (event.type === 'Killed' && number <= tip.number)
          assert.ok(
            landed.has(`${blockHash}:${logIndex}`),
            `the kill in block ${number} is lost: the cursor has passed it`,
          )
      }
    },
  }
}
