import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { late } from './late.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('loads when it is first asked for, and once', async () => {
  const load = vi.fn(async () => 'part')
  const part = late(load)
  expect(load).not.toHaveBeenCalled()
  expect(part.part.get()).toBe(null)
  expect(await Promise.all([part(), part()])).toEqual(['part', 'part'])
  expect(await part()).toBe('part')
  expect(part.part.get()).toBe('part')
  expect(load).toHaveBeenCalledTimes(1)
})

it('asks again until it comes', async () => {
  const load = vi.fn(async () => 'part')
  load.mockRejectedValueOnce(new TypeError('gone')).mockRejectedValueOnce(new TypeError('still gone'))
  const loading = late(load)()
  await vi.runAllTimersAsync()
  expect(await loading).toBe('part')
  expect(load).toHaveBeenCalledTimes(3)
})
