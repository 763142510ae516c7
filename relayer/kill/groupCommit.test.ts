import { expect, test } from 'vitest'
import { createSerial } from '../serial.ts'
import { createGroupCommit } from './groupCommit.ts'

function world(maxWeight = 10) {
  const serial = createSerial()
  const commits: (readonly number[])[] = []
  let failing = false
  const hand = createGroupCommit<number>({
    serial,
    weigh: (one) => one,
    maxWeight,
    commit: async (all) => {
      commits.push(all)
      if (failing) throw new Error('disk full')
    },
  })
  const fail = (on: boolean) => {
    failing = on
  }
  return { serial, commits, hand, fail }
}

test('what waits while another task runs is committed together', async () => {
  const w = world()
  const { promise, resolve: free } = Promise.withResolvers<void>()
  const busy = w.serial(() => promise)
  const all = [w.hand(1), w.hand(2), w.hand(3)]
  free()
  await Promise.all([busy, ...all])
  expect(w.commits).toEqual([[1, 2, 3]])
})

test('a group is cut at its weight, but a single heavy thing still goes', async () => {
  const w = world(10)
  const { promise, resolve: free } = Promise.withResolvers<void>()
  const busy = w.serial(() => promise)
  const all = [w.hand(50), w.hand(6), w.hand(4), w.hand(1)]
  free()
  await Promise.all([busy, ...all])
  expect(w.commits).toEqual([[50], [6, 4], [1]])
})

test('an urgent task goes between two groups', async () => {
  const w = world(1)
  const order: string[] = []
  const first = w.hand(1).then(() => order.push('first'))
  const second = w.hand(1).then(() => order.push('second'))
  const urgent = w.serial(async () => void order.push('urgent'), 'urgent')
  await Promise.all([first, second, urgent])
  expect(order.indexOf('urgent')).toBeLessThan(order.indexOf('second'))
})

test('a failed commit fails those in it and no others', async () => {
  const w = world(1)
  w.fail(true)
  await expect(w.hand(1)).rejects.toThrow('disk full')
  w.fail(false)
  await w.hand(1)
})
