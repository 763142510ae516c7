import { expect, test } from 'vitest'
import { createManualClock } from '../../test/sdk/support/manualClock.ts'
import { silentLog } from '../client/log.ts'
import { RelayerRefusedError } from '../client/relayerCall.ts'
import { createReporter, type ReportedAccess } from './reporter.ts'

const access = {
  spiffeId: 'spiffe://a.test/service/b',
  at: 1,
  method: 'GET',
  path: '/?q=1',
  status: 200,
  outcome: 'accepted',
} as const
const settle = () => new Promise((resolve) => setImmediate(resolve))

function begin() {
  const clock = createManualClock()
  const batches: (readonly ReportedAccess[])[] = []
  const told: (number | undefined)[] = []
  const relayer = { down: false, refuses: false }
  const reporter = createReporter({
    post: async ({ accesses, dropped }) => {
      if (relayer.down) throw new Error('down')
      if (relayer.refuses) {
        throw new RelayerRefusedError('', { type: '', title: '', status: 400, detail: '' })
      }
      batches.push(accesses)
      told.push(dropped)
    },
    clock,
    log: silentLog,
  })
  return { clock, batches, told, relayer, reporter }
}

test('equal accesses are counted together and sent after two seconds, without their query', async () => {
  const { clock, batches, reporter } = begin()
  reporter.note(access)
  reporter.note({ ...access, at: 2 })
  reporter.note({ ...access, outcome: 'denied', status: 403 })
  clock.advance(1_999)
  await settle()
  expect(batches).toEqual([])
  clock.advance(1)
  await settle()
  expect(batches).toEqual([
    [
      { ...access, path: '/', at: 2, count: 2 },
      { ...access, path: '/', outcome: 'denied', status: 403, count: 1 },
    ],
  ])
})

test('many entries are sent in reports of 500, and what is half of all that may wait at once', async () => {
  const { clock, batches, reporter } = begin()
  for (let i = 0; i < 1_200; i += 1) reporter.note({ ...access, path: `/${i}` })
  await settle()
  expect(batches).toEqual([])
  clock.advance(2_000)
  await settle()
  expect(batches.map((batch) => batch.length)).toEqual([500, 500, 200])
  // So many unlike ones are gathered for longer, until one report holds them again.
  for (const after of [6_000, 2_000]) {
    reporter.note(access)
    clock.advance(after - 1)
    await settle()
    expect(batches.at(-1)).not.toHaveLength(1)
    clock.advance(1)
    await settle()
    expect(batches.pop()).toHaveLength(1)
  }
  for (let i = 0; i < 5_000; i += 1) reporter.note({ ...access, path: `/${i}` })
  await settle()
  expect(batches.flat()).toHaveLength(6_200)
})

test('while the relayer is down entries wait up to the capacity; the rest is dropped and counted', async () => {
  const { clock, batches, told, relayer, reporter } = begin()
  relayer.down = true
  for (let i = 0; i < 10_100; i += 1) reporter.note({ ...access, path: `/${i}` })
  await settle()
  expect(reporter.status()).toMatchObject({ waiting: 10_000, sent: 0, dropped: 100 })
  relayer.down = false
  clock.advance(6_000)
  await settle()
  await settle()
  expect(batches.flat()).toHaveLength(10_000)
  expect(reporter.status()).toEqual({ waiting: 0, sent: 10_000, dropped: 100 })
  // The relayer hears once of what it does not get.
  expect(told[0]).toBe(100)
  expect(told.slice(1)).toEqual(told.slice(1).map(() => undefined))
})

test('a report that the relayer refuses is dropped and counted, and the next one goes', async () => {
  const { clock, batches, relayer, reporter } = begin()
  relayer.refuses = true
  reporter.note(access)
  clock.advance(2_000)
  await settle()
  expect(reporter.status()).toEqual({ waiting: 0, sent: 0, dropped: 1 })
  relayer.refuses = false
  reporter.note({ ...access, path: '/next' })
  clock.advance(2_000)
  await settle()
  expect(batches).toEqual([[{ ...access, path: '/next', count: 1 }]])
})
