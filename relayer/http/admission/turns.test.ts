import { expect, test } from 'vitest'
import { createTurns, TooManyOrdersError } from './turns.ts'

test('one key runs so many at once, in order; another is not held up; beyond the queue it is refused', async () => {
  const turns = createTurns({ atOnce: 2, waiting: 3 })
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const run = (key: string, name: string) =>
    turns(key, () => {
      started.push(name)
      const { promise, resolve } = Promise.withResolvers<void>()
      ends.set(name, resolve)
      return promise
    })
  const all = ['a', 'b', 'c', 'd', 'e'].map((name) => run('flood', name))
  await expect(run('flood', 'f')).rejects.toThrow(TooManyOrdersError)
  const owner = run('owner', 'owner')
  expect(started).toEqual(['a', 'b', 'owner'])
  for (const name of ['owner', 'a', 'b', 'c', 'd', 'e']) {
    ends.get(name)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all([...all, owner])
  expect(started).toEqual(['a', 'b', 'owner', 'c', 'd', 'e'])
})

test('a task that fails gives its turn on', async () => {
  const turns = createTurns({ atOnce: 1, waiting: 1 })
  const failed = turns('one', () => Promise.reject(new Error('no')))
  const next = turns('one', async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
