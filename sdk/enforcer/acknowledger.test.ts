import { expect, test } from 'vitest'
import { createManualClock } from '../../test/sdk/support/manualClock.ts'
import { silentLog } from '../client/log.ts'
import { type Acknowledgement, createAcknowledger } from './acknowledger.ts'

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('one is under way at a time, the latest follows, and closed connections are counted once', async () => {
  const clock = createManualClock()
  const sent: Acknowledgement[] = []
  const answers: ((error?: Error) => void)[] = []
  const { enforced, acknowledged } = createAcknowledger({
    post: (body) =>
      new Promise<void>((resolve, reject) => {
        sent.push(body)
        answers.push((error) => (error === undefined ? resolve() : reject(error)))
      }),
    clock,
    random: () => 0,
    log: silentLog,
  })
  enforced({ epoch: 'e', number: 1 }, 2)
  enforced({ epoch: 'e', number: 2 }, 0)
  enforced({ epoch: 'e', number: 3 }, 5)
  expect(sent).toEqual([{ epoch: 'e', number: 1, closedConnections: 2 }])
  answers[0]?.()
  await settle()
  expect(acknowledged()).toEqual({ epoch: 'e', number: 1 })
  expect(sent[1]).toEqual({ epoch: 'e', number: 3, closedConnections: 5 })
  answers[1]?.(new Error('lost'))
  await settle()
  expect(sent).toHaveLength(2)
  enforced({ epoch: 'e', number: 4 }, 1)
  clock.advance(100)
  await settle()
  expect(sent[2]).toEqual({ epoch: 'e', number: 4, closedConnections: 6 })
  answers[2]?.()
  await settle()
  expect(acknowledged()).toEqual({ epoch: 'e', number: 4 })
  expect(sent).toHaveLength(3)
})
