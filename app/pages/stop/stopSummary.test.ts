import { expect, test } from 'vitest'
import type { Kill } from '../../api/relayerApi.ts'
import type { StopRun } from '../../data/stopper.ts'
import { stopSummary } from './stopSummary.ts'

const run = (part: Partial<StopRun>): StopRun =>
  ({
    label: 'worker/1',
    way: 'signature',
    step: 'wallet',
    kill: null,
    failure: null,
    block: null,
    ...part,
  }) as StopRun
const kill = (
  state: string,
  allConfirmed: number | null,
  points: readonly string[] = ['confirmed', 'confirmed'],
) =>
  ({
    state,
    elapsed: { allConfirmed },
    points: points.map((one) => ({ state: one })),
  }) as unknown as Kill

test.each<[string, Partial<StopRun>, ReturnType<typeof stopSummary>]>([
  [
    'nothing is red before anything is stopped',
    {},
    {
      title: 'Waiting for your wallet: worker/1',
      detail: 'Sign the order in your wallet.',
      tone: 'calm',
      isDone: false,
    },
  ],
  [
    'an order on its way stops',
    { step: 'sending' },
    {
      title: 'Stopping: worker/1',
      detail: 'The order is on its way to the relayer.',
      tone: 'kill',
      isDone: false,
    },
  ],
  [
    'it is over once all have confirmed',
    { step: 'followed', kill: kill('enforced', 12) },
    {
      title: 'Stopped: worker/1',
      detail: 'Confirmed by all 2 enforcement points 12.0 ms after the relayer saw it.',
      tone: 'kill',
      isDone: true,
    },
  ],
  [
    'not before',
    { step: 'followed', kill: kill('enforced', null, ['confirmed', 'overdue']) },
    {
      title: 'Stopping: worker/1',
      detail: '1 of 2 enforcement points confirmed.',
      tone: 'kill',
      isDone: false,
    },
  ],
  [
    'a kill that the chain dropped stops nobody, though all had confirmed it',
    { step: 'followed', kill: kill('withdrawn', 12) },
    {
      title: 'Not stopped any more: worker/1',
      detail: 'The chain dropped this stop, or its order became void. Stop it again.',
      tone: 'mark',
      isDone: true,
    },
  ],
])('%s', (_, part, summary) => {
  expect(stopSummary(run(part))).toEqual(summary)
})
