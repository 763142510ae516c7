import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import {
  createFollower,
  type FollowerOptions,
  FollowerStoppedError,
  NoGrantPointError,
} from '../../relayer/chain/follow/follower.ts'
import { GrantPointForkedError } from '../../relayer/chain/follow/headerChain.ts'
import { WrongChainError } from '../../relayer/chain/rpc/rpcErrors.ts'
import { systemClock } from '../../relayer/clock.ts'
import { type ChainNode, nodeAt, startAnvil } from './anvil.ts'
import { deployKillSwitch, type TestContract } from './contract.ts'
import { startHardhat } from './hardhatNode.ts'
import { createRecordingSink, type RecordingSink } from './recordingSink.ts'
import { startRpcProxy } from './rpcProxy.ts'
import { startTcpProxy } from './tcpProxy.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
/** Polls that never come again, so that only announcements and reconnections bring heads. */
const never = 3_600_000

let cleanUp: (() => Promise<unknown>)[] = []
beforeEach(() => {
  cleanUp = []
})
afterEach(async () => {
  for (const undo of cleanUp.reverse()) await undo()
})
const later = <T>(thing: T, undo: (thing: T) => Promise<unknown>): T => {
  cleanUp.push(() => undo(thing))
  return thing
}
const anvil = async (...args: readonly string[]) => later(await startAnvil(...args), (node) => node.stop())

const followerOf = (
  contract: TestContract,
  sink: RecordingSink,
  options: Partial<FollowerOptions> & Pick<FollowerOptions, 'rpcs'>,
) =>
  later(
    createFollower({
      deployment: contract.deployment,
      startBlock: contract.deployedAt,
      grantPoint: { kind: 'depth', blocks: 10 },
      sink,
      clock: systemClock,
      pollInterval: 20,
      log: quiet,
      ...options,
    }),
    (follower) => follower.stop(),
  )

type NodeBlock = { readonly number: Hex; readonly hash: Hex }

const latest = (node: Pick<ChainNode, 'request'>) =>
  node.request<NodeBlock>('eth_getBlockByNumber', ['latest', false])

const atHead = async (node: Pick<ChainNode, 'request'>, sink: RecordingSink): Promise<void> => {
  const { hash } = await latest(node)
  await sink.until(() => sink.blocks().at(-1)?.hash === hash)
}

const textsOf = (kills: ReturnType<RecordingSink['kills']>) =>
  kills.map(({ event }) => (event.type === 'Killed' ? event.text : ''))

