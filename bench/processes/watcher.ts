// Watches the chain in one of three ways and notes when a kill is in its hands.
import process from 'node:process'
import { createPublicClient, decodeEventLog, type Hash, webSocket } from 'viem'
import { killSwitchAbi } from '../../protocol/generated/killSwitchAbi.ts'
import { createFollower } from '../../relayer/chain/follow/follower.ts'
import { systemClock } from '../../relayer/clock.ts'
import type { ChainBlock, ChainBlockHeader } from '../../relayer/kill/chainPort.ts'
import { monotonicNow } from '../../scripts/lib/monotonic.ts'
import { childLog, onParent, tellParent } from '../../scripts/lib/parent.ts'
import type { Sighting, WatcherMessage, WatcherSetup } from '../lib/headMessages.ts'

const sightings: Sighting[] = []
const announced: Sighting[] = []
const ready = (): void => tellParent<WatcherMessage>({ type: 'ready' })

/** As the relayer follows, with a sink that only notes. */
async function follow({ rpc, wsRpc, deployment, startBlock }: WatcherSetup): Promise<void> {
  let held: readonly ChainBlockHeader[] = []
  const noted = new Set<string>()
  // A kill is told twice: on first sight, and with the block that is taken.
  const note = (block: ChainBlock) => {
    const at = monotonicNow()
    for (const { event, txHash } of block.events) {
      if (event.type !== 'Killed' || noted.has(txHash)) continue
      noted.add(txHash)
      sightings.push({ txHash, at })
      announced.push({ txHash, at: block.seenMonotonic })
    }
  }
  const log = { debug: () => {}, info: () => {}, warn: childLog.warn, error: childLog.warn }
  const follower = createFollower({
    rpcs: [wsRpc, rpc],
    deployment,
    startBlock,
    grantPoint: { kind: 'depth', blocks: 0 },
    clock: systemClock,
    pollInterval: 1_000,
    log,
    sink: {
      load: async () => held,
      async takeKills(block) {
        note(block)
      },
      async takeBlocks(blocks) {
        for (const block of blocks) note(block)
        held = [...held, ...blocks]
      },
      async takeFinal(blocks) {
        for (const block of blocks) note(block)
        held = blocks.slice(-1)
      },
      async dropBlocks(blocks) {
        const gone = new Set(blocks.map(({ hash }) => hash))
        held = held.filter(({ hash }) => !gone.has(hash))
      },
      async advanceGrantPoint({ number }) {
        held = held.filter((block) => block.number >= number)
      },
      noteHead: () => {},
    },
  })
  await follower.start()
  ready()
}

/** The least that viem needs: each announced head, its logs, decoded. (`watchBlocks` asks for the block in between.) */
async function watch({ wsRpc, deployment }: WatcherSetup): Promise<void> {
  const client = createPublicClient({ transport: webSocket(wsRpc) })
  const take = async (blockHash: Hash): Promise<void> => {
    const seen = monotonicNow()
    const logs = await client.getLogs({ address: deployment.contract, blockHash })
    for (const { data, topics, transactionHash } of logs) {
      const { eventName } = decodeEventLog({ abi: killSwitchAbi, data, topics })
      if (eventName !== 'Killed') continue
      sightings.push({ txHash: transactionHash, at: monotonicNow() })
      announced.push({ txHash: transactionHash, at: seen })
    }
  }
  await client.transport.subscribe({
    params: ['newHeads'],
    onData: ({ result }) => void take((result as { hash: Hash }).hash),
    onError: (error: Error) => childLog.warn({}, error.message),
  })
  ready()
}

/** The node's own part: its announcement, and its answer to the one request that everybody has to make. */
function listen({ wsRpc, deployment }: WatcherSetup): void {
  const socket = new WebSocket(wsRpc)
  const asked = new Map<number, number>()
  let nextId = 2
  socket.onopen = () =>
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }))
  socket.onmessage = ({ data }) => {
    const at = monotonicNow()
    const message = JSON.parse(String(data)) as {
      id?: number
      method?: string
      params?: { result: { hash: string } }
      result?: readonly { transactionHash: string }[]
    }
    if (message.id === 1) ready()
    else if (message.method === 'eth_subscription') {
      const id = nextId++
      asked.set(id, at)
      const filter = { address: deployment.contract, blockHash: message.params?.result.hash }
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_getLogs', params: [filter] }))
    } else if (message.id !== undefined) {
      for (const txHash of new Set(message.result?.map(({ transactionHash }) => transactionHash))) {
        sightings.push({ txHash, at })
        announced.push({ txHash, at: asked.get(message.id) as number })
      }
    }
  }
}

const ways = { follower: follow, viem: watch, node: listen } as const

onParent<WatcherSetup>('setup', (setup) => {
  const way = ways[process.argv[2] as keyof typeof ways]
  Promise.resolve(way(setup)).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  })
})
onParent<{ readonly type: 'collect' }>('collect', () =>
  tellParent<WatcherMessage>({ type: 'collected', sightings, announced }),
)
process.channel?.ref()
process.once('SIGTERM', () => process.exit(0))
