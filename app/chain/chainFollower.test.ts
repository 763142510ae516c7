import { createClient, custom, encodeEventTopics, numberToHex } from 'viem'
import { expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { createChainFollower } from './chainFollower.ts'

const contract = `0x${'cc'.repeat(20)}` as const
const owner = `0x${'aa'.repeat(20)}` as const
const guardian = (n: number): Hex => `0x${String(n).padStart(40, '0')}`
const time = 1_800_000_000

/** A node whose blocks appoint one guardian each, or none (null). */
function world() {
  let blocks: readonly { readonly hash: Hex; readonly appoints: Hex | null }[] = []
  let final: number | null = null
  let down = false
  let clock = time * 1_000
  const asked: (readonly [from: number, to: number])[] = []
  const block = (number: number) => ({
    number: numberToHex(number),
    hash: blocks[number]?.hash,
    timestamp: numberToHex(time + number),
    transactions: [],
  })
  const answer = async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
    if (down) throw new Error('the node is gone')
    const [first] = params as [never]
    if (method === 'eth_getBlockByNumber') {
      if (first !== 'finalized') return block(blocks.length - 1)
      if (final === null) throw new Error('finalized is not known here')
      return block(final)
    }
    const { fromBlock, toBlock } = first as { fromBlock: Hex; toBlock: Hex }
    const [from, to] = [Number(fromBlock), Number(toBlock)]
    asked.push([from, to])
    return blocks.flatMap(({ hash, appoints }, number) =>
      appoints === null || number < from || number > to
        ? []
        : [
            {
              address: contract,
              topics: encodeEventTopics({
                abi: killSwitchAbi,
                eventName: 'GuardianAppointed',
                args: { owner, guardian: appoints },
              }),
              data: '0x',
              blockNumber: numberToHex(number),
              blockHash: hash,
              blockTimestamp: numberToHex(time + number),
              transactionHash: `0x${'11'.repeat(32)}`,
              transactionIndex: '0x0',
              logIndex: '0x0',
              removed: false,
            },
          ],
    )
  }
  const follower = createChainFollower({
    client: createClient({ transport: custom({ request: answer }, { retryCount: 0 }) }),
    deployment: { chainId: 31337, contract },
    fromBlock: 0n,
    interval: 1_000,
    now: () => clock,
  })
  let made = 0
  return {
    passTime: (ms: number) => {
      clock += ms
    },
    view: follower.view.get,
    refresh: follower.refresh,
    asked,
    guardians: () =>
      [...(follower.view.get().registry?.guardians.keys() ?? [])].map((key) => Number(key.slice(-40))),
    /** Replaces everything from `at` on. */
    chain: (at: number, ...appointed: readonly (number | null)[]) => {
      blocks = [
        ...blocks.slice(0, at),
        ...appointed.map((n) => ({
          hash: `0x${String(++made).padStart(64, '0')}` as Hex,
          appoints: n === null ? null : guardian(n),
        })),
      ]
    },
    finalise: (number: number | null) => {
      final = number
    },
    break: (isDown: boolean) => {
      down = isDown
    },
  }
}

test('final logs are read once; what comes after them is read anew', async () => {
  const w = world()
  w.chain(0, 1, 2, 3)
  w.finalise(1)
  await w.refresh()
  expect(w.guardians()).toEqual([1, 2, 3])
  expect(w.view()).toMatchObject({ head: { number: 2n, time: time + 2 }, error: null, progress: null })
  w.chain(3, 4)
  await w.refresh()
  expect(w.guardians()).toEqual([1, 2, 3, 4])
  expect(w.asked).toEqual([
    [0, 2],
    [2, 3],
  ])
})

test('a reorg takes back what it dropped, and only that', async () => {
  const w = world()
  w.chain(0, 1, 2, 3)
  w.finalise(0)
  await w.refresh()
  w.chain(1, 7, null, 8)
  await w.refresh()
  expect(w.guardians()).toEqual([1, 7, 8])
  expect(w.view().events).toHaveLength(3)
})

test('the registry stays the same object while nothing changes', async () => {
  const w = world()
  w.chain(0, 1, 2)
  w.finalise(0)
  await w.refresh()
  const { registry } = w.view()
  w.chain(2, null)
  await w.refresh()
  expect(w.view().registry).toBe(registry)
  expect(w.view().head?.number).toBe(2n)
})

test('a node that knows no final block is trusted from a depth on', async () => {
  const w = world()
  w.chain(0, 1, ...Array.from({ length: 70 }, () => null), 2)
  await w.refresh()
  await w.refresh()
  expect(w.guardians()).toEqual([1, 2])
  expect(w.asked.at(-1)).toEqual([8, 71])
})

test('while the node is down the view stands and says so, and recovers by itself', async () => {
  const w = world()
  w.chain(0, 1)
  w.finalise(0)
  await w.refresh()
  w.break(true)
  await w.refresh()
  expect(w.guardians()).toEqual([1])
  expect(w.view().error).toBeInstanceOf(Error)
  w.break(false)
  w.chain(1, 2)
  await w.refresh()
  expect([w.guardians(), w.view().error]).toEqual([[1, 2], null])
})

test('a head keeps the time at which it was first seen, until another one comes', async () => {
  const w = world()
  w.chain(0, 1)
  w.finalise(0)
  await w.refresh()
  w.passTime(4_000)
  await w.refresh()
  expect(w.view().head).toEqual({ number: 0n, time, seenAt: time * 1_000 })
  expect(w.view().readAt).toBe(time * 1_000 + 4_000)
  w.chain(1, 2)
  await w.refresh()
  expect(w.view().head).toEqual({ number: 1n, time: time + 1, seenAt: time * 1_000 + 4_000 })
})
