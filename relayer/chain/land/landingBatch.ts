import { hexToBytes } from 'viem'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import type { DueOrder } from '../../kill/chainPort.ts'
import { largest, least } from './fees.ts'

/** An order that would land now, and what `killBySig` of it alone takes. */
export type ReadyOrder = { readonly due: DueOrder; readonly gas: bigint }

/** Gas with which `landOrders` cannot run short for one order whatever it does; what is not used is not paid. */
export const gasPerOrder = 530_000n
/** Gas below which no order lands, whatever a node says. */
export const leastGas = 120_000n
/** Gas that one order has inside a batch (`ORDER_GAS` of the contract). */
export const orderGas = 500_000n
/** EIP-7825. */
const maxTransactionGas = 16_777_216n
/** The most that a batch may take of a block: one that asks for more waits longer for its place. */
const blockShare = 4n
/** Bytes of calldata: nodes take transactions of up to 128 KiB. */
const maxCalldata = 96 * 1024

/** Gas of a transaction before its execution, with the floor of EIP-7623 for calldata. */
export function intrinsicGas(data: Hex): bigint {
  const bytes = hexToBytes(data)
  const zeros = bytes.filter((byte) => byte === 0).length
  return 21_000n + BigInt(10 * zeros + 40 * (bytes.length - zeros))
}

/** The most gas that a batch may ask for. */
export const batchRoom = (blockGasLimit: bigint): bigint => {
  const share = blockGasLimit / blockShare
  return share < maxTransactionGas ? share : maxTransactionGas
}

/** Whether the order is too dear for a batch: then it lands alone. */
const landsAlone = ({ gas }: ReadyOrder): boolean => gas > orderGas

/**
 * Who asks for more than an order's share burns the relayer's gas, unless he has power over all agents.
 */
export const isTooDear = (rank: Rank, gas: bigint): boolean => gas > orderGas && rank < Rank.Council

export type Batch = { readonly orders: readonly ReadyOrder[]; readonly data: Hex; readonly gas: bigint }

/**
 * The largest batch of the first orders, in their order, that has room; null if not even the first is affordable.
 * @param affordable gas that the balance pays at the offered fee
 */
export function fillBatch(
  ready: readonly ReadyOrder[],
  room: bigint,
  affordable: bigint,
  encode: (orders: readonly DueOrder[]) => Hex,
): Batch | null {
  const alone = ready.findIndex(landsAlone)
  const most = alone === -1 ? ready.length : Math.max(alone, 1)
  for (let count = most; count > 1; count -= 1) {
    if (gasPerOrder * BigInt(count) > room) continue
    const orders = ready.slice(0, count)
    const data = encode(orders.map(({ due }) => due))
    const gas = intrinsicGas(data) + gasPerOrder * BigInt(count)
    if (gas <= room && gas <= affordable && data.length / 2 <= maxCalldata) return { orders, data, gas }
  }
  const [first] = ready
  if (first === undefined) return null
  const data = encode([first.due])
  // Another kill of the subject in between may change what storage costs.
  const needed = largest((first.gas * 13n) / 10n, leastGas)
  // What the node said may be too little: with what an order has in a batch it lands all the same.
  const gas = largest(needed, least(intrinsicGas(data) + gasPerOrder, affordable))
  return needed <= affordable ? { orders: [first], data, gas } : null
}
