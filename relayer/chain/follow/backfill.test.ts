import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { InconsistentRpcError, RpcResponseError } from '../rpc/rpcErrors.ts'
import { backfill, type PastBlock } from './backfill.ts'
import type { BlockReader } from './blockReader.ts'

const url = 'http://127.0.0.1:1'
const hashOf = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`
const headerOf = (number: number) => ({
  number,
  hash: hashOf(number),
  parentHash: hashOf(number - 1),
  time: number,
  logsBloom: null,
})

const unused = async () => {
  throw new Error('not asked for in a back-fill')
}

function readerOf(
  limit: number,
  eventful: readonly number[],
  change: Partial<BlockReader> = {},
  timed = false,
): BlockReader {
  return {
    byTag: unused,
    byHash: unused,
    eventsOf: unused,
    byNumber: async (number) => headerOf(number),
    eventsInRange: async (from, to) => {
      if (to - from >= limit)
        throw new RpcResponseError(url, 'eth_getLogs', { code: -32005, message: 'too many' })
      return eventful
        .filter((number) => number >= from && number <= to)
        .map((number) => ({ number, hash: hashOf(number), time: timed ? number : null, events: [] }))
    },
    ...change,
  }
}

test('every block with events is taken once, in order, and every range ends with its last block', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5_000 }),
      fc.nat(50),
      fc.nat(9_000),
      fc.uniqueArray(fc.nat(9_100), { maxLength: 100 }),
      fc.boolean(),
      async (limit, from, length, numbers, timed) => {
        fc.pre(length / limit < 500)
        const to = from + length
        const eventful = numbers.filter((number) => number >= from && number <= to).sort((a, b) => a - b)
        const takes: (readonly PastBlock[])[] = []
        let taking = false
        await backfill(readerOf(limit, eventful, {}, timed), from, to, async (blocks) => {
          expect(taking).toBe(false)
          taking = true
          await new Promise((resolve) => setImmediate(resolve))
          taking = false
          takes.push(blocks)
        })
        const ends = takes.map((blocks) => blocks.at(-1)?.header.number as number)
        expect(ends.at(-1)).toBe(to)
        const taken = takes.flat().map(({ header }) => header)
        expect(taken.map(({ number }) => number)).toEqual(
          [...new Set([...eventful, ...ends])].sort((a, b) => a - b),
        )
        for (const { number, hash, time } of taken) expect([hash, time]).toEqual([hashOf(number), number])
      },
    ),
    { numRuns: 60 },
  )
})

test('the next ranges are read while one is taken', async () => {
  const asked: number[] = []
  const reader = readerOf(Number.POSITIVE_INFINITY, [])
  const watched: BlockReader = {
    ...reader,
    eventsInRange(first, last) {
      asked.push(first)
      return reader.eventsInRange(first, last)
    },
  }
  const atFirstTake: number[] = []
  await backfill(watched, 1, 20_000, async () => {
    if (atFirstTake.length === 0) atFirstTake.push(...asked)
  })
  expect(atFirstTake).toEqual([1, 2_001, 4_001])
})

test('an RPC that refuses a single block fails the back-fill', async () => {
  await expect(backfill(readerOf(0, []), 1, 100, async () => {})).rejects.toThrow(RpcResponseError)
})

test('logs of a block that is not the canonical one are not taken', async () => {
  const reader = readerOf(100, [7], {
    byNumber: async (number) => ({ ...headerOf(number), hash: hashOf(999) }),
  })
  await expect(backfill(reader, 1, 10, async () => {})).rejects.toThrow(InconsistentRpcError)
})
