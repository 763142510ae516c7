import { expect, test } from 'vitest'
import { createKillWatch } from './killWatch.ts'

function world(watched = true) {
  const sent: unknown[] = []
  const views: string[] = []
  const tasks: (() => void)[] = []
  const watch = createKillWatch(
    { watched: () => watched, send: (_, data) => void sent.push(data) },
    (id) => {
      views.push(id)
      return id === 'gone' ? null : id
    },
    (task) => void tasks.push(task),
  )
  const turn = () => {
    for (const task of tasks.splice(0)) task()
  }
  return { watch, sent, views, turn }
}

test('a kill that changes several times in a turn is told once, after it', () => {
  const w = world()
  for (const id of ['a', 'b', 'a', 'gone']) w.watch.changed(id)
  expect(w.sent).toEqual([])
  w.turn()
  expect(w.sent).toEqual(['a', 'b'])
  w.watch.changed('a')
  w.turn()
  expect(w.sent).toEqual(['a', 'b', 'a'])
})

test('when nobody watches nothing is even looked at', () => {
  const w = world(false)
  w.watch.changed('a')
  w.turn()
  expect(w.views).toEqual([])
})
