import { describe, expect, test } from 'vitest'
import { makeKill } from '../../test/relayer/makeKill.ts'
import {
  AcknowledgementRefusedError,
  type Confirmation,
  createEnforcementPoints,
  type EnforcementPoint,
  newPoint,
} from './points.ts'
import type { KillRecord } from './record.ts'

const shop = 'spiffe://killswitch.test/service/shop'
const bank = 'spiffe://killswitch.test/service/bank'

/** One point, enrolled at 0, and a store in memory that can fail or be slow; times in ms. */
function world(confirmations: readonly Confirmation[] = []) {
  let now = 1_000
  let write = async () => {}
  const kills: KillRecord[] = []
  const written: { readonly point: EnforcementPoint; readonly killIds: readonly string[] }[] = []
  const points = createEnforcementPoints({
    epoch: 'e',
    points: [newPoint(shop, 0)],
    confirmations,
    kills: () => [...kills].reverse(),
    published: () => kills.at(-1)?.feed.number ?? 0,
    closedAfter: 21_000,
    clock: { wall: () => now, monotonic: () => now },
    async write(point, fresh) {
      await write()
      written.push({ point, killIds: fresh.map(({ killId }) => killId) })
    },
  })
  const kill = () => {
    const one = makeKill(kills.length + 1, { seen: { at: now, monotonic: now } })
    kills.push(one)
    return one
  }
  return {
    points,
    kills,
    written,
    kill,
    states: (one: KillRecord) => points.of(one).map(({ spiffeId, state }) => [spiffeId, state]),
    pass: (ms: number) => {
      now += ms
    },
    onWrite: (next: typeof write) => {
      write = next
    },
  }
}

describe('an acknowledgement', () => {
  test('confirms every kill up to its number, once', async () => {
    const w = world()
    const [one, two, three] = [w.kill(), w.kill(), w.kill()] as const
    expect(await w.points.acknowledge(shop, 'e', 2)).toMatchObject([{ killId: two.id }, { killId: one.id }])
    expect(await w.points.acknowledge(shop, 'e', 3)).toMatchObject([{ killId: three.id }])
    expect(await w.points.acknowledge(shop, 'e', 1)).toEqual([])
    expect(w.points.point(shop)).toMatchObject({ epoch: 'e', acknowledged: 3 })
    expect(w.states(two)).toEqual([[shop, 'confirmed']])
  })

  test('that cannot be written changes nothing and can be sent again', async () => {
    const w = world()
    const kill = w.kill()
    w.onWrite(async () => {
      throw new Error('disk full')
    })
    const before = w.points.point(shop)
    await expect(w.points.acknowledge(shop, 'e', 1)).rejects.toThrow('disk full')
    expect(w.points.point(shop)).toEqual(before)
    expect(w.states(kill)).toEqual([[shop, 'pending']])
    w.onWrite(async () => {})
    expect(await w.points.acknowledge(shop, 'e', 1)).toMatchObject([{ killId: kill.id }])
    expect(w.states(kill)).toEqual([[shop, 'confirmed']])
  })

  test('does not count while it is being written', async () => {
    const w = world()
    const kill = w.kill()
    const { promise, resolve } = Promise.withResolvers<void>()
    w.onWrite(() => promise)
    const sent = w.points.acknowledge(shop, 'e', 1)
    expect(w.states(kill)).toEqual([[shop, 'pending']])
    resolve()
    await sent
    expect(w.states(kill)).toEqual([[shop, 'confirmed']])
  })

  test('twice at the same moment confirms a kill once, and the later number stays', async () => {
    const w = world()
    w.kill()
    w.kill()
    const { promise, resolve } = Promise.withResolvers<void>()
    w.onWrite(() => promise)
    const both = [w.points.acknowledge(shop, 'e', 2), w.points.acknowledge(shop, 'e', 1)]
    resolve()
    await Promise.all(both)
    expect(w.written.flatMap(({ killIds }) => killIds).sort()).toEqual(['kill-1', 'kill-2'])
    expect(w.points.point(shop)?.acknowledged).toBe(2)
    expect(w.written.at(-1)?.point.acknowledged).toBe(2)
  })

  test.each([
    ['spiffeId', bank, 'e', 1],
    ['epoch', shop, 'another', 1],
    ['number', shop, 'e', 2],
  ] as const)('of a wrong %s is refused', async (field, spiffeId, epoch, number) => {
    const w = world()
    w.kill()
    const sent = w.points.acknowledge(spiffeId, epoch, number)
    await expect(sent).rejects.toBeInstanceOf(AcknowledgementRefusedError)
    await expect(sent).rejects.toMatchObject({ field })
    expect(w.written).toEqual([])
  })

  test('of a point that is withdrawn while it is written does not bring it back', async () => {
    const w = world()
    w.kill()
    w.onWrite(async () => w.points.withdraw(shop))
    await w.points.acknowledge(shop, 'e', 1)
    expect(w.points.all()).toEqual([])
    await expect(w.points.acknowledge(shop, 'e', 1)).rejects.toMatchObject({ field: 'spiffeId' })
  })
})

describe('a kill', () => {
  test('is pending, overdue after a second, and closed once silence has shut the point', () => {
    const w = world()
    const kill = w.kill()
    const stateAfter = (ms: number) => {
      w.pass(ms)
      return w.states(kill)[0]?.[1]
    }
    expect(stateAfter(1_000)).toBe('pending')
    expect(stateAfter(1)).toBe('overdue')
    expect(stateAfter(19_999)).toBe('overdue')
    expect(stateAfter(1)).toBe('closed by staleness')
  })

  test('waits for those that were enrolled when it was seen, and only they confirm it', async () => {
    const w = world()
    const kill = w.kill()
    w.points.enrol(newPoint(bank, 1_001))
    w.pass(10)
    const later = w.kill()
    expect(await w.points.acknowledge(bank, 'e', 2)).toMatchObject([{ killId: later.id }])
    expect(w.states(kill)).toEqual([[shop, 'pending']])
    expect(w.states(later)).toEqual([
      [shop, 'pending'],
      [bank, 'confirmed'],
    ])
  })

  test('no longer waits for a withdrawn point, but remembers what it confirmed', async () => {
    const w = world()
    const confirmed = w.kill()
    await w.points.acknowledge(shop, 'e', 1)
    const open = w.kill()
    w.points.withdraw(shop)
    expect(w.states(confirmed)).toEqual([[shop, 'confirmed']])
    expect(w.states(open)).toEqual([])
  })

  test('shows what an earlier run wrote, and what the store has of one that is not at hand', () => {
    const moment = { at: 1, monotonic: 1 }
    const w = world([{ killId: 'kill-1', spiffeId: shop, moment }])
    const kill = w.kill()
    expect(w.states(kill)).toEqual([[shop, 'confirmed']])
    w.points.forget(kill.id)
    expect(w.states(kill)).toEqual([[shop, 'pending']])
    const stored = [{ killId: kill.id, spiffeId: bank, moment }]
    expect(w.points.of(kill, stored)).toEqual([
      { spiffeId: shop, state: 'pending', confirmed: null },
      { spiffeId: bank, state: 'confirmed', confirmed: moment },
    ])
  })
})
