import type { Hex } from '../../protocol/hex.ts'
import {
  applyRegistryEvent,
  copyRegistry,
  createRegistry,
  type MutableRegistry,
  type Registry,
  type RegistryEvent,
} from '../../protocol/registry.ts'

/** An event of the contract with its place in the chain; `time` in Unix seconds, 0 where nobody asked for it. */
export type ChainEvent = {
  readonly event: RegistryEvent
  readonly block: bigint
  readonly blockHash: Hex
  readonly logIndex: number
  readonly txHash: Hex
  readonly time: number
}

/** What the logs say up to some block. */
export type Fold = { readonly registry: Registry; readonly events: readonly ChainEvent[] }
export type MutableFold = { readonly registry: MutableRegistry; readonly events: ChainEvent[] }

export const emptyFold = (): MutableFold => ({ registry: createRegistry(), events: [] })

/** A copy that can be advanced while the original stays. */
export const copyFold = ({ registry, events }: Fold): MutableFold => ({
  registry: copyRegistry(registry),
  events: [...events],
})

/** Advances a fold in the order of the chain. @throws RegistryGapError */
export function advanceFold(fold: MutableFold, events: readonly ChainEvent[]): void {
  for (const one of events) {
    applyRegistryEvent(fold.registry, one.event, one.time)
    fold.events.push(one)
  }
}
