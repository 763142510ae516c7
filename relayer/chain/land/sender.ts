import { encodeFunctionData, keccak256, parseEventLogs, type RpcLog, recoverAddress } from 'viem'
import type { Deployment } from '../../../protocol/deployment.ts'
import { killSwitchAbi } from '../../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../../protocol/hex.ts'
import { higherRank, Rank } from '../../../protocol/rank.ts'
import type { Clock } from '../../clock.ts'
import {
  type DueOrder,
  type LandingOutcome,
  landingGas,
  OrderNotLandedError,
  type OrderSender,
} from '../../kill/chainPort.ts'
import type { ChainLog } from '../chainLog.ts'
import { parseWei } from '../parseWei.ts'
import { parseQuantity } from '../rpc/rpcBlock.ts'
import { InconsistentRpcError } from '../rpc/rpcErrors.ts'
import type { RpcPool } from '../rpc/rpcPool.ts'
import { type BroadcastResult, broadcast } from './broadcast.ts'
import { type Fees, firstFees, largest, replacementFees } from './fees.ts'
import { decide, type Flight, newest, type SentTransaction } from './flight.ts'
import type { GasAccount } from './gasAccount.ts'
import { type GasPart, gasShares } from './gasShares.ts'
import { batchRoom, fillBatch, gasPerOrder, isTooDear, type ReadyOrder } from './landingBatch.ts'
import { type MinedCount, minedCount } from './minedCount.ts'
import { createOrderCheck, encodeLanding } from './orderCheck.ts'
import { rawTransaction } from './rawTransaction.ts'
import { refusalOf, revertOf } from './refusal.ts'

/** Tip where a node suggests none, in wei. */
const plainTip = 1_000_000_000n
/** How many rounds of orders are tried against the head in one step: a higher-ranked order waits for its end. */
const roundsPerStep = 4
/** How many of the last sent transactions a start looks for among the pending ones. */
const adoptable = 8
/** How often the fees are raised in one step to get past an unknown transaction with the same nonce: 1.125^24 = 17. */
const raisesPerStep = 24

type Head = { readonly number: number; readonly baseFee: bigint; readonly gasLimit: bigint }

const object = (what: string, value: unknown): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null) throw new InconsistentRpcError(`no ${what}`, value)
  return value as Readonly<Record<string, unknown>>
}

function parseHead(value: unknown): Head {
  const raw = object('block', value)
  return {
    number: parseQuantity('block number', raw.number),
    baseFee: raw.baseFeePerGas === undefined ? 0n : parseWei('base fee', raw.baseFeePerGas),
    gasLimit: parseWei('gas limit', raw.gasLimit),
  }
}

type Receipt = {
  readonly status: unknown
  readonly logs: readonly RpcLog[]
  readonly gasUsed: bigint | null
}

function parseReceipt(value: unknown): Receipt | null {
  if (value === null) return null
  const { status, logs, gasUsed } = object('receipt', value)
  if (!Array.isArray(logs) || !logs.every((one) => typeof one?.address === 'string'))
    throw new InconsistentRpcError('no logs of a receipt', logs)
  return { status, logs, gasUsed: gasUsed === undefined ? null : parseWei('gas used', gasUsed) }
}

/** Of two the higher: half of the answers or more have to be wrong to move it. */
const middle = <T extends number | bigint>(values: readonly T[]): T =>
  [...values].sort((a, b) => (a < b ? -1 : Number(a > b)))[Math.floor(values.length / 2)] as T

/** Each field for itself: a node that lies or lags with one moves none. */
const middleHead = (heads: readonly Head[]): Head => ({
  number: middle(heads.map(({ number }) => number)),
  baseFee: middle(heads.map(({ baseFee }) => baseFee)),
  gasLimit: middle(heads.map(({ gasLimit }) => gasLimit)),
})

/** Whether its signature is the authority's own: then the contract asks no wallet about it. */
const isPlain = async ({ digest, signature, order }: DueOrder): Promise<boolean> =>
  (await recoverAddress({ hash: digest, signature }).catch(() => null))?.toLowerCase() ===
  order.authority.toLowerCase()

