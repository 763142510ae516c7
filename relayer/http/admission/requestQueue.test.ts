import { expect, test } from 'vitest'
import type { RequestClass } from './requestGuard.ts'
import { createRequestQueue } from './requestQueue.ts'

function world() {
  let now = 0
  const turns: (() => void)[] = []
  const done: string[] = []
  let held = false
  const freed: (() => void)[] = []
  const later = (task: () => void) => void turns.push(task)
  const queue = createRequestQueue({
    now: () => now,
    later,
    hold: { isOn: () => held, later: (task) => (held ? void freed.push(task) : later(task)) },
  })
  return {
    done,
    hold: (is: boolean) => {
      held = is
      if (!held) turns.push(...freed.splice(0))
    },
    pass: (ms: number) => {
      now += ms
    },
    ask: (address: string, kind: RequestClass = 'kill', name = address) =>
      queue.serve(kind, address, () => void done.push(name)),
    refuse: (address: string) => queue.refused('kill', address),
    turn: () => {
      for (const task of turns.splice(0)) task()
    },
    waits: () => turns.length > 0,
  }
}

test('with nothing waiting a request is served at once', () => {
  const w = world()
  w.ask('a')
  expect(w.done).toEqual(['a'])
  w.turn()
  w.ask('b')
  expect(w.done).toEqual(['a', 'b'])
})

test('one of each kind is served in a turn, so no kind holds up another', () => {
  const w = world()
  for (let i = 0; i < 3; i++) {
    w.ask('a', 'other', `other ${i}`)
    w.ask('a', 'feed', `feed ${i}`)
    w.ask('a', 'kill', `kill ${i}`)
  }
  expect(w.done).toEqual(['other 0', 'kill 0'])
  w.turn()
  expect(w.done).toEqual(['other 0', 'kill 0', 'feed 0', 'other 1', 'kill 1'])
})

test('who was not served lately goes before a flood, however much of it waits', () => {
  const w = world()
  for (let i = 0; i < 100; i++) for (const address of ['flood 1', 'flood 2']) w.ask(address)
  w.turn()
  w.turn()
  w.ask('owner')
  w.turn()
  expect(w.done.at(-1)).toBe('owner')
})

test('addresses of a flood take turns', () => {
  const w = world()
  for (const address of ['a', 'a', 'a', 'b', 'c']) w.ask(address)
  while (w.waits()) w.turn()
  expect(w.done).toEqual(['a', 'b', 'c', 'a', 'a'])
})

test('requests of one address keep their order', () => {
  const w = world()
  for (const name of ['a1', 'a2', 'a3']) w.ask('a', 'kill', name)
  while (w.waits()) w.turn()
  expect(w.done).toEqual(['a1', 'a2', 'a3'])
})

test('after a second an address is like new', () => {
  const w = world()
  w.ask('a')
  w.turn()
  w.pass(1_001)
  for (const address of ['flood', 'flood', 'flood', 'a']) w.ask(address)
  w.turn()
  expect(w.done).toEqual(['a', 'flood', 'a'])
})

test('who was refused comes after who was served, for ten seconds', () => {
  const w = world()
  w.ask('owner')
  w.turn()
  for (const address of ['flood 1', 'flood 2']) w.refuse(address)
  for (let i = 0; i < 10; i++) for (const address of ['flood 1', 'flood 2']) w.ask(address)
  w.ask('owner')
  w.turn()
  expect(w.done.slice(-1)).toEqual(['owner'])
  while (w.waits()) w.turn()
  w.pass(10_001)
  for (const address of ['owner', 'owner', 'flood 1']) w.ask(address)
  w.turn()
  expect(w.done.at(-1)).toBe('flood 1')
})

test('while a kill is expected only requests about killing are served, and the rest after it', () => {
  const w = world()
  w.hold(true)
  w.ask('a', 'other', 'other')
  w.ask('a', 'feed', 'feed')
  w.ask('a', 'kill', 'kill')
  w.turn()
  w.turn()
  expect(w.done).toEqual(['kill'])
  w.ask('b', 'kill', 'kill of b')
  w.turn()
  expect(w.done).toEqual(['kill', 'kill of b'])
  w.hold(false)
  w.turn()
  expect(w.done).toEqual(['kill', 'kill of b', 'feed', 'other'])
  w.turn()
  expect(w.waits()).toBe(false)
})
