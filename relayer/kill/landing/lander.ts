import type { Hex } from '../../../protocol/hex.ts'
import type { Registry } from '../../../protocol/registry.ts'
import type { Scope } from '../../../protocol/scope.ts'
import type { Clock } from '../../clock.ts'
import {
  type DueOrder,
  type LandingOutcome,
  landingGas,
  type OrderSender,
  type SignedOrder,
} from '../chainPort.ts'
import { isOpen, type KillRecord, type StoredOrder } from '../record.ts'
import { createGasBudget } from './gasBudget.ts'
import { type OwedOrder, planLanding } from './landingPlan.ts'
import { payerOf } from './payer.ts'

export type Lander = {
  /** Takes a new order, or one whose landing a reorg took back: it goes with the next transaction. */
  land(kill: KillRecord): void
  /** Goes on with what has not landed: called at start and from time to time. */
  retry(): void
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  stop(): Promise<void>
}

/** How long an order is left alone after a first try that failed, or once a node says that it has landed, in ms. */
export const patience = 15_000
/**
 * Every refusal in a row doubles the patience up to this, in ms. No refusal is for good: RPCs may be wrong, or lie, and
 * only the deadline is known for sure.
 */
export const longestPatience = 600_000
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
  /** The transaction with which a reorg last took its landing back. */
  readonly orphanedTx: Hex | null
  /** How often it could not be sent for a reason of its own. */
  readonly failures: number
  /** How often it was mined in vain. */
  readonly vainTries: number
  /** Its deadline has passed. */
  readonly expired: boolean
}

const untried: Progress = {
  notBefore: Number.NEGATIVE_INFINITY,
  orphanedTx: null,
  failures: 0,
  vainTries: 0,
  expired: false,
}

const begun = (kill: KillRecord): Progress => ({
  ...untried,
  orphanedTx: kill.orphaned?.txHash ?? null,
})

/** How many charges are kept to be corrected by what is mined. */
const keptCharges = 10_000
/** Key of the bucket that all wallets share. */
const everybody = 'all'

const isOwed = (kill: KillRecord): boolean => kill.order !== null && isOpen(kill) && kill.landing === null

