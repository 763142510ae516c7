import { createHash } from 'node:crypto'
import { encodeAbiParameters, encodeEventTopics } from 'viem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import type { Hex } from '../../protocol/hex.ts'
import { ownerTarget } from '../../protocol/scope.ts'
import { createFollower, type FollowerOptions } from '../../relayer/chain/follow/follower.ts'
import { systemClock } from '../../relayer/clock.ts'
import { type ChainNode, nodeAt, startAnvil } from './anvil.ts'
import { accountAt, deployKillSwitch, type TestContract } from './contract.ts'
import { createRecordingSink, type RecordingSink } from './recordingSink.ts'
import { startRpcProxy } from './rpcProxy.ts'
import { startTcpProxy } from './tcpProxy.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

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

type RawBlock = { readonly number: Hex; readonly hash: Hex; readonly parentHash: Hex }
const quantity = (value: number): Hex => `0x${value.toString(16)}`
const latest = (node: Pick<ChainNode, 'request'>) =>
  node.request<RawBlock>('eth_getBlockByNumber', ['latest', false])

/** Everything that a node could make up of the contract in one block: a kill, a registration, a resume. */
function forgedLogs(contract: Hex, txHash: Hex, block: RawBlock): readonly unknown[] {
  const victim = ownerTarget(accountAt(1).address)
  const authority = accountAt(1).address
  const logs = [
    {
      topics: encodeEventTopics({
        abi: killSwitchAbi,
        eventName: 'Killed',
        args: { scope: victim.scope, subject: victim.subject, authority },
      }),
      data: encodeAbiParameters(
        [{ type: 'uint8' }, { type: 'uint16' }, { type: 'uint48' }, { type: 'bytes32' }, { type: 'string' }],
        [2, 1, 999, `0x${'00'.repeat(32)}`, 'forged'],
      ),
    },
    {
      topics: encodeEventTopics({
        abi: killSwitchAbi,
        eventName: 'Resumed',
        args: { scope: victim.scope, subject: victim.subject, authority },
      }),
      data: encodeAbiParameters([{ type: 'uint48' }, { type: 'uint40' }], [1000, 1]),
    },
    {
      topics: encodeEventTopics({
        abi: killSwitchAbi,
        eventName: 'GuardianAppointed',
        args: { owner: authority, guardian: accountAt(9).address },
      }),
      data: '0x',
    },
  ]
  return logs.map((log, i) => ({
    ...log,
    address: contract,
    blockHash: block.hash,
    blockNumber: block.number,
    transactionHash: txHash,
    logIndex: quantity(i),
  }))
}

/**
 * A node that lies in every way that one has: each of its heads is made up (a child of the real one, a sibling, a fork
 * further down, one far ahead), with forged events; in real blocks it hides the contract's events.
 * @param txHash of a real transaction of the victim that is no kill
 */
async function startLiar(node: ChainNode, contract: Hex, txHash: Hex) {
  const forged = new Map<Hex, RawBlock>()
  let lies = 0
  const forge = async (): Promise<RawBlock> => {
    const head = await latest(node)
    const lie = lies++
    const below = await node.request<RawBlock>('eth_getBlockByNumber', [
      quantity(Math.max(1, Number(head.number) - 3)),
      false,
    ])
    const places = [
      [Number(head.number) + 1, head.hash],
      [Number(head.number), head.parentHash],
      [Number(below.number), below.parentHash],
      [Number(head.number) + 100_000, head.hash],
    ] as const
    const [number, parentHash] = places[lie % places.length] ?? places[0]
    const hash: Hex = `0x${createHash('sha256').update(`lie ${lie}`).digest('hex')}`
    const block = { ...head, number: quantity(number), hash, parentHash, logsBloom: undefined }
    forged.set(hash, block)
    return block
  }
  const proxy = await startRpcProxy(node.httpUrl, async ({ method, params }) => {
    const [what] = params as [Hex | 'latest' | { readonly blockHash?: Hex }]
    if (method === 'eth_getBlockByNumber' && what === 'latest') return { result: await forge() }
    if (method === 'eth_getBlockByHash' && forged.has(what as Hex)) return { result: forged.get(what as Hex) }
    if (method === 'eth_getLogs' && typeof what === 'object') {
      const block = forged.get(what.blockHash ?? '0x')
      return { result: block === undefined ? [] : forgedLogs(contract, txHash, block) }
    }
    return null
  })
  return { ...proxy, lies: () => lies }
}

/** Kills that anyone ever took, sighted or with their block. */
const takenBy = (sink: RecordingSink): ReadonlySet<Hex> =>
  new Set([...sink.sighted(), ...sink.killsSeen()].map(({ txHash }) => txHash))

const atHead = async (node: ChainNode, sink: RecordingSink): Promise<void> => {
  const { hash } = await latest(node)
  await sink.until(() => sink.blocks().at(-1)?.hash === hash)
}

const expectCanonical = async (node: ChainNode, sink: RecordingSink): Promise<void> => {
  for (const { number, hash } of sink.blocks()) {
    const block = await node.request<RawBlock>('eth_getBlockByNumber', [quantity(number), false])
    expect(hash).toBe(block.hash)
  }
}

