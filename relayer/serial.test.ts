import { expect, test } from 'vitest'
import { createSerial } from './serial.ts'

test('tasks never overlap, run in order, and urgent ones go first', async () => {
  const serial = createSerial()
  const log: string[] = []
  let open = 0
  const task = (name: string) => async () => {
    open += 1
    expect(open).toBe(1)
    await Promise.resolve()
    log.push(name)
    open -= 1
    return name
  }
  const all = [
    serial(task('a')),
    serial(task('b')),
    serial(task('c')),
    serial(task('kill 1'), 'urgent'),
    serial(task('kill 2'), 'urgent'),
  ]
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'kill 1', 'kill 2'])
  expect(log).toEqual(['a', 'kill 1', 'kill 2', 'b', 'c'])
})

test('a failed task fails its caller alone', async () => {
  const serial = createSerial()
  const failed = serial(async () => {
    throw new Error('no')
  })
  const next = serial(async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
})

test('what comes in by the event loop goes between two tasks that are not urgent', async () => {
  const serial = createSerial()
  const log: string[] = []
  setImmediate(() => void serial(async () => log.push('kill'), 'urgent'))
  await Promise.all(['a', 'b', 'c'].map((name) => serial(async () => log.push(name))))
  expect(log).toEqual(['a', 'kill', 'b', 'c'])
})

test('what is not urgent waits while it is held, and what is urgent does not', async () => {
  let isOn = true
  const freed: (() => void)[] = []
  const serial = createSerial({ isOn: () => isOn, later: (task) => void freed.push(task) })
  const log: string[] = []
  const waiting = serial(async () => log.push('report'))
  await serial(async () => log.push('kill'), 'urgent')
  await serial(async () => log.push('kill 2'), 'urgent')
  expect(log).toEqual(['kill', 'kill 2'])
  isOn = false
  for (const task of freed) task()
  await waiting
  expect(log).toEqual(['kill', 'kill 2', 'report'])
})