/**
 * Sees to it that accepted orders land, by rank, within each wallet's gas budget, until they have landed or their
 * deadline has passed. Why one has not landed is noted on its kill.
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
  /** How many landings' gas one wallet may use per hour. */
  readonly gasBudget: number
  /** How many landings' gas all orders below Council rank may use per hour together. */
  readonly gasCeiling: number
  /** Told of what nobody foresaw; the next step tries again. Must not throw. */
  readonly onError: (error: unknown) => void
  readonly clock: Clock
}): Lander {
  const { sender, registry, noteSent, gasBudget, gasCeiling, clock } = options
  const budget = createGasBudget(gasBudget * landingGas)
  const ceiling = createGasBudget(gasCeiling * landingGas)
  /** By digest, oldest first: who was charged how much for an order that was sent. */
  const charges = new Map<Hex, { readonly payer: Hex; readonly gas: number }>()
  const owed = new Map<string, Progress>()
  let work: Promise<void> | null = null
  let again = false
  let stopped = false

  // What was sent before the start draws on the budget as it did then.
  for (const kill of [...options.kills()].reverse()) {
    if (kill.order === null || kill.sentTx === null) continue
    const payer = payerOf(registry, kill)
    const age = Math.max(0, clock.wall() - (kill.onChain ?? kill.seen).at)
    if (payer !== null && age < 3_600_000)
      charge(kill.order.digest, payer, landingGas, clock.monotonic() - age)
  }

  const change = (id: string, fields: Partial<Progress>) =>
    void owed.set(id, { ...(owed.get(id) ?? untried), ...fields })

  /** Audited, and shown on the kill; once per reason. */
  const noteError = async (id: string, error: string): Promise<void> => {
    // The store's refusal must not end the work; the order stays open and is sent again.
    if (options.kill(id)?.sendError !== error) await noteSent(id, { error }).catch(() => undefined)
  }

  /** Charges what an order is known to take instead of what it was charged before. */
  function charge(digest: Hex, payer: Hex, gas: number, now: number): void {
    const more = gas - (charges.get(digest)?.gas ?? 0)
    budget.spend(payer, more, now)
    ceiling.spend(everybody, more, now)
    charges.set(digest, { payer, gas })
    for (const oldest of charges.keys()) {
      if (charges.size <= keptCharges) break
      charges.delete(oldest)
    }
  }

  /** What was mined is charged by what it took, also for an order that the follower has seen land before. */
  const correct = (outcome: LandingOutcome): void => {
    const charged = charges.get(outcome.digest)
    if (charged === undefined || outcome.type === 'sent' || outcome.type === 'waits') return
    if (outcome.gas !== undefined) charge(outcome.digest, charged.payer, outcome.gas, clock.monotonic())
    // The next try is paid for anew.
    if (outcome.type === 'failed' && outcome.spent) charges.delete(outcome.digest)
  }

  const take = async (kill: KillRecord, payer: Hex | null, outcome: LandingOutcome): Promise<void> => {
    const { id } = kill
    const progress = owed.get(id) ?? untried
    if (outcome.type === 'sent') {
      if (payer !== null && !charges.has(outcome.digest))
        charge(outcome.digest, payer, outcome.gas ?? landingGas, clock.monotonic())
      await noteSent(id, { txHash: outcome.txHash }).catch(() => undefined)
    } else if (outcome.type === 'landed') {
      change(id, { notBefore: clock.monotonic() + patience })
    } else if (outcome.type === 'waits') {
      await noteError(id, outcome.why)
    } else {
      const { error, spent } = outcome
      const vainTries = progress.vainTries + Number(spent)
      const failures = progress.failures + Number(error.ofOrder && !spent)
      const refusal = Math.min(longestPatience, patience * 2 ** Math.max(0, failures - 1))
      change(id, {
        notBefore: clock.monotonic() + Math.max(refusal, patience * vainFactor ** vainTries),
        failures,
        vainTries,
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
      if (progress.expired || progress.notBefore > now) continue
      if (Number(kill.order?.message.deadline) * 1000 < clock.wall()) {
        change(id, { expired: true })
        await noteError(id, 'its deadline passed before it landed; it stays enforced here, sign a new order')
        continue
      }
      const charged = charges.has(kill.order?.digest as Hex)
      candidates.push({ kill, payer: payerOf(registry, kill), charged, failures: progress.failures })
    }
    const plan = planLanding(candidates, {
      ofPayer: (payer) => budget.available(payer, now),
      ofAll: ceiling.available(everybody, now),
    })
    const waits = [
      ...plan.overBudget.map(({ kill, payer }) =>
        noteError(
          kill.id,
          `it is enforced, and waits to land: ${payer} has used up its gas budget of ${gasBudget} landings an hour`,
        ),
      ),
      ...plan.overCeiling.map(({ kill }) =>
        noteError(
          kill.id,
          `it is enforced, and waits to land: this relayer's gas for ${gasCeiling} landings an hour of all wallets is used up`,
        ),
      ),
    ]
    const due = new Map(
      plan.due.map((order) => {
        const signed = signedOrderOf(order.kill.order as StoredOrder)
        return [signed.digest, { ...order, signed }]
      }),
    )
    const orders = [...due.values()].map(
      ({ kill, signed }): DueOrder => ({ ...signed, rank: kill.rank, sentTx: kill.sentTx }),
    )
    const outcomes = await sender.step(orders)
    for (const outcome of outcomes) correct(outcome)
    // Noted at once, for one commit to hold all of them.
    await Promise.all([
      ...waits,
      ...outcomes.map((outcome) => {
        const order = due.get(outcome.digest)
        return order === undefined ? undefined : take(order.kill, order.payer, outcome)
      }),
    ])
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
      else change(kill.id, { orphanedTx, notBefore, failures: 0 })
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