const expectCanonical = async (node: Pick<ChainNode, 'request'>, sink: RecordingSink): Promise<void> => {
  for (const { number, hash } of sink.blocks()) {
    const block = await node.request<NodeBlock>('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])
    expect(hash).toBe(block.hash)
  }
}

describe.each([
  ['Hardhat', startHardhat],
  ['anvil', () => startAnvil()],
] as const)('on %s', (_, startNode) => {
  test.each(['httpUrl', 'wsUrl'] as const)(
    '%s: kills from before, live, and in a gap, at every grant point',
    async (url) => {
      const node = later(await startNode(), (one) => one.stop())
      const contract = await deployKillSwitch(node)
      await contract.register(1, 1)
      await contract.killAll(1, 'before')
      const sink = createRecordingSink()
      const depthZero = createRecordingSink()
      const follower = followerOf(contract, sink, { rpcs: [node[url]] })
      const granting = followerOf(contract, depthZero, {
        rpcs: [node[url]],
        grantPoint: { kind: 'depth', blocks: 0 },
      })
      await Promise.all([follower.start(), granting.start()])
      expect(textsOf(sink.kills())).toEqual(['before'])
      expect(textsOf(depthZero.kills())).toEqual(['before'])
      expect(depthZero.blocks()).toHaveLength(1)

      await contract.killAll(1, 'live')
      // One by one: blocks of hardhat_mine have no parent hashes.
      for (let i = 0; i < 150; i++) await node.request('evm_mine')
      await contract.killAll(1, 'after the gap')
      await Promise.all([atHead(node, sink), atHead(node, depthZero)])
      await sink.until(() => sink.blocks().length === 11)
      await depthZero.until(() => depthZero.blocks().length === 1)
      expect(textsOf(sink.kills())).toEqual(['before', 'live', 'after the gap'])
      expect(textsOf(depthZero.kills())).toEqual(['before', 'live', 'after the gap'])
      await expectCanonical(node, sink)
      expect(follower.failure()).toBeNull()
      expect(sink.heads().at(-1)?.hash).toBe((await latest(node)).hash)
    },
  )
})

test('a block that may hold kills is announced before its events are asked for, and no other', async () => {
  const node = await anvil()
  const contract = await deployKillSwitch(node)
  await contract.register(1, 1)
  const sink = createRecordingSink()
  const killsThen: number[] = []
  const onMayHoldKills = () => void killsThen.push(sink.kills().length)
  await followerOf(contract, sink, { rpcs: [node.wsUrl], onMayHoldKills }).start()
  killsThen.length = 0
  for (let i = 0; i < 5; i++) await node.request('evm_mine')
  await atHead(node, sink)
  expect(killsThen).toEqual([])
  await contract.killAll(1, 'live')
  await atHead(node, sink)
  expect(killsThen).toEqual([0])
})

test('the finalized tag of the chain is a grant point', async () => {
  const node = await anvil('--slots-in-an-epoch', '2')
  const contract = await deployKillSwitch(node)
  await node.request('anvil_mine', ['0x14'])
  const sink = createRecordingSink()
  await followerOf(contract, sink, { rpcs: [node.wsUrl], grantPoint: { kind: 'finalized' } }).start()
  const grantPoint = () => sink.blocks()[0]?.number ?? -1
  const finalized = async () =>
    Number((await node.request<NodeBlock>('eth_getBlockByNumber', ['finalized', false])).number)
  expect(grantPoint()).toBe(await finalized())
  await contract.register(1, 1)
  const expected = await finalized()
  await sink.until(() => grantPoint() === expected)
  expect(expected).toBeGreaterThan(15)
})

describe('a reorg', () => {
  test.each(['httpUrl', 'wsUrl'] as const)(
    '%s: drops kills highest first and takes them where they come again',
    async (url) => {
      const node = await anvil()
      const contract = await deployKillSwitch(node)
      await contract.register(1, 1)
      const sink = createRecordingSink()
      await followerOf(contract, sink, { rpcs: [node[url]] }).start()
      const first = await contract.killAll(1, 'one')
      const second = await contract.killAll(1, 'two')
      await atHead(node, sink)
      const old = sink.blocks().slice(-2)

      await node.request('anvil_reorg', [2, []])
      await atHead(node, sink)
      expect(sink.dropped().map(({ hash }) => hash)).toEqual(old.map(({ hash }) => hash).reverse())
      expect(textsOf(sink.kills())).toEqual([])

      await node.request('eth_sendRawTransaction', [first.raw])
      await node.request('eth_sendRawTransaction', [second.raw])
      await sink.until(() => sink.kills().length === 2)
      expect(textsOf(sink.kills())).toEqual(['one', 'two'])
      expect(sink.kills().map(({ txHash }) => txHash)).toEqual([first.txHash, second.txHash])
      expect(textsOf(sink.killsSeen())).toEqual(['one', 'two', 'one', 'two'])
      await expectCanonical(node, sink)
    },
  )

  test('that mines a kill again at another height', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const sink = createRecordingSink()
    await followerOf(contract, sink, { rpcs: [node.wsUrl, node.httpUrl] }).start()
    const { raw, txHash } = await contract.killAll(1, 'moved')
    await node.request('anvil_mine', ['0x3'])
    await atHead(node, sink)
    await node.request('anvil_reorg', [4, [[raw, 2]]])
    await atHead(node, sink)
    await sink.until(() => sink.kills().length === 1)
    expect(sink.killsSeen().map((kill) => kill.txHash)).toEqual([txHash, txHash])
    expect(sink.dropped()).toHaveLength(4)
    await expectCanonical(node, sink)
  })

  test('below the grant point takes and grants nothing any more, and says why', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await node.request('anvil_mine', ['0x8'])
    const sink = createRecordingSink()
    const options = { rpcs: [node.httpUrl], grantPoint: { kind: 'depth', blocks: 2 } } as const
    const errors: unknown[] = []
    const follower = followerOf(contract, sink, {
      ...options,
      log: {
        ...quiet,
        error(fields) {
          errors.push(fields.error)
          wake()
        },
      },
    })
    let wake = () => {}
    const failed = new Promise<void>((resolve) => {
      wake = resolve
    })
    await follower.start()
    const held = sink.blocks()
    await node.request('anvil_reorg', [5, []])
    await failed
    expect(errors[0]).toBeInstanceOf(GrantPointForkedError)
    expect(follower.failure()).toBeInstanceOf(GrantPointForkedError)
    expect(sink.blocks()).toEqual(held)
    expect(new Set(sink.heads().map(({ hash }) => hash))).toEqual(new Set([held.at(-1)?.hash]))
    await follower.stop()
    await expect(followerOf(contract, sink, options).start()).rejects.toThrow(GrantPointForkedError)
  })
})

