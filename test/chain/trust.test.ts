import { expect, test } from 'vitest'
import { createFollower, type FollowerOptions } from '../../relayer/chain/follow/follower.ts'
import { GrantPointForkedError } from '../../relayer/chain/follow/headerChain.ts'
import { RpcResponseError, RpcUnavailableError } from '../../relayer/chain/rpc/rpcErrors.ts'
import { chainId } from './contract.ts'
import {
  createFakeRpc,
  createVirtualTime,
  type FakeBlock,
  type FakeRpc,
  fakeContract,
  fakeKill,
  genesis,
  mine,
  mineOn,
} from './fakeChain.ts'
import { createRecordingSink } from './recordingSink.ts'

const base = mineOn(genesis, 10)

/**
 * A follower of RPCs whose heads the test moves, in a time that it lets pass. It starts at block 10.
 * @param prepare changes the RPCs before it starts; unless it does, the start succeeds within 100 ms
 */
async function world(
  count: number,
  options: Partial<FollowerOptions> = {},
  prepare?: (rpcs: readonly FakeRpc[]) => void,
) {
  const time = createVirtualTime(1_010_000)
  const errors: unknown[] = []
  const rpcs = Array.from({ length: count }, (_, i) => createFakeRpc(`http://127.0.0.1:${i + 1}`, base, time))
  const sink = createRecordingSink()
  const follower = createFollower({
    rpcs: rpcs.map(({ rpc }) => rpc.url),
    connect: (url) => (rpcs.find(({ rpc }) => rpc.url === url) as FakeRpc).rpc,
    deployment: { chainId, contract: fakeContract },
    startBlock: 1,
    grantPoint: { kind: 'depth', blocks: 5 },
    sink,
    ...time,
    random: () => 0.5,
    pollInterval: 1_000,
    mayKill: () => true,
    log: { debug() {}, info() {}, warn() {}, error: ({ error }) => errors.push(error) },
    ...options,
  })
  prepare?.(rpcs)
  const start = follower.start()
  let started = 'not yet'
  start.then(
    () => {
      started = 'done'
    },
    (error: Error) => {
      started = error.name
    },
  )
  await time.pass(100)
  if (prepare === undefined) await start
  const move = (head: FakeBlock, ...which: readonly number[]) => {
    for (const i of which) {
      const one = rpcs[i] as FakeRpc
      one.head = head
      one.announce()
    }
  }
  const rpc = (i: number) => rpcs[i] as FakeRpc
  const tip = () => sink.blocks().at(-1)?.hash
  const grantPoint = () => sink.blocks()[0]?.number
  const sighted = () => sink.sighted().map(({ txHash }) => txHash)
  const taken = () => sink.killsSeen().map(({ txHash }) => txHash)
  return { started: () => started, time, rpc, sink, follower, errors, move, tip, grantPoint, sighted, taken }
}

const kill = await fakeKill(1, 'stop')
const forged = { ...kill, txHash: `0x${'ff'.repeat(32)}` as const }
const unprovable = { ...forged, log: { ...forged.log, transactionHash: forged.txHash } }

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
])('of %i RPCs, %i must tell a block before it is taken and grants', async (count, needed) => {
  const { time, move, tip, grantPoint } = await world(count)
  expect(grantPoint()).toBe(5)
  const head = mine(base)
  // The others poll in a second only, and still have the old head.
  for (let i = 0; i < needed; i++) {
    expect(tip()).toBe(base.hash)
    move(head, i)
    await time.pass(10)
  }
  expect([tip(), grantPoint()]).toEqual([head.hash, 6])
})

test('a new head of one RPC is asked of the others at once, not when they would have polled', async () => {
  const { time, rpc, move, tip } = await world(2)
  const head = mine(base)
  rpc(1).head = head
  move(head, 0)
  await time.pass(20)
  expect(tip()).toBe(head.hash)
})

test('a kill that proves itself is taken from one RPC at once, though the others are silent', async () => {
  const { time, rpc, move, tip, sighted, taken } = await world(3)
  for (const i of [1, 2]) rpc(i).hanging = () => true
  move(mine(base, '', [kill]), 0)
  await time.pass(10)
  expect([sighted(), taken(), tip()]).toEqual([[kill.txHash], [], base.hash])
})

test('an RPC that announces a kill and then hangs holds it up for no longer than another takes to be asked', async () => {
  const { time, rpc, move, sighted } = await world(3)
  const head = mine(base, '', [kill])
  rpc(0).hanging = (method) => method !== 'eth_getBlockByNumber'
  rpc(1).head = head
  rpc(2).hanging = () => true
  move(head, 0)
  await time.pass(20)
  expect(sighted()).toEqual([kill.txHash])
})

test('a kill without a proof waits for a second RPC, however long, and is then taken from whichever block', async () => {
  const { time, rpc, move, sighted } = await world(5)
  for (const i of [0, 1, 2, 3, 4]) rpc(i).proves = false
  move(mine(base, 'a', [kill]), 0)
  await time.pass(30_000)
  expect(sighted()).toEqual([])
  move(mine(mine(base, 'b'), 'b', [kill]), 1)
  await time.pass(100)
  expect(new Set(sighted())).toEqual(new Set([kill.txHash]))
})

