import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Hex } from 'viem'
import type { FleetAgent } from '../scripts/lib/fleet.ts'
import { monotonicNow } from '../scripts/lib/monotonic.ts'
import { receive } from '../scripts/lib/receive.ts'
import { registerFleet, startBareWorld, startWorldRelayer } from './lib/bareWorld.ts'
import type { Bench, Benchmark, FigureSpec } from './lib/benchmark.ts'
import { connectAgents, startEnforcers, startSubscribers } from './lib/fleet.ts'
import {
  type FloodKind,
  type FloodMessage,
  type FloodSetup,
  floodKinds,
  floodTexts,
} from './lib/floodMessages.ts'
import { createKiller } from './lib/killer.ts'
import { quantile } from './lib/statistics.ts'
import { yieldCores, yielding } from './lib/yieldCores.ts'

/** So many that the 99th percentile is not the slowest of all. */
const killsPerPhase = 200
const warmUp = 10
/** ms between two kills */
const interval = 100
/** ms from the start of a flood to the first kill */
const rise = 2_000
/** ms after a flood, so that none disturbs the next */
const ebb = 2_000
/** Kills that are not enforced after this time count with it, in ms. */
const longest = 15_000
const connected = 50
const requestInterval = 100
const enforcerCount = 2
const subscriberCount = 100

async function run(bench: Bench) {
  const kills = bench.small ? killsPerPhase / 10 : killsPerPhase
  const world = await startBareWorld(bench)
  const { alice } = world.wallets.accounts
  const funded = readFileSync(world.wallets.keyFiles.bob, 'utf8').trim() as Hex
  const fleet = await registerFleet(world, alice, connected + (floodKinds.length + 2) * kills + warmUp)
  const relayer = await startWorldRelayer(world, bench)
  await world.chain.mineEvery(1)
  const { url } = relayer.address
  await startSubscribers(world).hold(`${url}/revocations/stream`, subscriberCount)
  const enforcers = await startEnforcers(world, relayer, enforcerCount)
  await connectAgents(world, {
    relayer,
    services: enforcers.services,
    agents: fleet.slice(0, connected),
    processes: 1,
    interval: requestInterval,
  })
  const killer = await createKiller(world, relayer, alice)
  let next = connected

  /** From sending an order to the moment at which the last enforcer has enforced it. */
  const measure = async (agents: readonly FleetAgent[]) => {
    const prepared = []
    for (const agent of agents) prepared.push(await killer.byOrder(agent))
    const sent = new Map<string, number>()
    const enforcedAt = new Map<string, number[]>()
    const listeners = enforcers.services.map(({ child }) => {
      const listener = (message: { type: string; target?: string; at?: number }): void => {
        if (message.type !== 'enforced' || message.target === undefined) return
        const had = enforcedAt.get(message.target) ?? []
        enforcedAt.set(message.target, [...had, message.at as number])
      }
      child.process.on('message', listener)
      return () => child.process.off('message', listener)
    })
    const answered: number[] = []
    const posts: Promise<void>[] = []
    for (const [index, kill] of prepared.entries()) {
      const at = monotonicNow()
      sent.set(`Agent ${(agents[index] as FleetAgent).uuid}`, at)
      posts.push(
        kill().then(
          () => void answered.push(monotonicNow() - at),
          () => {},
        ),
      )
      await sleep(interval)
    }
    const done = (): boolean =>
      [...sent.keys()].every((target) => enforcedAt.get(target)?.length === enforcerCount)
    for (const deadline = monotonicNow() + longest; !done() && monotonicNow() < deadline; ) await sleep(50)
    await Promise.all(posts)
    for (const stop of listeners) stop()
    const latencies = [...sent].map(([target, at]) => {
      const moments = enforcedAt.get(target) ?? []
      return moments.length < enforcerCount ? longest : Math.max(...moments) - at
    })
    return { latencies, failed: latencies.filter((ms) => ms >= longest).length, answered }
  }
  const take = (): readonly FleetAgent[] => {
    next += kills
    return fleet.slice(next - kills, next)
  }

  const underFlood = async (kind: FloodKind) => {
    const child = world.children.start({ name: `flood-${kind}`, script: 'bench/processes/flood.ts' })
    yieldCores(child.process.pid, yielding.client)
    const agent = fleet[0] as FleetAgent
    child.send({
      type: 'setup',
      kind,
      url,
      rpc: world.chain.rpc,
      deployment: world.deployment,
      agent: { uuid: agent.uuid, spiffeId: agent.spiffeId, owner: alice.address.toLowerCase() as Hex },
      funded,
    } satisfies FloodSetup)
    await receive<FloodMessage, 'flooding'>(child, 'flooding')
    await sleep(rise)
    const started = monotonicNow()
    const measured = await measure(take())
    const seconds = (rise + monotonicNow() - started) / 1000
    const counting = receive<FloodMessage, 'counted'>(child, 'counted')
    child.send({ type: 'count' })
    const { sent, answers } = await counting
    await child.stop()
    await sleep(ebb)
    const shown = Object.entries(answers)
      .map(([what, count]) => `${count} × ${what}`)
      .join(', ')
    bench.say(
      `${kind}: p50 ${quantile(measured.latencies, 0.5).toFixed(0)} ms, p99 ${quantile(measured.latencies, 0.99).toFixed(0)} ms, ${measured.failed} kills lost; ${(sent / seconds).toFixed(0)} requests/s, answered ${shown}`,
    )
    return { ...measured, rate: sent / seconds }
  }

  // The first of everything pays for the compiler.
  await measure(fleet.slice(-warmUp))
  const before = await measure(take())
  const figures: Record<string, number> = {}
  const flooded: [FloodKind, Awaited<ReturnType<typeof underFlood>>][] = []
  for (const kind of floodKinds) flooded.push([kind, await underFlood(kind)])
  const after = await measure(take())
  const calmP99 = quantile([...before.latencies, ...after.latencies], 0.99)
  figures.calmP50 = quantile([...before.latencies, ...after.latencies], 0.5)
  figures.calmP99 = calmP99
  for (const [kind, { latencies, rate, failed }] of flooded) {
    figures[`${kind}Ratio`] = quantile(latencies, 0.99) / calmP99
    figures[`${kind}P99`] = quantile(latencies, 0.99)
    figures[`${kind}Lost`] = failed
    figures[`${kind}Rate`] = rate
  }
  return figures
}

const figuresOf = (kind: FloodKind): Readonly<Record<string, FigureSpec>> => ({
  [`${kind}Ratio`]: {
    text: `${floodTexts[kind]}: kill p99 against calm`,
    unit: '×',
    better: 'less',
    floor: 2,
  },
  [`${kind}P99`]: { text: '    kill p99', unit: 'ms' },
  [`${kind}Lost`]: { text: '    not enforced', unit: 'kills' },
  [`${kind}Rate`]: { text: '    begun by the flood', unit: '/s' },
})

export const flood: Benchmark = {
  about: `from sending an order to its enforcement at the last of ${enforcerCount} points, calm and under floods; ${killsPerPhase} kills each`,
  runs: 2,
  figures: {
    calmP50: { text: 'calm: kill p50', unit: 'ms' },
    calmP99: { text: 'calm: kill p99', unit: 'ms' },
    ...Object.assign({}, ...floodKinds.map(figuresOf)),
  },
  prepare: async () => run,
}
