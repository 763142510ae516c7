import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import type { DueOrder } from '../../kill/chainPort.ts'
import {
  batchRoom,
  fillBatch,
  gasPerOrder,
  intrinsicGas,
  isTooDear,
  leastGas,
  orderGas,
  type ReadyOrder,
} from './landingBatch.ts'

/** 600 bytes of calldata for each order. */
const encode = (orders: readonly DueOrder[]): Hex => `0x${'ff'.repeat(600 * orders.length)}`
const ready = (gas: readonly bigint[]): readonly ReadyOrder[] =>
  gas.map((one, index) => ({ due: { digest: `0x${index}` } as unknown as DueOrder, gas: one }))
const gas = fc.bigInt(60_000n, 700_000n)

test('it is the longest beginning that fits room, balance and calldata, and never short of gas', () => {
  fc.assert(
    fc.property(
      fc.array(gas, { minLength: 1, maxLength: 40 }),
      fc.bigInt(0n, 20_000_000n),
      fc.bigInt(0n, 20_000_000n),
      (gases, room, affordable) => {
        const orders = ready(gases)
        const batch = fillBatch(orders, room, affordable, encode)
        const fits = (count: number) => {
          const needed =
            intrinsicGas(encode(orders.slice(0, count).map(({ due }) => due))) + gasPerOrder * BigInt(count)
          return (
            needed <= room && needed <= affordable && gases.slice(0, count).every((one) => one <= orderGas)
          )
        }
        const estimated = ((gases[0] as bigint) * 13n) / 10n
        const needed = estimated > leastGas ? estimated : leastGas
        if (batch === null) {
          expect(affordable).toBeLessThan(needed)
          return
        }
        expect(batch.gas).toBeGreaterThanOrEqual(needed)
        const count = batch.orders.length
        expect(batch.orders).toEqual(orders.slice(0, count))
        expect(batch.gas <= affordable).toBe(true)
        if (count > 1) expect(fits(count)).toBe(true)
        expect(count < gases.length && fits(count + 1)).toBe(false)
      },
    ),
    { numRuns: 300 },
  )
})

test('a single order has what it would have in a batch, or what can be paid, however little a node says', () => {
  const gasOf = (estimate: bigint, affordable: bigint) =>
    fillBatch(ready([estimate]), 0n, affordable, encode)?.gas
  const full = intrinsicGas(encode([{} as DueOrder])) + gasPerOrder
  expect(gasOf(1n, 10n ** 9n)).toBe(full)
  expect(gasOf(80_000n, 200_000n)).toBe(200_000n)
  expect(gasOf(1n, leastGas)).toBe(leastGas)
  expect(gasOf(1n, leastGas - 1n)).toBe(undefined)
  expect(gasOf(2_000_000n, 10n ** 9n)).toBe(2_600_000n)
})

test('a large block gives it at most what EIP-7825 allows, a small one a quarter', () => {
  expect(batchRoom(30_000_000n)).toBe(7_500_000n)
  expect(batchRoom(600_000_000n)).toBe(16_777_216n)
})

test('of common orders 30 fit the largest transaction', () => {
  const batch = fillBatch(ready(Array<bigint>(40).fill(80_000n)), batchRoom(10n ** 12n), 10n ** 12n, encode)
  expect(batch?.orders.length).toBe(30)
})

test('one that needs more than its share lands alone, and only for who has power over all agents', () => {
  const dear = orderGas + 1n
  const all = { room: 10n ** 8n, affordable: 10n ** 8n }
  const sizes = (gases: readonly bigint[]) =>
    fillBatch(ready(gases), all.room, all.affordable, encode)?.orders.length
  expect(sizes([80_000n, dear, 80_000n])).toBe(1)
  expect(sizes([80_000n, 80_000n, dear])).toBe(2)
  expect(sizes([dear, 80_000n])).toBe(1)
  expect(isTooDear(Rank.Owner, dear)).toBe(true)
  expect(isTooDear(Rank.Owner, orderGas)).toBe(false)
  expect(isTooDear(Rank.Council, dear)).toBe(false)
})