describe('a restart', () => {
  test('goes on from the cursor, and takes nothing twice', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const sink = createRecordingSink()
    const first = followerOf(contract, sink, { rpcs: [node.wsUrl] })
    await first.start()
    await contract.killAll(1, 'first life')
    await atHead(node, sink)
    await first.stop()
    await contract.killAll(1, 'between')
    await node.request('anvil_mine', ['0xc8'])
    await contract.killAll(1, 'between, late')
    await followerOf(contract, sink, { rpcs: [node.wsUrl] }).start()
    await contract.killAll(1, 'second life')
    await atHead(node, sink)
    expect(textsOf(sink.killsSeen())).toEqual(['first life', 'between', 'between, late', 'second life'])
    // Most of the 200 blocks between were covered by a range of logs.
    expect(sink.takes().flat().length).toBeLessThan(40)
    await expectCanonical(node, sink)
  })

  test.each([0, 100])(
    'finds the fork point of a reorg that came meanwhile, under %i more blocks',
    async (more) => {
      const node = await anvil()
      const contract = await deployKillSwitch(node)
      await contract.register(1, 1)
      const sink = createRecordingSink()
      const first = followerOf(contract, sink, { rpcs: [node.httpUrl] })
      await first.start()
      await contract.killAll(1, 'undone')
      await contract.killAll(1, 'undone too')
      await atHead(node, sink)
      await first.stop()
      await node.request('anvil_reorg', [2, []])
      await contract.killAll(1, 'other')
      for (let i = 0; i < more; i++) await node.request('evm_mine')
      await followerOf(contract, sink, { rpcs: [node.httpUrl] }).start()
      expect(textsOf(sink.kills())).toEqual(['other'])
      expect(sink.dropped()).toHaveLength(2)
      await expectCanonical(node, sink)
    },
  )

  test('mends a back-fill that a crash cut between a range and its grant point', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    await contract.killAll(1, 'early')
    await node.request('anvil_mine', ['0x64'])
    const sink = createRecordingSink()
    sink.fail('advanceGrantPoint', Number.POSITIVE_INFINITY)
    const crashed = followerOf(contract, sink, { rpcs: [node.httpUrl] })
    const start = crashed.start()
    await sink.until(() => sink.takes().length === 1)
    await Promise.all([expect(start).rejects.toThrow('stopped'), crashed.stop()])
    sink.fail('advanceGrantPoint', 0)
    await followerOf(contract, sink, { rpcs: [node.httpUrl] }).start()
    expect(textsOf(sink.killsSeen())).toEqual(['early'])
    expect(sink.blocks()).toHaveLength(11)
    await expectCanonical(node, sink)
  })
})