const encodeBatch = (orders: readonly DueOrder[]): Hex =>
  orders.length === 1
    ? encodeLanding(orders[0] as DueOrder)
    : encodeFunctionData({
        abi: killSwitchAbi,
        functionName: 'landOrders',
        args: [orders.map(({ order }) => order), orders.map(({ signature }) => signature)],
      })

/**
 * Puts orders on chain with the relayer's gas key.
 *
 * Invariants (docs/protocol.md, Landing):
 * 1. Every transaction has the lowest nonce that is not mined, so none waits behind another; a new one replaces the last.
 * 2. What decides is asked of the chain anew in each step; what is remembered only saves questions. A restart, a reorg or
 *    another sender with the same orders therefore costs a try, never an order.
 */
export function createSender(options: {
  readonly pool: RpcPool
  readonly deployment: Deployment
  /** Pays the gas; has no power over any agent, and serves this relayer alone. */
  readonly account: GasAccount
  /** The most that is offered for a unit of gas, in wei. */
  readonly maxFee: bigint
  readonly clock: Clock
  readonly log: ChainLog
}): OrderSender {
  const { pool, deployment, account, maxFee: cap, clock, log } = options
  const check = createOrderCheck({ pool, deployment, from: account.address })
  let flight: Flight | null = null
  let counted: MinedCount | null = null
  /** Orders that the last mined transaction landed: if they are due again, a reorg took it back. */
  let landed: ReadonlySet<Hex> = new Set()
  let looked = false

  const ask = <T>(method: string, params: readonly unknown[], parse: (result: unknown) => T): Promise<T> =>
    pool.request({ method, params, parse })

  /** The answers of all nodes that answer; throws the last one's error where none does. */
  const askAll = async <T>(
    method: string,
    params: readonly unknown[],
    parse: (result: unknown) => T,
  ): Promise<readonly T[]> => {
    const all = await Promise.allSettled(
      pool.rpcs.map(async (rpc) => parse(await rpc.request(method, params))),
    )
    const answers = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (answers.length === 0) throw (all.at(-1) as PromiseRejectedResult).reason
    return answers
  }

  /** How many transactions are mined according to a receipt of the outstanding one; asked for where counts differ. */
  const provedCount = async (answers: readonly number[]): Promise<number> => {
    const held = flight
    if (held === null || new Set(answers).size === 1 || !answers.some((count) => count > held.nonce)) return 0
    const receipts = await Promise.all(
      held.versions.map(({ hash }) => askAll('eth_getTransactionReceipt', [hash], (result) => result)),
    ).catch(() => [])
    return receipts.flat().some((one) => one !== null) ? held.nonce + 1 : 0
  }

  const countMined = async (due: readonly DueOrder[]): Promise<number> => {
    const answers = await askAll('eth_getTransactionCount', [account.address, 'latest'], (count) =>
      parseQuantity('nonce', count),
    )
    const orphaned = due.some(({ digest }) => landed.has(digest))
    if (orphaned) landed = new Set()
    counted = minedCount(answers, await provedCount(answers), orphaned ? null : counted, clock.monotonic())
    return counted.count
  }

  /** After a restart: a transaction of before that still waits to be mined. */
  const findFlight = async (due: readonly DueOrder[], mined: number, head: Head): Promise<Flight | null> => {
    const hashes = [...new Set(due.flatMap(({ sentTx }) => (sentTx === null ? [] : [sentTx])))]
    for (const hash of hashes.slice(0, adoptable)) {
      const value = await ask('eth_getTransactionByHash', [hash], (result) => result)
      if (value === null) continue
      try {
        const { blockNumber, nonce, maxFeePerGas, maxPriorityFeePerGas, gas } = object('transaction', value)
        if (blockNumber != null || parseQuantity('nonce', nonce) !== mined) continue
        const raw = rawTransaction(value, hash)
        const digests = due.filter(({ sentTx }) => sentTx === hash).map(({ digest }) => digest)
        const fees = { maxFee: parseWei('fee', maxFeePerGas), tip: parseWei('tip', maxPriorityFeePerGas) }
        log.info({ txHash: hash, nonce: mined }, 'a transaction of before the start is still outstanding')
        return {
          nonce: mined,
          versions: [{ hash, raw, digests, orders: [], gas: parseWei('gas', gas), fees }],
          since: { block: head.number, monotonic: clock.monotonic() },
        }
      } catch (error) {
        // It is replaced then, like any other with its nonce.
        log.warn({ txHash: hash, error }, 'a transaction of before the start cannot be read')
      }
    }
    return null
  }

  const isKnown = async (hash: Hex): Promise<boolean> =>
    (await askAll('eth_getTransactionByHash', [hash], (result) => result !== null)).every((known) => known)

  /** What each order of a mined transaction is charged with. A node's word on it counts up to what was offered. */
  const sharesOf = async (
    version: SentTransaction,
    gasUsed: bigint | null,
  ): Promise<ReadonlyMap<Hex, number>> => {
    const known = new Map(version.orders.map((order) => [order.due.digest, order]))
    const parts = await Promise.all(
      version.digests.map(async (digest): Promise<GasPart> => {
        const order = known.get(digest)
        if (order === undefined) return { digest, gas: landingGas, plain: false }
        return { digest, gas: Number(order.gas), plain: await isPlain(order.due) }
      }),
    )
    const expected = parts.reduce((sum, { gas }) => sum + gas, 0)
    return gasShares(Math.min(Number(gasUsed ?? expected), Number(version.gas)), parts)
  }

  /** What the mined transaction did to its orders. Without its receipt nothing is said: the next check finds out. */
  const settle = async (mined: Flight): Promise<readonly LandingOutcome[]> => {
    for (const version of [...mined.versions].reverse()) {
      const { hash, digests } = version
      const receipts = (await askAll('eth_getTransactionReceipt', [hash], parseReceipt)).flatMap(
        (one) => one ?? [],
      )
      const succeeded = receipts.filter(({ status }) => status === '0x1')
      const receipt = succeeded.length * 2 >= receipts.length ? succeeded[0] : receipts[0]
      if (receipt === undefined) continue
      const { status, logs, gasUsed } = receipt
      const shares = await sharesOf(version, gasUsed)
      const gasOf = (digest: Hex) => ({ gas: shares.get(digest) ?? landingGas })
      const failed = (digest: Hex, error: OrderNotLandedError): LandingOutcome => {
        log.warn({ digest, txHash: hash, error: error.message }, 'an order was mined in vain')
        return { type: 'failed', digest, error, spent: true, ...gasOf(digest) }
      }
      if (status !== '0x1') {
        return digests.map((digest) =>
          failed(
            digest,
            new OrderNotLandedError(
              digest,
              null,
              true,
              `its transaction ${hash} reverted; it is tried again`,
            ),
          ),
        )
      }
      const events = parseEventLogs({
        abi: killSwitchAbi,
        eventName: ['OrderLanded', 'OrderRefused'],
        logs: logs.filter((one) => one.address.toLowerCase() === deployment.contract),
      })
      const outcomes = events
        .filter(({ args }) => digests.includes(args.orderDigest))
        .map(({ eventName, args }): LandingOutcome => {
          const { orderDigest: digest } = args
          if (eventName === 'OrderLanded') return { type: 'landed', digest, ...gasOf(digest) }
          const refusal = refusalOf(digest, revertOf(args.refusal))
          return failed(digest, new OrderNotLandedError(digest, refusal.revert, true, refusal.why))
        })
      landed = new Set(outcomes.filter(({ type }) => type === 'landed').map(({ digest }) => digest))
      log.info(
        { txHash: hash, nonce: mined.nonce, landed: landed.size, orders: digests.length },
        'orders mined',
      )
      return outcomes
    }
    return []
  }

  /** Tries the first orders against the head; fills `outcomes` with those that are not to be sent. */
  const checkOrders = async (
    due: readonly DueOrder[],
    most: number,
    outcomes: LandingOutcome[],
  ): Promise<readonly ReadyOrder[]> => {
    const ready: ReadyOrder[] = []
    for (let round = 0; round < roundsPerStep && ready.length < most; round += 1) {
      const orders = due.slice(round * most, (round + 1) * most)
      const verdicts = await Promise.allSettled(orders.map(check))
      verdicts.forEach((verdict, index) => {
        const order = orders[index] as DueOrder
        const { digest, rank } = order
        const fail = (error: OrderNotLandedError) =>
          outcomes.push({ type: 'failed', digest, error, spent: false })
        if (verdict.status === 'rejected') fail(unanswered(digest, verdict.reason, true))
        else if (verdict.value.type === 'landed') outcomes.push({ type: 'landed', digest })
        else if (verdict.value.type === 'refused') fail(verdict.value.error)
        else if (isTooDear(rank, verdict.value.gas)) fail(tooDear(digest, verdict.value.gas))
        else ready.push({ due: order, gas: verdict.value.gas })
      })
    }
    return ready
  }

  const carriedRank = (held: Flight, orders: readonly DueOrder[], carried: boolean): Rank =>
    orders
      .filter(({ digest }) => newest(held).digests.includes(digest) === carried)
      .reduce<Rank>((highest, { rank }) => higherRank(highest, rank), Rank.None)

  const sendAgain = async (held: Flight): Promise<void> => {
    const { hash, raw } = newest(held)
    const result = await broadcast(pool, raw)
    log.warn(
      { txHash: hash, nonce: held.nonce, result: result.type },
      'a node dropped the transaction; sent again',
    )
  }

  /** Sends the best batch of the ready orders, in the place of the outstanding transaction if there is one. */
  const send = async (
    ready: readonly ReadyOrder[],
    head: Head,
    nonce: number,
    outcomes: LandingOutcome[],
  ): Promise<void> => {
    const held = flight
    const isCarried = ({ due }: ReadyOrder) => held !== null && newest(held).digests.includes(due.digest)
    const fail = (why: string, cause?: unknown) => {
      log.error({ nonce, orders: ready.length, cause }, why)
      for (const order of ready) {
        if (isCarried(order)) continue
        const { digest } = order.due
        outcomes.push({
          type: 'failed',
          digest,
          error: new OrderNotLandedError(digest, null, false, why, cause),
          spent: false,
        })
      }
    }
    const [tips, balances] = await Promise.all([
      askAll('eth_maxPriorityFeePerGas', [], (result) => parseWei('tip', result)).catch(() => [plainTip]),
      askAll('eth_getBalance', [account.address, 'latest'], (result) => parseWei('balance', result)),
    ])
    const tip = middle(tips)
    // Whether the key can pay says the broadcast; a node that tells of too little must not keep orders off the chain.
    const balance = balances.reduce(largest)
    const fresh = firstFees(head.baseFee, tip, cap)
    let fees: Fees | null = held === null ? fresh : replacementFees(newest(held).fees, fresh, cap)
    if (fees === null) {
      log.error(
        { nonce, maxFee: String(cap) },
        'the outstanding transaction is stuck at the highest fee allowed',
      )
      const why = `the chain asks more than ${cap} wei for a unit of gas, the most that this relayer may offer; it waits until it is cheaper`
      for (const { due } of ready) outcomes.push({ type: 'waits', digest: due.digest, why })
      if (held !== null) await sendAgain(held)
      return
    }
    let result: BroadcastResult = { type: 'underpriced' }
    for (
      let raises = 0;
      raises < raisesPerStep && result.type === 'underpriced' && fees !== null;
      raises += 1
    ) {
      const batch = fillBatch(ready, batchRoom(head.gasLimit), balance / (fees.maxFee || 1n), encodeBatch)
      if (batch === null) {
        result = { type: 'cannot pay' }
        break
      }
      const raw = await account.signTransaction({
        type: 'eip1559',
        chainId: deployment.chainId,
        to: deployment.contract,
        data: batch.data,
        nonce,
        gas: batch.gas,
        maxFeePerGas: fees.maxFee,
        maxPriorityFeePerGas: fees.tip,
      })
      result = await broadcast(pool, raw)
      if (result.type === 'accepted') {
        const hash = keccak256(raw)
        const digests = batch.orders.map(({ due }) => due.digest)
        flight = {
          nonce,
          versions: [
            ...(held?.versions ?? []),
            { hash, raw, digests, orders: batch.orders, gas: batch.gas, fees },
          ],
          since: { block: head.number, monotonic: clock.monotonic() },
        }
        for (const { due, gas } of batch.orders)
          outcomes.push({ type: 'sent', digest: due.digest, txHash: hash, gas: Number(gas) })
        log.info(
          {
            txHash: hash,
            nonce,
            orders: digests.length,
            maxFee: String(fees.maxFee),
            replaces: held?.versions.length ?? 0,
          },
          'orders sent',
        )
        return
      }
      if (result.type === 'underpriced') fees = replacementFees(fees, fees, cap)
    }
    if (result.type === 'underpriced')
      fail(
        `a transaction with the gas key's nonce ${nonce} offers too much to be replaced; it is tried again`,
      )
    if (result.type === 'cannot pay') fail(`the gas key ${account.address} cannot pay; send it funds`)
    if (result.type === 'refused') fail(`no node took it (${result.why}); it is tried again`, result.cause)
    if (result.type === 'unanswered')
      fail(`no node answered (${result.why}); it is tried again`, result.cause)
    // The node that was asked for the count lags behind; the next step counts anew.
    if (result.type === 'nonce too low') log.warn({ nonce }, 'the nonce was mined meanwhile')
  }

  const step = async (due: readonly DueOrder[], outcomes: LandingOutcome[]): Promise<void> => {
    const [heads, mined] = await Promise.all([
      askAll('eth_getBlockByNumber', ['latest', false], parseHead),
      countMined(due),
    ])
    const head = middleHead(heads)
    if (!looked) {
      flight = await findFlight(due, mined, head)
      looked = true
    }
    let known = true
    const decideNow = (held: Flight, orders: readonly DueOrder[]) =>
      decide(held, {
        mined,
        head,
        known,
        carried: carriedRank(held, orders, true),
        waiting: carriedRank(held, orders, false),
        now: clock.monotonic(),
      })
    if (flight !== null) {
      known = mined !== flight.nonce || (await isKnown(newest(flight).hash))
      const decision = decideNow(flight, due)
      if (decision === 'wait') return
      if (decision === 'rebroadcast') return sendAgain(flight)
      if (decision === 'mined') outcomes.push(...(await settle(flight)))
      if (decision !== 'replace') flight = null
    }
    const settled = new Set(outcomes.map(({ digest }) => digest))
    const open = due.filter(({ digest }) => !settled.has(digest))
    const most = Math.max(1, Number(batchRoom(head.gasLimit) / gasPerOrder))
    const ready = await checkOrders(open, most, outcomes)
    // Those that were to replace it may have turned out to be refused.
    const decision =
      flight === null
        ? 'replace'
        : decideNow(
            flight,
            ready.map(({ due: order }) => order),
          )
    if (ready.length > 0 && decision === 'replace') await send(ready, head, mined, outcomes)
  }

  return {
    async step(due) {
      if (due.length === 0 && flight === null) return []
      const outcomes: LandingOutcome[] = []
      try {
        await step(due, outcomes)
      } catch (error) {
        log.warn({ error }, 'no node answered the sender')
        const held = new Set([
          ...(flight === null ? [] : newest(flight).digests),
          ...outcomes.map((o) => o.digest),
        ])
        for (const { digest } of due)
          if (!held.has(digest))
            outcomes.push({ type: 'failed', digest, error: unanswered(digest, error, false), spent: false })
      }
      return outcomes
    },
  }
}

const unanswered = (digest: Hex, cause: unknown, ofOrder: boolean): OrderNotLandedError =>
  new OrderNotLandedError(
    digest,
    null,
    ofOrder,
    `no node answered (${cause instanceof Error ? cause.message : String(cause)}); it is tried again`,
    cause,
  )

const tooDear = (digest: Hex, gas: bigint): OrderNotLandedError =>
  new OrderNotLandedError(
    digest,
    null,
    true,
    `it takes ${gas} gas, more than a relayer pays for; land it by a transaction of your own`,
  )
