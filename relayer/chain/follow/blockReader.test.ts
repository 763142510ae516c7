import { numberToHex } from 'viem'
import { expect, test } from 'vitest'
import {
  createFakeRpc,
  createVirtualTime,
  type FakeRpc,
  fakeContract,
  fakeKill,
  genesis,
  mine,
} from '../../../test/chain/fakeChain.ts'
import { createAgreement } from '../rpc/majority.ts'
import { createBlockReader } from './blockReader.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const block = mine(genesis, '', [await fakeKill(1, 'stop')])
const says =
  (ahead: number): FakeRpc['logTime'] =>
  ({ time }) => ({ blockTimestamp: numberToHex(time + ahead) })

/** What a majority says of the block's events, where each RPC says of their time what is given. */
async function readWith(...logTimes: readonly FakeRpc['logTime'][]) {
  const time = createVirtualTime(0)
  const rpcs = logTimes.map((logTime, i) => {
    const fake = createFakeRpc(`http://127.0.0.1:${i + 1}`, mine(block), time)
    fake.logTime = logTime
    return fake.rpc
  })
  const reader = createBlockReader(createAgreement(rpcs, time.schedule, quiet), fakeContract)
  const answer = reader.eventsInRange(0, 2)
  answer.catch(() => {})
  await time.pass(1_000)
  return answer
}
const nothing = () => ({})

test.each([
  ['all say it', [says(0), says(0)], block.time],
  ['none does', [nothing, nothing], null],
  ['the first does', [says(0), nothing], null],
  ['the second does', [nothing, says(0)], null],
  ['they contradict each other', [says(0), says(1)], null],
  ['one lies to two that do not say it', [says(1), nothing, nothing], null],
])('RPCs agree on events whatever they say of the time: %s', async (_, logTimes, time) => {
  expect(await readWith(...logTimes)).toMatchObject([
    { number: 1, hash: block.hash, time, events: [{ event: { type: 'Killed' } }] },
  ])
})
