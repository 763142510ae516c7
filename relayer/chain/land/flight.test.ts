import { expect, test } from 'vitest'
import { Rank } from '../../../protocol/rank.ts'
import { decide, type Flight, type FlightView, stuckAfter, stuckBlocks } from './flight.ts'

const flight: Flight = {
  nonce: 7,
  versions: [
    { hash: '0xaa', raw: '0x', digests: ['0x01'], orders: [], gas: 1n, fees: { maxFee: 100n, tip: 1n } },
  ],
  since: { block: 50, monotonic: 1_000 },
}
const calm: FlightView = {
  mined: 7,
  head: { number: 50, baseFee: 100n },
  known: true,
  carried: Rank.Owner,
  waiting: Rank.None,
  now: 1_000,
}
const head = (number: number, baseFee = 100n) => ({ head: { number, baseFee } })

test.each<[string, Partial<FlightView>, ReturnType<typeof decide>]>([
  ['nothing has changed', {}, 'wait'],
  ['its nonce is mined, whatever else', { mined: 8, waiting: Rank.Governance, known: false }, 'mined'],
  ['the chain took back what came before it', { mined: 6, waiting: Rank.Governance }, 'gap'],
  ['a higher rank waits', { waiting: Rank.Council }, 'replace'],
  ['an equal rank waits', { waiting: Rank.Owner }, 'wait'],
  ['a lower rank waits', { waiting: Rank.Breaker }, 'wait'],
  [
    'all it carries has landed otherwise, and any waits',
    { carried: Rank.None, waiting: Rank.Breaker },
    'replace',
  ],
  [
    'all it carries has landed otherwise: it costs nothing to leave',
    { carried: Rank.None, ...head(99, 999n) },
    'wait',
  ],
  ['enough blocks and time passed', { ...head(50 + stuckBlocks), now: 1_000 + stuckAfter }, 'replace'],
  ['one block too few', { ...head(50 + stuckBlocks - 1), now: 1_000 + stuckAfter }, 'wait'],
  ['one millisecond too few', { ...head(50 + stuckBlocks), now: 999 + stuckAfter }, 'wait'],
  ['a halted chain', { now: 1e9 }, 'wait'],
  ['the base fee is just payable', head(51, 100n), 'wait'],
  ['the base fee is one too high', head(51, 101n), 'replace'],
  ['a node does not have it', { known: false }, 'rebroadcast'],
  ['a node does not have it, and it is stuck', { known: false, ...head(51, 101n) }, 'replace'],
])('%s', (_name, change, decision) => {
  expect(decide(flight, { ...calm, ...change })).toBe(decision)
})
