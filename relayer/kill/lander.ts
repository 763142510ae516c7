import type { Hex } from '../../protocol/hex.ts'
import type { Scope } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { OrderSender, SignedOrder } from './chainPort.ts'
import { isOpen, type KillRecord, type StoredOrder } from './record.ts'

export type Lander = {
  /** Puts an order on chain; called for each new order, and at start for each that has not landed. */
  land(kill: KillRecord): void
  /** Sends again what has not landed. */
  retry(): void
  stop(): Promise<void>
}

/** How long a sent transaction may take before the order is sent again, in ms. */
const patience = 15_000

export const signedOrderOf = ({ digest, signature, message }: StoredOrder): SignedOrder => ({
  digest,
  signature,
  order: {
    ...message,
    scope: message.scope as Scope,
    issuedAt: BigInt(message.issuedAt),
    deadline: BigInt(message.deadline),
    nonce: BigInt(message.nonce),
  },
})

/** Sends accepted orders to the chain, one after the other, until they have landed or their deadline has passed. */
export function createLander(options: {
  readonly sender: OrderSender
  readonly kills: () => readonly KillRecord[]
  readonly kill: (id: string) => KillRecord | undefined
  readonly noteSent: (
    killId: string,
    sent: { readonly txHash: Hex } | { readonly error: string },
  ) => Promise<void>
  readonly clock: Clock
}): Lander {
  const { sender, kills, noteSent, clock } = options
  const tried = new Map<string, number>()
  const queued = new Set<string>()
  /** Orders that the contract refuses for good. */
  const refused = new Set<string>()
  let work: Promise<void> = Promise.resolve()
  let stopped = false

  const send = async (id: string): Promise<void> => {
    queued.delete(id)
    // Read again: it may have landed, or been withdrawn, while it waited.
    const kill = options.kill(id)
    if (stopped || kill === undefined || kill.order === null || !isOpen(kill) || kill.landing !== null) return
    let sent: { readonly txHash: Hex } | { readonly error: string }
    try {
      sent = { txHash: (await sender.send(signedOrderOf(kill.order))).txHash }
    } catch (error) {
      if ((error as { retryable?: boolean }).retryable === false) refused.add(id)
      sent = { error: error instanceof Error ? error.message : String(error) }
    }
    // The store's refusal must not end the queue; the order stays open and is sent again.
    await noteSent(kill.id, sent).catch(() => undefined)
  }

  const land = (kill: KillRecord): void => {
    if (kill.order === null || !isOpen(kill) || kill.landing !== null) return
    if (Number(kill.order.message.deadline) * 1000 < clock.wall()) return
    if (queued.has(kill.id) || refused.has(kill.id)) return
    queued.add(kill.id)
    tried.set(kill.id, clock.monotonic())
    work = work.then(() => send(kill.id))
  }

  return {
    land,
    retry() {
      for (const kill of kills()) {
        if (clock.monotonic() - (tried.get(kill.id) ?? Number.NEGATIVE_INFINITY) > patience) land(kill)
      }
    },
    async stop() {
      stopped = true
      await work
    },
  }
}