test('an authority without power over the subject proves nothing', async () => {
  const { time, move, sighted } = await world(3, { mayKill: () => false })
  move(mine(base, '', [kill]), 0)
  await time.pass(5_000)
  expect(sighted()).toEqual([])
})

test('a forged kill is not taken, in whatever block, nor does it spoil the honest ones beside it', async () => {
  const { time, move, tip, sighted, taken, sink } = await world(3)
  move(mine(base, 'lie', [unprovable, kill]), 0)
  await time.pass(5_000)
  expect(sighted()).toEqual([kill.txHash])
  const head = mine(base, '', [kill])
  move(head, 1, 2)
  await time.pass(100)
  expect([tip(), taken(), sink.dropped()]).toEqual([head.hash, [kill.txHash], []])
})

test.each([1, 3, 1_000_000])(
  'a liar %i blocks ahead neither withdraws, grants nor stops anything',
  async (ahead) => {
    const { time, rpc, move, tip, grantPoint, sink } = await world(3)
    let head = mine(base, '', [kill])
    move(head, 1, 2)
    await time.pass(100)
    const lie = { ...mineOn(mine(base, 'lie'), Math.min(ahead, 10), 'lie'), number: 11 + ahead }
    for (let i = 0; i < 5; i++) {
      move(mine(lie, `lie ${i}`), 0)
      head = mine(head)
      move(head, 1, 2)
      await time.pass(100)
      expect(tip()).toBe(head.hash)
    }
    expect(grantPoint()).toBe(11)
    expect([sink.dropped(), sink.kills().length]).toEqual([[], 1])
    expect(rpc(0).asked.length).toBeLessThan(200)
  },
)

test('a chain that a liar makes up without end is not read to its end', async () => {
  const { time, rpc, move, tip, sink } = await world(3)
  const invented = (number: number): FakeBlock => ({
    ...{ number, kills: [], time: 1_000 + number },
    hash: `0x${number.toString(16).padStart(64, '0')}`,
    parent: number <= 11 ? base : { ...base, hash: `0x${(number - 1).toString(16).padStart(64, '0')}` },
  })
  rpc(0).invents = invented
  move(invented(1_000_000), 0)
  await time.pass(20_000)
  expect(rpc(0).asked.length).toBeLessThan(200)
  const head = mine(base)
  move(head, 1, 2)
  await time.pass(100)
  expect([tip(), sink.dropped()]).toEqual([head.hash, []])
})

test.each([64, 65])(
  'a kill %i blocks above the heads of a majority is within 64 or waits for them',
  async (ahead) => {
    const { time, move, sighted } = await world(3)
    move({ ...mine(base, 'far', [kill]), number: base.number + ahead }, 0)
    await time.pass(1_000)
    expect(sighted()).toEqual(ahead === 64 ? [kill.txHash] : [])
    move(mine(base), 1, 2)
    await time.pass(1_000)
    expect(sighted()).toEqual([kill.txHash])
  },
)

test('an order that no longer holds proves nothing', async () => {
  const expired = await fakeKill(1, 'stop', 2_000n)
  const asked: unknown[] = []
  const { time, move, sighted } = await world(3, {
    mayKill(_, order) {
      asked.push(order?.deadline ?? null)
      return order === null
    },
  })
  move(mine(base, '', [expired, kill]), 0)
  await time.pass(5_000)
  expect(sighted()).toEqual([kill.txHash])
  expect(asked).toContain(2_000n)
})

test('a reorg needs the majority, a kill on the other branch does not', async () => {
  const { time, move, tip, sink, sighted } = await world(3)
  const old = mineOn(base, 3, 'old')
  move(old, 0, 1, 2)
  await time.pass(100)
  const other = mineOn(mine(base, 'new', [kill]), 1, 'new')
  move(other, 0)
  await time.pass(1_000)
  expect([tip(), sink.dropped(), sighted()]).toEqual([old.hash, [], [kill.txHash]])
  move(other, 1)
  await time.pass(100)
  expect([tip(), sink.dropped().length]).toEqual([other.hash, 3])
})

test('a node that lags, and an address that alternates between two nodes, are no reorg', async () => {
  const { time, rpc, move, tip, sink, errors, follower } = await world(1, {
    grantPoint: { kind: 'depth', blocks: 0 },
  })
  let head = base
  for (let i = 0; i < 10; i++) {
    const lagging = head
    head = mineOn(head, 3)
    move(head, 0)
    await time.pass(100)
    move(lagging, 0)
    await time.pass(2_000)
    rpc(0).head = genesis
    await time.pass(2_000)
    expect(tip()).toBe(head.hash)
  }
  expect([sink.dropped(), errors, follower.failure()]).toEqual([[], [], null])
})

test('old kills of a node that is syncing are not taken again', async () => {
  const { time, move, sighted, taken } = await world(1)
  move(mineOn(base, 20), 0)
  await time.pass(100)
  const past = mine(mineOn(genesis, 3, 'past'), 'past', [kill])
  move(past, 0)
  await time.pass(5_000)
  expect([sighted(), taken()]).toEqual([[], []])
})

