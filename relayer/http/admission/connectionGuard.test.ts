import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { createConnectionGuard } from './connectionGuard.ts'

function socket(remoteAddress: string) {
  const made = Object.assign(new EventEmitter(), {
    remoteAddress,
    destroyed: false,
    destroy() {
      made.destroyed = true
      made.emit('close')
      return made
    },
  })
  return made
}

const connect = (guard: ReturnType<typeof createConnectionGuard>, address: string, count = 1) =>
  Array.from({ length: count }, () => {
    const made = socket(address)
    guard.admit(made as never)
    return made
  })
const alive = (sockets: readonly { destroyed: boolean }[]) => sockets.filter((one) => !one.destroyed).length

test('one address holds so many connections, and again as many once they are closed', () => {
  const guard = createConnectionGuard({ perAddress: 3, total: 100 })
  const sockets = connect(guard, '192.0.2.1', 5)
  expect(alive(sockets)).toBe(3)
  expect(alive(connect(guard, '192.0.2.2'))).toBe(1)
  for (const one of sockets) one.destroy()
  expect(guard.open).toBe(1)
  expect(alive(connect(guard, '192.0.2.1', 5))).toBe(3)
})

test('when all are taken an owner with one connection still gets in, at the cost of who has most', () => {
  const guard = createConnectionGuard({ perAddress: 50, total: 100 })
  const greedy = connect(guard, '192.0.2.1', 50)
  const other = connect(guard, '192.0.2.2', 30)
  connect(guard, '192.0.2.3', 20)
  expect(alive(connect(guard, '192.0.2.9'))).toBe(1)
  expect(alive(greedy)).toBe(49)
  expect(greedy[0]?.destroyed).toBe(true)
  expect(alive(other)).toBe(30)
  expect(guard.open).toBe(100)
})

test('who holds most of them as streams loses a stream', () => {
  const guard = createConnectionGuard({ perAddress: 50, total: 10 })
  const streams = connect(guard, '192.0.2.1', 10)
  for (const one of streams) guard.becomesStream(one as never)
  expect(alive(connect(guard, '192.0.2.9'))).toBe(1)
  expect(alive(streams)).toBe(9)
})

test('a proxy may hold more than one address', () => {
  const guard = createConnectionGuard({ perAddress: 1, total: 100, isLimited: (key) => key !== '192.0.2.1' })
  expect(alive(connect(guard, '192.0.2.1', 5))).toBe(5)
  expect(alive(connect(guard, '192.0.2.2', 5))).toBe(1)
})

test('without anybody greedier, no room is no room', () => {
  const guard = createConnectionGuard({ perAddress: 5, total: 3 })
  const first = [
    ...connect(guard, '192.0.2.1'),
    ...connect(guard, '192.0.2.2'),
    ...connect(guard, '192.0.2.3'),
  ]
  expect(alive(connect(guard, '192.0.2.1'))).toBe(0)
  expect(alive(first)).toBe(3)
})

test('a stream of the feed does not count against its address, but against all', () => {
  const guard = createConnectionGuard({ perAddress: 1, total: 2 })
  const [stream] = connect(guard, '192.0.2.1')
  guard.becomesStream(stream as never)
  expect(alive(connect(guard, '192.0.2.1'))).toBe(1)
  expect(guard.open).toBe(2)
  stream?.destroy()
  expect(guard.open).toBe(1)
})
