import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import { ownerTarget } from '../../../protocol/scope.ts'
import { createVirtualTime } from '../../../test/chain/fakeChain.ts'
import type { Rpc } from '../rpc/rpc.ts'
import type { ToldBlock } from './agreedRun.ts'
import { createSightings } from './sightings.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const hex = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`
const rpc = (i: number) => ({ url: `http://127.0.0.1:${i}` }) as Rpc
const [liar, honest] = [rpc(1), rpc(2)]
const alice: Hex = `0x${'a1'.repeat(20)}`

/** A block with the kill of this transaction, which is the block itself unless another is named. */
const blockOf = (tx: number, number = tx): ToldBlock => ({
  number,
  hash: hex(number),
  parentHash: hex(number - 1),
  time: number,
  seenMonotonic: 0,
  told: '',
  events: [
    {
      logIndex: 0,
      txHash: hex(tx),
      event: {
        type: 'Killed',
        ...ownerTarget(alice),
        authority: alice,
        rank: Rank.Owner,
        reason: 1,
        sequence: tx,
        orderDigest: null,
        text: '',
      },
    },
  ],
})

/** Sightings of three RPCs; the proof of transaction 1 is what the test says, others have none. */
function world(proof: Promise<boolean> = Promise.resolve(false)) {
  const time = createVirtualTime(0)
  const taken: string[] = []
  const sightings = createSightings({
    rpcs: 3,
    isHeld: () => false,
    isAgreed: () => false,
    prove: (_, txHash) => (txHash === hex(1) ? proof : Promise.resolve(false)),
    take: async ({ events }) => void taken.push(...events.map(({ txHash }) => txHash)),
    schedule: time.schedule,
    random: () => 0.5,
    log: quiet,
  })
  const fakes = () => {
    for (let i = 0; i < 4_096; i++) sightings.tell(blockOf(1_000 + i), liar)
  }
  return { sightings, fakes, taken, time }
}

test('a kill that two RPCs tell is taken, though the first of them then makes up others without end', async () => {
  const { sightings, fakes, taken, time } = world()
  sightings.tell(blockOf(1), liar)
  await time.pass(1)
  sightings.tell(blockOf(1), honest)
  fakes()
  await time.pass(100)
  expect(taken).toEqual([hex(1)])
})

test('a kill whose proof comes after its teller has made up others without end is taken', async () => {
  let found = (_: boolean) => {}
  const { sightings, fakes, taken, time } = world(
    new Promise((resolve) => {
      found = resolve
    }),
  )
  sightings.tell(blockOf(1), liar)
  fakes()
  found(true)
  await time.pass(100)
  expect(taken).toEqual([hex(1)])
})

test('what one RPC alone has told is forgotten after 4,096 others of its own, none of another', async () => {
  const { sightings, fakes, taken, time } = world()
  sightings.tell(blockOf(1), liar)
  sightings.tell(blockOf(2), honest)
  await time.pass(1)
  fakes()
  sightings.tell(blockOf(1), honest)
  sightings.tell(blockOf(2), liar)
  await time.pass(100)
  expect(taken).toEqual([hex(2)])
})

test('of one kill in ever more blocks, a few are remembered', async () => {
  const { sightings, taken, time } = world(Promise.resolve(true))
  for (let i = 0; i < 1_000; i++) sightings.tell(blockOf(1, 10 + i), liar)
  await time.pass(100)
  expect(taken).toHaveLength(8)
})