test('a store that fails for a while loses nothing', async () => {
  const node = await anvil()
  const contract = await deployKillSwitch(node)
  await contract.register(1, 1)
  const sink = createRecordingSink()
  await followerOf(contract, sink, { rpcs: [node.wsUrl], pollInterval: never, random: () => 0 }).start()
  await contract.killAll(1, 'undone')
  await atHead(node, sink)
  sink.fail('takeBlocks', 2)
  sink.fail('dropBlocks', 1)
  await node.request('anvil_reorg', [1, []])
  await contract.killAll(1, 'kept')
  await atHead(node, sink)
  expect(textsOf(sink.kills())).toEqual(['kept'])
  await expectCanonical(node, sink)
})

describe('a WebSocket', () => {
  /** Time runs 20 times as fast for time limits, so that 10 s of silence take half a second. */
  const fast: NonNullable<FollowerOptions['schedule']> = (ms, action) => {
    const timer = setTimeout(action, ms / 20)
    return () => clearTimeout(timer)
  }

  test.each(['cut', 'freeze'] as const)('%s: is opened again, and what was missed is taken', async (way) => {
    const node = await anvil()
    const proxy = later(await startTcpProxy(node.port), (one) => one.stop())
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const sink = createRecordingSink()
    await followerOf(contract, sink, {
      rpcs: [nodeAt(proxy.port).wsUrl],
      pollInterval: never,
      schedule: fast,
    }).start()
    await contract.killAll(1, 'before')
    await atHead(node, sink)
    for (const round of [1, 2, 3]) {
      const connections = proxy.accepted()
      proxy[way]()
      await contract.killAll(1, `missed ${round}`)
      await atHead(node, sink)
      expect(proxy.accepted()).toBeGreaterThan(connections)
      await contract.killAll(1, `after ${round}`)
      await atHead(node, sink)
    }
    expect(textsOf(sink.killsSeen())).toEqual([
      'before',
      ...[1, 2, 3].flatMap((round) => [`missed ${round}`, `after ${round}`]),
    ])
  })

  test('frozen: polling over it notices, long before the watchdog', async () => {
    const node = await anvil()
    const proxy = later(await startTcpProxy(node.port), (one) => one.stop())
    const contract = await deployKillSwitch(node)
    const sink = createRecordingSink()
    // Time limits of 10 s and more never end here.
    const noWatchdog: NonNullable<FollowerOptions['schedule']> = (ms, action) =>
      ms >= 10_000 ? () => {} : fast(ms, action)
    await followerOf(contract, sink, {
      rpcs: [nodeAt(proxy.port).wsUrl],
      pollInterval: 1_000,
      schedule: noWatchdog,
    }).start()
    proxy.freeze()
    await contract.register(1, 1)
    await contract.killAll(1, 'missed')
    await sink.until(() => sink.kills().length === 1)
  })

  test('another RPC carries on meanwhile', async () => {
    const node = await anvil()
    const proxy = later(await startTcpProxy(node.port), (one) => one.stop())
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const sink = createRecordingSink()
    await followerOf(contract, sink, { rpcs: [nodeAt(proxy.port).wsUrl, node.httpUrl, node.wsUrl] }).start()
    await proxy.stop()
    proxy.cut()
    await contract.killAll(1, 'seen')
    await atHead(node, sink)
    expect(textsOf(sink.kills())).toEqual(['seen'])
  })
})

