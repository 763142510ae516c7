import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { toHex } from 'viem'
import { createChildren } from '../scripts/lib/children.ts'
import { monotonicNow } from '../scripts/lib/monotonic.ts'
import { loadKills } from './backfill/killLoader.ts'
import { type BareWorld, startBareWorld, startWorldRelayer } from './lib/bareWorld.ts'
import type { Bench, Benchmark } from './lib/benchmark.ts'
import { cpuTime } from './lib/cpuTime.ts'
import { installTool } from './lib/installTool.ts'
import { startPonder } from './lib/ponder.ts'

const blocks = 25_000
const killsPerBlock = 2
const agents = 50
/** Empty blocks at the end: Ponder calls what is 30 blocks deep final, and is ready once that is done. */
const tail = 64
/** ms */
const longest = 1_800_000

/** Most memory that a process ever had, in MiB. */
function peakMemory(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

/** How many kills a relayer has journalled; it must have ended. */
function countKills(file: string): number {
  const store = new DatabaseSync(file, { readOnly: true })
  try {
    return (store.prepare('SELECT count(*) AS kills FROM kills').get() as { kills: number }).kills
  } finally {
    store.close()
  }
}

/** How long a relayer takes from its start until it has everything, and what it needs for that. */
async function measureRelayer(world: BareWorld, run: Bench, expected: { head: number; kills: number }) {
  const started = monotonicNow()
  const relayer = await startWorldRelayer(world, run, longest)
  const seconds = (monotonicNow() - started) / 1000
  const { pid } = relayer.child.process
  const memory = peakMemory(pid)
  const cpu = cpuTime(pid) / 1000
  const metrics = await (await fetch(`${relayer.address.url}/metrics`)).text()
  const metric = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(metrics)?.[1])
  if (metric('killswitch_head_block') !== expected.head)
    throw new Error(`the relayer was ready at block ${metric('killswitch_head_block')} of ${expected.head}`)
  await relayer.child.stop()
  const journalled = countKills(path.join(run.data.file('relayer'), 'relayer.db'))
  if (journalled !== expected.kills)
    throw new Error(`the relayer's store has ${journalled} of ${expected.kills} kills`)
  run.say(`relayer: ${seconds.toFixed(1)} s, ${memory.toFixed(0)} MiB`)
  return { seconds, memory, cpu }
}

/** The same of Ponder. */
async function measurePonder(world: BareWorld, bench: Bench, expected: { kills: number }) {
  const started = monotonicNow()
  const ponder = await startPonder(world, bench)
  await ponder.ready(longest)
  const seconds = (monotonicNow() - started) / 1000
  const { pid } = ponder.child.process
  const memory = peakMemory(pid)
  const cpu = cpuTime(pid) / 1000
  const indexed = await ponder.countKills()
  if (indexed !== expected.kills) throw new Error(`Ponder has ${indexed} of ${expected.kills} kills`)
  bench.say(`Ponder: ${seconds.toFixed(1)} s, ${memory.toFixed(0)} MiB`)
  await ponder.child.stop()
  return { seconds, memory, cpu }
}

async function prepare(bench: Bench) {
  await installTool('ponder', bench.say)
  // No base fee and no old states: mining is all that this chain does for long.
  const world = await startBareWorld(bench, '--prune-history', '--block-base-fee-per-gas', '0')
  const started = monotonicNow()
  const kills = await loadKills(world, {
    blocks: bench.small ? blocks / 10 : blocks,
    killsPerBlock,
    agents,
    progress: (done) => {
      if (done % 5_000 === 0) bench.say(`${done} blocks mined`)
    },
  })
  await world.chain.request('anvil_mine', [toHex(tail)])
  const head = Number(await world.chain.client.getBlockNumber())
  bench.say(`${head} blocks with ${kills} kills in ${((monotonicNow() - started) / 1000).toFixed(0)} s`)
  const ponder = await measurePonder(world, bench, { kills })

  return async (run: Bench) => {
    const children = createChildren(run.data.file('logs'))
    run.defer(children.stop)
    const relayer = await measureRelayer({ ...world, children }, run, { head, kills })
    return {
      ratio: ponder.seconds / relayer.seconds,
      relayerSeconds: relayer.seconds,
      relayerBlocksPerSecond: head / relayer.seconds,
      ponderSeconds: ponder.seconds,
      ponderBlocksPerSecond: head / ponder.seconds,
      relayerCpu: relayer.cpu,
      ponderCpu: ponder.cpu,
      relayerMemory: relayer.memory,
      ponderMemory: ponder.memory,
    }
  }
}

export const backfill: Benchmark = {
  about: `${blocks.toLocaleString('en-GB')} blocks with ${(blocks * killsPerBlock).toLocaleString('en-GB')} kills, from process start to ready, beside Ponder on the same node`,
  runs: 3,
  figures: {
    ratio: { text: 'how many times as fast as Ponder', unit: '×', better: 'more', floor: 10, aim: 30 },
    relayerSeconds: { text: 'relayer, journal and audit log included', unit: 's' },
    relayerBlocksPerSecond: { text: 'relayer', unit: 'blocks/s' },
    ponderSeconds: { text: 'Ponder, an insert per kill into its default database, measured once', unit: 's' },
    ponderBlocksPerSecond: { text: 'Ponder', unit: 'blocks/s' },
    relayerCpu: { text: 'relayer, processor time', unit: 's' },
    ponderCpu: { text: 'Ponder, processor time', unit: 's' },
    relayerMemory: { text: 'relayer, most memory', unit: 'MiB' },
    ponderMemory: { text: 'Ponder, most memory', unit: 'MiB' },
  },
  prepare,
}
