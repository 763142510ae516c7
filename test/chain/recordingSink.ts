import assert from 'node:assert/strict'
import type { ChainBlock, ChainBlockHeader, ChainEvent, ChainSink } from '../../relayer/kill/chainPort.ts'

export type RecordingSink = ChainSink & {
  /** What is held, from the grant point on. */
  readonly blocks: () => readonly ChainBlockHeader[]
  readonly dropped: () => readonly ChainBlockHeader[]
  readonly heads: () => readonly ChainBlockHeader[]
  /** Every call's first number of blocks, in order. */
  readonly takes: () => readonly (readonly ChainBlock[])[]
  /** Kill events of blocks that were not dropped, in order. */
  readonly kills: () => readonly ChainEvent[]
  /** Kill events ever taken with their block. */
  readonly killsSeen: () => readonly ChainEvent[]
  /** Kill events taken on first sight, without their block. */
  readonly sighted: () => readonly ChainEvent[]
  /** Resolves once it holds; asked after every call. */
  until(condition: () => boolean): Promise<void>
  /** Lets the next `count` calls of a method fail. */
  fail(method: 'takeBlocks' | 'takeKills' | 'dropBlocks' | 'advanceGrantPoint', count: number): void
}

/** A sink in memory that checks what a follower promises. It outlives followers, as a store does. */
export function createRecordingSink(): RecordingSink {
  let held: ChainBlock[] = []
  let grantPoint: ChainBlockHeader | null = null
  let busy = false
  const dropped: ChainBlockHeader[] = []
  const heads: ChainBlockHeader[] = []
  const takes: (readonly ChainBlock[])[] = []
  const final: ChainEvent[] = []
  const seen: ChainEvent[] = []
  const sighted: ChainEvent[] = []
  const failing = new Map<string, number>()
  const waiters = new Set<() => void>()

  const killsIn = (blocks: readonly ChainBlock[]) =>
    blocks.flatMap(({ events }) => events.filter(({ event }) => event.type === 'Killed'))

  const refuse = (method: string) => {
    const left = failing.get(method) ?? 0
    if (left === 0) return
    failing.set(method, left - 1)
    throw new Error(`${method} fails on purpose`)
  }

  const call = async (method: string, action: () => void) => {
    assert.equal(busy, false, 'calls overlap')
    busy = true
    await new Promise((resolve) => setImmediate(resolve))
    busy = false
    refuse(method)
    try {
      action()
    } finally {
      for (const check of [...waiters]) check()
    }
  }

  const take = (blocks: readonly ChainBlock[]) => {
    for (const block of blocks) {
      const tip = held.at(-1)
      if (tip !== undefined) assert.ok(block.number > tip.number, `block ${block.number} after ${tip.number}`)
      if (tip?.number === block.number - 1) assert.equal(block.parentHash, tip.hash, 'linked')
      held.push(block)
    }
    takes.push(blocks)
    seen.push(...killsIn(blocks))
  }

  const advance = (block: ChainBlockHeader) => {
    assert.ok(block.number >= (grantPoint?.number ?? -1), 'the grant point never goes back')
    assert.ok(
      held.some(({ hash }) => hash === block.hash),
      'the grant point was taken before',
    )
    grantPoint = block
    final.push(...killsIn(held.filter(({ number }) => number <= block.number)))
    held = held
      .filter(({ number }) => number >= block.number)
      .map((one) => (one.number === block.number ? { ...one, events: [] } : one))
  }

  return {
    load: async () => held.map(({ number, hash, parentHash, time }) => ({ number, hash, parentHash, time })),
    takeBlocks: (blocks) => call('takeBlocks', () => take(blocks)),
    takeFinal: (blocks) =>
      call('takeFinal', () => {
        take(blocks)
        // As a store of before takeFinal may have been left by a crash.
        refuse('advanceGrantPoint')
        advance(blocks.at(-1) as ChainBlock)
      }),
    takeKills: (block) =>
      call('takeKills', () => {
        assert.ok(
          block.events.every(({ event }) => event.type === 'Killed'),
          'nothing but kills acts on first sight',
        )
        assert.ok(!held.some(({ hash }) => hash === block.hash), 'what is held is not sighted')
        sighted.push(...block.events)
      }),
    dropBlocks: (blocks) =>
      call('dropBlocks', () => {
        for (const { number, hash } of blocks) {
          assert.ok(number > (grantPoint?.number ?? -1), 'never at or below the grant point')
          assert.equal(held.pop()?.hash, hash, 'highest first')
          dropped.push({ ...(blocks.find((block) => block.hash === hash) as ChainBlockHeader) })
        }
      }),
    advanceGrantPoint: (block) => call('advanceGrantPoint', () => advance(block)),
    noteHead(block) {
      heads.push(block)
      for (const check of [...waiters]) check()
    },
    blocks: () => held,
    dropped: () => dropped,
    heads: () => heads,
    takes: () => takes,
    kills: () => [...final, ...killsIn(held)],
    killsSeen: () => seen,
    sighted: () => sighted,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition()) return
          waiters.delete(check)
          resolve()
        }
        waiters.add(check)
        check()
      }),
    fail: (method, count) => void failing.set(method, count),
  }
}
