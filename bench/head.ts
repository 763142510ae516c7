import { setTimeout as sleep } from 'node:timers/promises'
import { receive } from '../scripts/lib/receive.ts'
import { type BareWorld, registerFleet, startBareWorld } from './lib/bareWorld.ts'
import type { Bench, Benchmark } from './lib/benchmark.ts'
import type { Sighting, WatcherMessage, WatcherSetup } from './lib/headMessages.ts'
import { installTool } from './lib/installTool.ts'
import { startPonder } from './lib/ponder.ts'
import { quantile } from './lib/statistics.ts'
import { transactionKills } from './lib/transactionKills.ts'

const killCount = 200
/** ms between two kills, each with a block of its own; a jitter keeps it out of step with anybody's polling */
const interval = 150
const jitter = 50
/** ms until the slowest has the last one */
const settle = 5_000
const ponderTimeout = 120_000

const watchers = ['follower', 'viem', 'node'] as const

function startWatcher(
  { children, chain, deployment, startBlock }: BareWorld,
  way: (typeof watchers)[number],
) {
  const child = children.start({ name: way, script: 'bench/processes/watcher.ts', args: [way] })
  child.send({
    type: 'setup',
    rpc: chain.rpc,
    wsRpc: chain.wsRpc,
    deployment,
    startBlock: Number(startBlock),
  } satisfies WatcherSetup)
  return {
    ready: () => receive<WatcherMessage, 'ready'>(child, 'ready'),
    collect() {
      const answer = receive<WatcherMessage, 'collected'>(child, 'collected')
      child.send({ type: 'collect' })
      return answer
    },
  }
}

const byTransaction = (sightings: readonly Sighting[]): ReadonlyMap<string, number> =>
  new Map(sightings.map(({ txHash, at }) => [txHash.toLowerCase(), at]))

async function run(bench: Bench) {
  const count = bench.small ? killCount / 10 : killCount
  const world = await startBareWorld(bench)
  const { alice } = world.wallets.accounts
  const fleet = await registerFleet(world, alice, count)
  // Below this Ponder calls nothing final, and begins with the chain's end.
  await world.chain.request('anvil_mine', ['0x40'])
  const ponder = await startPonder(world, bench)
  await ponder.ready(ponderTimeout)
  const [follower, viem, node] = watchers.map((way) => startWatcher(world, way))
  for (const one of [follower, viem, node]) await one?.ready()
  const kills = await transactionKills(world, alice, fleet)
  // Each watcher's first heads pay for its compiler.
  for (let warm = 0; warm < 20; warm += 1) {
    await world.chain.request('evm_mine', [])
    await sleep(interval)
  }
  const before = Number(await world.chain.client.getBlockNumber())
  bench.say(`${count} kills, a block each`)
  const sent: string[] = []
  for (const kill of kills) {
    sent.push((await kill()).toLowerCase())
    await sleep(interval + Math.random() * jitter)
  }
  await sleep(settle)
  const answers = await Promise.all([follower, viem, node].map((one) => one?.collect()))
  const [followed, watched, listened] = answers.map((answer) => byTransaction(answer?.sightings ?? []))
  const handled = byTransaction(
    (await ponder.killsAfter(before)).map(({ txHash, handledAt }) => ({ txHash, at: handledAt })),
  )
  const announced = byTransaction(answers[2]?.announced ?? [])

  /** From the node's announcement to what a watcher has, and the same from the node's own answer. */
  const latencies = (name: string, had: ReadonlyMap<string, number> | undefined) => {
    const missing = sent.filter((txHash) => had?.has(txHash) !== true)
    if (missing.length > 0) throw new Error(`${name} missed ${missing.length} of ${sent.length} kills`)
    const from = (start: ReadonlyMap<string, number> | undefined) =>
      sent.map((txHash) => (had?.get(txHash) as number) - (start?.get(txHash) as number))
    return { total: from(announced), over: from(listened) }
  }
  const ours = latencies('the follower', followed)
  const theirs = latencies('the viem loop', watched)
  const ponders = latencies('Ponder', handled)
  const own = latencies('the node', listened)
  return {
    overP99: quantile(ours.over, 0.99),
    overP50: quantile(ours.over, 0.5),
    totalP50: quantile(ours.total, 0.5),
    totalP99: quantile(ours.total, 0.99),
    rpcP50: quantile(own.total, 0.5),
    rpcP99: quantile(own.total, 0.99),
    viemP50: quantile(theirs.total, 0.5),
    viemP99: quantile(theirs.total, 0.99),
    ponderP50: quantile(ponders.total, 0.5),
    ponderP99: quantile(ponders.total, 0.99),
  }
}

export const head: Benchmark = {
  about: `header at the RPC → kill in the executor's hands, ${killCount} blocks with a kill each, beside viem and Ponder on the same node at the same time`,
  runs: 2,
  figures: {
    overP99: {
      text: "follower, p99 over the RPC's own answer",
      unit: 'ms',
      better: 'less',
      floor: 20,
      aim: 5,
    },
    overP50: { text: "follower, p50 over the RPC's own answer", unit: 'ms' },
    totalP50: { text: 'follower, header → executor p50', unit: 'ms' },
    totalP99: { text: 'follower, header → executor p99', unit: 'ms' },
    rpcP50: { text: "the RPC's own answer to eth_getLogs p50", unit: 'ms' },
    rpcP99: { text: "the RPC's own answer to eth_getLogs p99", unit: 'ms' },
    viemP50: { text: 'viem newHeads + getLogs, header → decoded p50', unit: 'ms' },
    viemP99: { text: 'viem newHeads + getLogs, header → decoded p99', unit: 'ms' },
    ponderP50: { text: 'Ponder, header → handler p50', unit: 'ms' },
    ponderP99: { text: 'Ponder, header → handler p99', unit: 'ms' },
  },
  prepare: async (bench) => {
    await installTool('ponder', bench.say)
    return run
  },
}
