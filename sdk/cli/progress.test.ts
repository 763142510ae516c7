import { expect, test } from 'vitest'
import type { Context } from './command.ts'
import { optionTable } from './optionTable.ts'
import { conclude, followKill } from './progress.ts'
import { type KillView, type PointView, RelayerUnreachableError } from './relayer.ts'
import { readSettings } from './settings.ts'

const kill = (...points: PointView[]): KillView => ({
  id: 'k1',
  scope: 'Agent',
  subject: '0x',
  label: '',
  rank: 'Owner',
  reason: 0,
  text: '',
  state: 'enforced',
  timeline: {
    seenAt: 1000,
    durableAt: 1003,
    publishedAt: 1004,
    onChainAt: null,
    finalAt: null,
    txHash: null,
  },
  points,
})
const point = (name: string, state: PointView['state'], confirmedAt: number | null = null): PointView => ({
  spiffeId: `spiffe://a/service/${name}`,
  state,
  confirmedAt,
})

/** A clock that moves only by sleeping. */
function follow(views: (KillView | undefined | Error)[], wait = 1000) {
  let now = 0
  const lines: string[] = []
  const surroundings = {
    env: {},
    cwd: '/',
    out: () => {},
    err: () => {},
    isTerminal: false,
    ask: () => Promise.resolve(''),
    now: () => now,
    sleep: (ms: number) => {
      now += ms
      return Promise.resolve()
    },
  }
  const context: Context = {
    settings: readSettings([], optionTable, surroundings),
    surroundings,
    say: (line) => lines.push(line),
  }
  let call = 0
  const find = () => {
    const view = views[Math.min(call++, views.length - 1)]
    return view instanceof Error ? Promise.reject(view) : Promise.resolve(view)
  }
  return followKill(context, find, wait).then((progress) => ({
    progress,
    lines,
    now,
    code: conclude(progress, wait, context.say),
  }))
}

test('says each step once and ends with the last confirmation', async () => {
  const first = kill(point('a', 'pending'), point('b', 'confirmed', 1020))
  const last = kill(point('a', 'confirmed', 1041), point('b', 'confirmed', 1020))
  const { lines, code, now } = await follow([undefined, first, first, last])
  expect(lines).toEqual([
    'durable    after 3 ms',
    'published  after 4 ms',
    'confirmed  spiffe://a/service/b  after 20 ms',
    'confirmed  spiffe://a/service/a  after 41 ms',
    'Stopped: confirmed by all 2 enforcement points after 41 ms.',
  ])
  expect(code).toBe(0)
  expect(now).toBe(75)
})

test('an open point at the end of the time is named and has its exit code', async () => {
  const { lines, code, now, progress } = await follow([kill(point('a', 'pending'), point('b', 'overdue'))])
  expect(code).toBe(5)
  expect(now).toBe(1000)
  expect(progress.confirmed).toBe(false)
  expect(lines).toContain('overdue    spiffe://a/service/b')
  expect(lines.at(-1)).toContain('not confirmed after 1 s by spiffe://a/service/a, spiffe://a/service/b')
})

test('a point closed by staleness counts, and is called so', async () => {
  const { lines, code } = await follow([kill(point('a', 'closed by staleness'))])
  expect(code).toBe(0)
  expect(lines.at(-1)).toContain('1 by staleness')
})

test('without any point it does not claim a confirmation', async () => {
  const { lines, code } = await follow([kill()])
  expect(code).toBe(0)
  expect(lines.at(-1)).toContain('nobody has confirmed')
})

test('a relayer that is silent for a while is asked again; one that stays silent is told apart', async () => {
  const silent = new RelayerUnreachableError('http://r', 'cannot be reached')
  const { code, lines } = await follow([silent, silent, kill(point('a', 'confirmed', 1010))])
  expect(code).toBe(0)
  expect(lines.filter((line) => line.startsWith('warning'))).toHaveLength(1)
  expect((await follow([silent])).code).toBe(5)
})
