import { expect, test } from 'vitest'
import { keep } from './useKept.ts'

type Entry = { readonly id: string; readonly state: string; readonly live: { readonly rate: number } | null }

const entry = (id: string, state = 'alive', rate: number | null = 1): Entry => ({
  id,
  state,
  live: rate === null ? null : { rate },
})
const keyOf = ({ id }: Entry) => id
const earlier = [entry('a'), entry('b'), entry('c', 'alive', null)]
const known = new Map(earlier.map((one) => [one.id, one]))

test('what holds the same stays the same object, in the order of the new list', () => {
  const kept = keep(known, [entry('c', 'alive', null), entry('a')], keyOf)
  expect(kept[0]).toBe(earlier[2])
  expect(kept[1]).toBe(earlier[0])
})

test.each([
  ['a field', entry('a', 'killed')],
  ['a field of a part', entry('a', 'alive', 2)],
  ['a part that is gone', entry('a', 'alive', null)],
  ['a part that has come', entry('c')],
  ['another entry', entry('d')],
])('%s is another object', (_, one) => {
  expect(keep(known, [one], keyOf)[0]).toBe(one)
})