describe('an RPC', () => {
  test.each([1, 7, 50])('that gives logs of at most %i blocks at once is back-filled from', async (limit) => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    for (const text of ['a', 'b', 'c']) {
      await contract.killAll(1, text)
      await node.request('anvil_mine', ['0x1e'])
    }
    const proxy = later(
      await startRpcProxy(node.httpUrl, async ({ method, params }) => {
        if (method !== 'eth_getLogs') return null
        const { fromBlock, toBlock } = params[0] as { fromBlock?: Hex; toBlock?: Hex }
        if (fromBlock === undefined || toBlock === undefined) return null
        if (Number(toBlock) - Number(fromBlock) < limit) return null
        return { error: { code: -32005, message: `query exceeds max block range ${limit}` } }
      }),
      (one) => one.stop(),
    )
    const sink = createRecordingSink()
    await followerOf(contract, sink, { rpcs: [proxy.url] }).start()
    expect(textsOf(sink.killsSeen())).toEqual(['a', 'b', 'c'])
    expect(sink.blocks()).toHaveLength(11)
    expect(sink.takes().length).toBeGreaterThan(80 / limit)
  })

  test('that has a header before its logs is not believed; another is asked at once', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const lagging = later(
      await startRpcProxy(node.httpUrl, async ({ method }) =>
        method === 'eth_getLogs' ? { result: [] } : null,
      ),
      (one) => one.stop(),
    )
    const alone = createRecordingSink()
    const follower = followerOf(contract, alone, { rpcs: [lagging.url] })
    const start = follower.start()
    await contract.killAll(1, 'not hidden')
    const refusals = () => lagging.calls.filter(({ method }) => method === 'eth_getLogs').length
    const sink = createRecordingSink()
    await followerOf(contract, sink, { rpcs: [lagging.url, node.httpUrl, node.wsUrl] }).start()
    await contract.killAll(1, 'nor this')
    await sink.until(() => textsOf(sink.kills()).includes('nor this'))
    expect(textsOf(sink.kills())).toEqual(['not hidden', 'nor this'])
    expect(alone.takes().flat()).toHaveLength(1)
    await Promise.all([expect(start).rejects.toThrow(FollowerStoppedError), follower.stop()])
    expect(refusals()).toBeGreaterThan(2)
  })

  test('that is dead or hangs does not stop the next', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    await contract.register(1, 1)
    const hanging = later(await startRpcProxy(node.httpUrl, async () => 'silence'), (one) => one.stop())
    const sink = createRecordingSink()
    await followerOf(contract, sink, {
      rpcs: ['http://127.0.0.1:1', hanging.url, node.httpUrl, node.wsUrl, `${node.httpUrl}?again`],
    }).start()
    await contract.killAll(1, 'seen')
    await atHead(node, sink)
    expect(textsOf(sink.kills())).toEqual(['seen'])
  })

  test('of another chain is refused', async () => {
    const node = await anvil()
    const other = await anvil('--chain-id', '5')
    const contract = await deployKillSwitch(node)
    const alone = followerOf(contract, createRecordingSink(), { rpcs: [other.httpUrl] })
    await expect(alone.start()).rejects.toThrow(WrongChainError)
    const halved = followerOf(contract, createRecordingSink(), { rpcs: [node.wsUrl, other.httpUrl] })
    const start = halved.start()
    start.catch(() => {})
    // One RPC's word ends no start; of two, it shows what is wrong.
    await expect.poll(() => halved.failure()?.message).toContain('serves chain 5')
    await halved.stop()
    await expect(start).rejects.toThrow(FollowerStoppedError)
    const sink = createRecordingSink()
    await followerOf(contract, sink, { rpcs: [other.wsUrl, node.wsUrl, node.httpUrl] }).start()
    await other.request('anvil_mine', ['0x5'])
    await contract.register(1, 1)
    await contract.killAll(1, 'seen')
    await atHead(node, sink)
    await expectCanonical(node, sink)
    expect(sink.dropped()).toEqual([])
  })

  test('that knows no finalized block stops the start', async () => {
    const node = await anvil()
    const contract = await deployKillSwitch(node)
    const proxy = later(
      await startRpcProxy(node.httpUrl, async ({ params }) =>
        params[0] === 'finalized' ? { result: null } : null,
      ),
      (one) => one.stop(),
    )
    const follower = followerOf(contract, createRecordingSink(), {
      rpcs: [proxy.url],
      grantPoint: { kind: 'finalized' },
    })
    await expect(follower.start()).rejects.toThrow(NoGrantPointError)
  })
})