const followerOf = (
  contract: TestContract,
  sink: RecordingSink,
  options: Partial<FollowerOptions> & Pick<FollowerOptions, 'rpcs'>,
) =>
  later(
    createFollower({
      deployment: contract.deployment,
      startBlock: contract.deployedAt,
      grantPoint: { kind: 'depth', blocks: 4 },
      sink,
      clock: systemClock,
      pollInterval: 20,
      // The signature must decide: every authority may kill.
      mayKill: () => true,
      log: quiet,
      ...options,
    }),
    (follower) => follower.stop(),
  )

test('one RPC lies and another hangs: kills are seen, nothing forged is taken, real reorgs are followed', async () => {
  const node = later(await startAnvil(), (one) => one.stop())
  const contract = await deployKillSwitch(node)
  const registration = await contract.register(1, 1)
  await node.request('anvil_mine', ['0x8'])
  const liar = later(await startLiar(node, contract.deployment.contract, registration), (one) => one.stop())
  let hangs = false
  const sometimesHanging = later(
    await startRpcProxy(node.httpUrl, async () => (hangs ? 'silence' : null)),
    (one) => one.stop(),
  )
  const tcp = later(await startTcpProxy(node.port), (one) => one.stop())
  const sink = createRecordingSink()
  const follower = followerOf(contract, sink, {
    rpcs: [liar.url, nodeAt(tcp.port).wsUrl, sometimesHanging.url],
  })
  await follower.start()
  const real = new Set<Hex>()
  const kill = async (text: string): Promise<Hex> => {
    const { txHash } = await contract.killAll(1, text)
    real.add(txHash)
    return txHash
  }
  const seen = (txHash: Hex) => sink.until(() => takenBy(sink).has(txHash))
  const grantPoint = () => sink.blocks()[0]

  /** At the head and granted up to four blocks below. */
  const settled = async () => {
    await atHead(node, sink)
    await sink.until(() => sink.blocks().length === 5)
  }

  // Two honest ones are a majority.
  await seen(await kill('with a majority'))
  await settled()

  // One honest, one lying, one hanging: no majority, but the kill proves itself.
  hangs = true
  const before = grantPoint()
  const alone = await kill('without a majority')
  await node.request('anvil_mine', ['0x6'])
  const aloneToo = await kill('without a majority, later')
  await seen(alone)
  await seen(aloneToo)
  expect(grantPoint()).toEqual(before)
  expect(sink.dropped()).toEqual([])
  hangs = false
  await settled()
  expect(grantPoint()?.number).toBeGreaterThan(before?.number ?? 0)

  // A real reorg, and the kill again in another block of it.
  await node.request('evm_mine')
  const { raw, txHash } = await contract.killAll(1, 'moved')
  real.add(txHash)
  await atHead(node, sink)
  const old = sink.blocks().slice(-2)
  await node.request('anvil_reorg', [2, [[raw, 1]]])
  await atHead(node, sink)
  expect(sink.dropped().map(({ hash }) => hash)).toEqual(old.map(({ hash }) => hash).reverse())

  // The only announcing socket is half open: polling brings the kill, the watchdog brings the socket back.
  const connections = tcp.accepted()
  tcp.freeze()
  await seen(await kill('half open'))
  await tcp.untilAccepted(connections + 1)
  await seen(await kill('open again'))
  await atHead(node, sink)

  expect(liar.lies()).toBeGreaterThan(4)
  expect(new Set([...takenBy(sink)].filter((hash) => !real.has(hash)))).toEqual(new Set())
  expect(sink.dropped()).toHaveLength(2)
  expect(sink.kills().map(({ txHash: hash }) => hash)).toEqual([...real])
  await expectCanonical(node, sink)
  for (const { hash } of sink.heads()) {
    const block = await node.request<RawBlock | null>('eth_getBlockByHash', [hash, false])
    // What the real reorg undid is gone from the node.
    if (!old.some((dropped) => dropped.hash === hash)) expect(block?.hash).toBe(hash)
  }
  expect(follower.failure()).toBeNull()
})

test('of two RPCs one lies: nothing is granted or withdrawn, only proven kills are taken', async () => {
  const node = later(await startAnvil(), (one) => one.stop())
  const contract = await deployKillSwitch(node)
  const registration = await contract.register(1, 1)
  const liar = later(await startLiar(node, contract.deployment.contract, registration), (one) => one.stop())
  const sink = createRecordingSink()
  const starting = followerOf(contract, sink, { rpcs: [node.wsUrl, liar.url] })
  const start = starting.start().catch((error: Error) => error)
  for (const text of ['one', 'two', 'three']) {
    const { txHash } = await contract.killAll(1, text)
    await sink.until(() => takenBy(sink).has(txHash))
  }
  await node.request('anvil_reorg', [2, []])
  const { txHash } = await contract.killAll(1, 'after a reorg')
  await sink.until(() => takenBy(sink).has(txHash))
  expect(sink.sighted().every(({ event }) => event.type === 'Killed' && event.text !== 'forged')).toBe(true)
  expect(sink.blocks().every(({ number }) => number <= contract.deployedAt + 1)).toBe(true)
  expect([sink.dropped(), sink.killsSeen()]).toEqual([[], []])
  await starting.stop()
  expect(await start).toBeInstanceOf(Error)
})
