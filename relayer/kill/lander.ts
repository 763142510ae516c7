import type { Hex } from '../../protocol/hex.ts'
import type { Registry } from '../../protocol/registry.ts'
import type { Scope } from '../../protocol/scope.ts'
import type { Clock } from '../clock.ts'
import type { DueOrder, LandingOutcome, OrderSender, SignedOrder } from './chainPort.ts'
import { createGasBudget } from './gasBudget.ts'
import { type OwedOrder, planLanding } from './landingPlan.ts'
import { payerOf } from './payer.ts'
import { isOpen, type KillRecord, type StoredOrder } from './record.ts'

export type Lander = {
  /** Takes a new order, or one whose landing a reorg took back: it goes with the next transaction. */
  land(kill: KillRecord): void
  /** Goes on with what has not landed: called at start and from time to time. */
  retry(): void
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** How long an order is left alone after a try that may succeed later, or once a node says that it has landed, in ms. */
export const patience = 15_000
/**
 * After each mined transaction that carried an order in vain it is left alone this many times longer: its signer's wallet
 * may say one thing when asked and do another when mined. At most eight tries within the longest life of an order.
 */
export const vainFactor = 4

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

/** Where the landing of an order stands, beyond what its kill's record says. */
type Progress = {
  /** Monotonic ms. */
  readonly notBefore: number
  readonly charged: boolean
  /** The transaction with which a reorg last took its landing back. */
  readonly orphanedTx: Hex | null
  readonly vainTries: number
  /** It will not land any more, whatever is done. */
  readonly refused: boolean
}

const untried: Progress = {
  notBefore: Number.NEGATIVE_INFINITY,
  charged: false,
  orphanedTx: null,
  vainTries: 0,
  refused: false,
}

const begun = (kill: KillRecord): Progress => ({
  ...untried,
  charged: kill.sentTx !== null,
  orphanedTx: kill.orphaned?.txHash ?? null,
})

const isOwed = (kill: KillRecord): boolean => kill.order !== null && isOpen(kill) && kill.landing === null

/**
 * Sees to it that accepted orders land, by rank, within each wallet's gas budget, until they have landed, their
 * deadline has passed or the contract refuses them for good. Why one has not landed is noted on its kill.
 */
export function createLander(options: {
  readonly sender: OrderSender
  readonly registry: Registry
  readonly kills: () => readonly KillRecord[]
  readonly kill: (id: string) => KillRecord | undefined
  readonly noteSent: (
    killId: string,
    sent: { readonly txHash: Hex } | { readonly error: string },
  ) => Promise<void>
  /** Landings per hour that one wallet may use the relayer's gas for. */
  readonly gasBudget: number
  /** Told of what nobody foresaw; the next step tries again. Must not throw. */
  readonly onError: (error: unknown) => void
  readonly clock: Clock
}): Lander {
  const { sender, registry, noteSent, gasBudget, clock } = options
  const budget = createGasBudget(gasBudget)
  const owed = new Map<string, Progress>()
  let work: Promise<void> | null = null
  let again = false
  let stopped = false

  // What was sent before the start draws on the budget as it did then.
  for (const kill of [...options.kills()].reverse()) {
    if (kill.order === null || kill.sentTx === null) continue
    const payer = payerOf(registry, kill)
    const age = Math.max(0, clock.wall() - (kill.onChain ?? kill.seen).at)
    if (payer !== null && age < 3_600_000) budget.spend(payer, clock.monotonic() - age)
  }

  const change = (id: string, fields: Partial<Progress>) =>
    void owed.set(id, { ...(owed.get(id) ?? untried), ...fields })

  /** Audited, and shown on the kill; once per reason. */
  const noteError = async (id: string, error: string): Promise<void> => {
    // The store's refusal must not end the work; the order stays open and is sent again.
    if (options.kill(id)?.sendError !== error) await noteSent(id, { error }).catch(() => undefined)
  }

  const take = async (kill: KillRecord, payer: Hex | null, outcome: LandingOutcome): Promise<void> => {
    const { id } = kill
    const progress = owed.get(id) ?? untried
    if (outcome.type === 'sent') {
      if (payer !== null && !progress.charged) budget.spend(payer, clock.monotonic())
      change(id, { charged: true })
      await noteSent(id, { txHash: outcome.txHash }).catch(() => undefined)
    } else if (outcome.type === 'landed') {
      change(id, { notBefore: clock.monotonic() + patience })
    } else {
      const { error, spent } = outcome
      const vainTries = progress.vainTries + Number(spent)
      change(id, {
        notBefore: clock.monotonic() + patience * vainFactor ** vainTries,
        vainTries,
        charged: progress.charged && !spent,
        refused: !error.retryable,
      })
      await noteError(id, error.message)
    }
  }

  const step = async (): Promise<void> => {
    const now = clock.monotonic()
    const candidates: OwedOrder[] = []
    for (const [id, progress] of owed) {
      // Read again: it may have landed, or been withdrawn, meanwhile.
      const kill = options.kill(id)
      if (kill === undefined || !isOwed(kill)) {
        owed.delete(id)
        continue
      }
      if (progress.refused || progress.notBefore > now) continue
      if (Number(kill.order?.message.deadline) * 1000 < clock.wall()) {
        change(id, { refused: true })
        await noteError(id, 'its deadline passed before it landed; it stays enforced here, sign a new order')
        continue
      }
      candidates.push({ kill, payer: payerOf(registry, kill), charged: progress.charged })
    }
    const plan = planLanding(candidates, (payer) => budget.available(payer, now))
    for (const { kill, payer } of plan.overBudget) {
      await noteError(
        kill.id,
        `it is enforced, and waits to land: ${payer} has used up its gas budget of ${gasBudget} landings an hour`,
      )
    }
    const due = new Map(
      plan.due.map((order) => {
        const signed = signedOrderOf(order.kill.order as StoredOrder)
        return [signed.digest, { ...order, signed }]
      }),
    )
    const orders = [...due.values()].map(
      ({ kill, signed }): DueOrder => ({ ...signed, rank: kill.rank, sentTx: kill.sentTx }),
    )
    for (const outcome of await sender.step(orders)) {
      const order = due.get(outcome.digest)
      if (order !== undefined) await take(order.kill, order.payer, outcome)
    }
  }

  const run = (): void => {
    again = true
    work ??= (async () => {
      while (again && !stopped) {
        again = false
        await step().catch(options.onError)
      }
      work = null
    })()
  }

  return {
    land(kill) {
      if (!isOwed(kill)) return
      const { orphanedTx, notBefore } = begun(kill)
      const known = owed.get(kill.id)
      if (known === undefined) owed.set(kill.id, begun(kill))
      else if (known.orphanedTx === orphanedTx) return
      else change(kill.id, { orphanedTx, notBefore })
      run()
    },
    retry() {
      for (const kill of options.kills())
        if (isOwed(kill) && !owed.has(kill.id)) owed.set(kill.id, begun(kill))
      run()
    },
    async idle() {
      await work
    },
    async stop() {
      stopped = true
      await work
    },
  }
}