test('below the grant point a reorg stops grants and raises the alarm, and kills on it still count', async () => {
  const { time, move, tip, grantPoint, sink, sighted, follower, errors } = await world(3)
  move(mineOn(base, 3), 0, 1, 2)
  await time.pass(100)
  const held = [tip(), grantPoint(), sink.heads().length]
  let other = mineOn(genesis, 14, 'other')
  move(other, 0)
  await time.pass(1_000)
  // One RPC on another chain is its own problem.
  expect([follower.failure(), follower.status().forkedBelowGrantPoint]).toEqual([null, false])
  move(other, 1)
  await time.pass(1_000)
  expect(follower.failure()).toBeInstanceOf(GrantPointForkedError)
  expect([follower.status().forkedBelowGrantPoint, errors[0]]).toEqual([true, follower.failure()])
  other = mineOn(mine(other, 'other', [kill]), 1, 'other')
  move(other, 0)
  await time.pass(1_000)
  expect(sighted()).toEqual([kill.txHash])
  expect([tip(), grantPoint(), sink.heads().length]).toEqual(held)
})

test('one RPC on another branch and a dead one are no fork, until the dead one says so too', async () => {
  const { time, rpc, move, follower } = await world(3)
  move(mineOn(base, 3), 0, 1, 2)
  await time.pass(100)
  const other = mineOn(genesis, 14, 'other')
  rpc(2).hanging = () => true
  move(other, 0)
  await time.pass(5_000)
  expect(follower.failure()).toBeInstanceOf(RpcUnavailableError)
  expect(follower.status().forkedBelowGrantPoint).toBe(false)
  rpc(2).hanging = () => false
  move(other, 2)
  await time.pass(5_000)
  expect(follower.failure()).toBeInstanceOf(GrantPointForkedError)
  expect(follower.status().forkedBelowGrantPoint).toBe(true)
})

test.each([
  ['serves another chain', 'WrongChainError'],
  ['knows no final block', 'NoGrantPointError'],
])('a start goes on while one RPC %s and one is dead, and ends once two say so', async (what, name) => {
  const lie = (fake: FakeRpc) => {
    fake.lies = (method, params) =>
      what === 'serves another chain'
        ? method === 'eth_chainId' && '0x5'
        : params[0] === 'finalized' &&
          new RpcResponseError(fake.rpc.url, method, { code: 1, message: 'unknown block' })
  }
  const grantPoint = { kind: 'finalized' } as const
  const { time, rpc, started } = await world(3, { grantPoint }, ([first, second]) => {
    if (first !== undefined) lie(first)
    if (second !== undefined) second.hanging = () => true
  })
  await time.pass(20_000)
  expect(started()).toBe('not yet')
  rpc(1).hanging = () => false
  lie(rpc(1))
  await time.pass(20_000)
  expect(started()).toBe(name)
})

test('a dead majority is a failure, a dead minority is not', async () => {
  const { time, rpc, follower } = await world(3)
  rpc(2).hanging = () => true
  await time.pass(5_000)
  expect(follower.failure()).toBeNull()
  rpc(1).hanging = () => true
  await time.pass(5_000)
  expect(follower.failure()).toBeInstanceOf(RpcUnavailableError)
  expect(follower.status().rpcs.map(({ failure }) => failure === null)).toEqual([true, false, false])
  for (const i of [1, 2]) rpc(i).hanging = () => false
  await time.pass(5_000)
  expect(follower.failure()).toBeNull()
})

test('only new blocks that a majority tells are a sign of sight, each once', async () => {
  const { time, move, sink } = await world(3)
  const numbers = () => sink.heads().map(({ number }) => number)
  expect(numbers()).toEqual([10])
  let lie = base
  for (let i = 0; i < 5; i++) {
    lie = mine(lie, 'lie')
    move(lie, 0)
    await time.pass(1_000)
  }
  expect(numbers()).toEqual([10])
  const head = mine(base)
  move(head, 1, 2)
  await time.pass(100)
  move(base, 1, 2)
  await time.pass(2_000)
  move(head, 1, 2)
  await time.pass(2_000)
  expect(numbers()).toEqual([10, 11])
})

test('blocks that are old by their own time are taken, but are no sign of sight', async () => {
  const { time, move, tip, sink } = await world(1, { maxHeadAge: 60_000 })
  const before = sink.heads().length
  await time.pass(120_000)
  const old = mine(base)
  move(old, 0)
  await time.pass(100)
  expect([tip(), sink.heads().length]).toEqual([old.hash, before])
  const young = { ...mine(old), time: 1_130 }
  move(young, 0)
  await time.pass(100)
  expect([tip(), sink.heads().length]).toEqual([young.hash, before + 1])
})

test('a store that fails takes the kills of first sight once it can', async () => {
  const { time, rpc, move, sink, sighted } = await world(3)
  for (const i of [1, 2]) rpc(i).hanging = () => true
  sink.fail('takeKills', 3)
  move(mine(base, '', [kill]), 0)
  await time.pass(2_000)
  expect(sighted()).toEqual([kill.txHash])
})
