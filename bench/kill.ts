import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetAgent } from '../scripts/lib/fleet.ts'
import { monotonicNow } from '../scripts/lib/monotonic.ts'
import { receive } from '../scripts/lib/receive.ts'
import { type BareWorld, registerFleet, startBareWorld, startWorldRelayer } from './lib/bareWorld.ts'
import type { Bench, Benchmark, FigureSpec } from './lib/benchmark.ts'
import { cpuTime } from './lib/cpuTime.ts'
import { connectAgents, type Subscribers, startEnforcers, startSubscribers } from './lib/fleet.ts'
import type { BareStreamMessage, PublishCommand } from './lib/fleetMessages.ts'
import { confirmedKills, createKiller, type PreparedKill } from './lib/killer.ts'
import { quantile } from './lib/statistics.ts'
import { yieldCores, yielding } from './lib/yieldCores.ts'

const connected = 1_000
/** ms between two requests of an agent: 10 per second */
const requestInterval = 100
const agentProcesses = 2
const enforcerCount = 4
const killCount = 100
/** ms between two kills */
const killInterval = 150
/** ms without kills before the first, so that agents have found their pace */
const calm = 3_000
const referenceRounds = 30
/** ms */
const referenceInterval = 150

const isByOrder = (index: number): boolean => index % 2 === 0

/** The larger first: the enforcers come after all these in the feed's order, so none of them is served early. */
const sizes = [5_000, 1_000] as const

/** How a message comes to so many subscribers of the least server there can be. */
async function measureReference(
  { children }: BareWorld,
  subscribers: Subscribers,
  options: { readonly count: number; readonly frame: string },
) {
  const child = children.start({ name: 'bare-stream', script: 'bench/processes/bareStream.ts' })
  const { url } = await receive<BareStreamMessage, 'ready'>(child, 'ready')
  await subscribers.hold(url, 0)
  await subscribers.hold(url, options.count)
  await subscribers.collect()
  const published: number[] = []
  for (let round = 0; round < referenceRounds; round += 1) {
    const answer = receive<BareStreamMessage, 'published'>(child, 'published')
    child.send({
      type: 'publish',
      frame: options.frame.replace(/"killId":"[^"]+"/, `"killId":"${round}"`),
    } satisfies PublishCommand)
    published.push((await answer).at)
    await sleep(referenceInterval)
  }
  const { deliveries } = await subscribers.collect()
  await child.stop()
  return deliveries.flatMap(({ killId, arrivals }) => {
    const at = published[Number(killId)] as number
    return arrivals.map((arrival) => arrival - at)
  })
}

async function run(bench: Bench) {
  const scale = bench.small ? 10 : 1
  const kills = killCount / scale
  const agentCount = connected / scale + kills * (sizes.length - 1)
  const world = await startBareWorld(bench)
  const fleet = await registerFleet(world, world.wallets.accounts.alice, agentCount)
  const relayer = await startWorldRelayer(world, bench)
  await world.chain.mineEvery(1)
  const stream = `${relayer.address.url}/revocations/stream`
  const subscribers = startSubscribers(world)
  bench.say(`subscribing ${sizes[0] / scale}`)
  await subscribers.hold(stream, sizes[0] / scale)
  const enforcers = await startEnforcers(world, relayer, enforcerCount)
  // Ten thousand requests per second are work for machines of their own.
  for (const { child } of enforcers.services) yieldCores(child.process.pid, yielding.enforcer)
  bench.say(`connecting ${agentCount} agents with ${enforcerCount} enforcers`)
  const agents = await connectAgents(world, {
    relayer,
    services: enforcers.services,
    agents: fleet,
    processes: agentProcesses,
    interval: requestInterval,
  })
  const killer = await createKiller(world, relayer, world.wallets.accounts.alice)
  // Kills of one block are as fast as each other: several in each would make few measurements look like many.
  const inOwnBlock =
    (kill: PreparedKill): PreparedKill =>
    async () => {
      const at = await kill()
      await world.chain.request('evm_mine', [])
      return at
    }

  const measure = async (size: number, killed: readonly FleetAgent[]) => {
    await subscribers.hold(stream, size)
    const prepared: PreparedKill[] = []
    for (const [index, agent] of killed.entries()) {
      const kill = await (isByOrder(index) ? killer.byOrder(agent) : killer.byTransaction(agent))
      prepared.push(isByOrder(index) ? kill : inOwnBlock(kill))
    }
    await subscribers.collect()
    const before = { ...(await agents.count()), at: monotonicNow() }
    await sleep(calm)
    const calmEnd = { ...(await agents.count()), at: monotonicNow() }
    const relayerCpu = cpuTime(relayer.child.process.pid)
    bench.say(`killing ${killed.length} agents, ${size} subscribers`)
    for (const kill of prepared) {
      const next = sleep(killInterval)
      await kill()
      await next
    }
    const views = await confirmedKills(
      relayer,
      killed.map(({ uuid }) => uuid),
    )
    const cpuShare = (cpuTime(relayer.child.process.pid) - relayerCpu) / (monotonicNow() - calmEnd.at)
    const { lastAccepted } = await enforcers.collect()
    const { deliveries, frame } = await subscribers.collect()
    const unconfirmed = views.filter(({ elapsed }) => elapsed.allConfirmed === null).length
    if (views.length < killed.length || unconfirmed > 0)
      throw new Error(
        `${killed.length - views.length} kills were not seen and ${unconfirmed} not confirmed by all`,
      )

    const spiffeIds = new Map(killed.map(({ uuid, spiffeId }) => [uuid, spiffeId]))
    const durable = views.flatMap(({ elapsed }) => elapsed.durable ?? [])
    const ordered = new Set(killed.filter((_, index) => isByOrder(index)).map(({ uuid }) => uuid))
    const durableOf = (byOrder: boolean) =>
      views.flatMap(({ label, elapsed }) => (ordered.has(label) === byOrder ? (elapsed.durable ?? []) : []))
    const accepted = views.map(({ label, seenMonotonic }) => {
      const last = lastAccepted.get(spiffeIds.get(label) ?? '')
      if (last === undefined) throw new Error(`agent ${label} was never accepted, so its end proves nothing`)
      return Math.max(0, last - seenMonotonic)
    })
    const confirmed = views.flatMap(({ elapsed }) => elapsed.allConfirmed ?? [])
    const seen = new Map(views.map((view) => [view.id, view]))
    const delivered = deliveries.flatMap(({ killId, arrivals }) => {
      const view = seen.get(killId)
      return view === undefined ? [] : arrivals.map((arrival) => arrival - view.seenMonotonic)
    })
    return {
      figures: {
        durableP50: quantile(durable, 0.5),
        durableP99: quantile(durable, 0.99),
        orderDurableP99: quantile(durableOf(true), 0.99),
        transactionDurableP99: quantile(durableOf(false), 0.99),
        lastAcceptedP50: quantile(accepted, 0.5),
        lastAcceptedP99: quantile(accepted, 0.99),
        confirmedP50: quantile(confirmed, 0.5),
        confirmedP99: quantile(confirmed, 0.99),
        deliveredP50: quantile(delivered, 0.5),
        deliveredP99: quantile(delivered, 0.99),
        deliveredShare: (100 * delivered.length) / (size * killed.length),
        lateShare:
          (100 * (calmEnd.late - before.late)) / (calmEnd.sent + calmEnd.late - before.sent - before.late),
        requestRate: (calmEnd.accepted - before.accepted) / ((calmEnd.at - before.at) / 1000),
        relayerShare: 100 * cpuShare,
      },
      frame,
    }
  }

  const figures: Record<string, number> = {}
  let frame = ''
  for (const [index, full] of sizes.entries()) {
    const measured = await measure(full / scale, fleet.slice(index * kills, (index + 1) * kills))
    for (const [name, value] of Object.entries(measured.figures)) figures[`${name}At${full}`] = value
    frame = measured.frame
  }
  await agents.stop()
  await relayer.child.stop()
  for (const full of sizes) {
    const latencies = await measureReference(world, subscribers, { count: full / scale, frame })
    figures[`referenceP50At${full}`] = quantile(latencies, 0.5)
    figures[`referenceP99At${full}`] = quantile(latencies, 0.99)
  }
  return figures
}

const less = { unit: 'ms', better: 'less' } as const

/** The figures at one number of subscribers. */
const figuresAt = (
  size: number,
  lastAccepted: { readonly floor: number; readonly aim: number },
): Readonly<Record<string, FigureSpec>> => {
  const at = `${size.toLocaleString('en-GB')} subscribers`
  const texts: Readonly<Record<string, FigureSpec>> = {
    durableP50: { text: 'seen → durable p50', unit: 'ms' },
    durableP99: { text: 'seen → durable p99', ...less, floor: 10, aim: 2 },
    orderDurableP99: { text: '  of orders, p99', unit: 'ms' },
    transactionDurableP99: { text: "  of transactions, the node's answer included, p99", unit: 'ms' },
    lastAcceptedP50: { text: 'seen → last accepted p50', unit: 'ms' },
    lastAcceptedP99: { text: 'seen → last accepted p99', ...less, ...lastAccepted },
    confirmedP50: { text: 'seen → all confirmed p50', unit: 'ms' },
    confirmedP99: { text: 'seen → all confirmed p99', unit: 'ms' },
    deliveredP50: { text: 'seen → delivered p50', unit: 'ms' },
    deliveredP99: { text: 'seen → delivered p99', unit: 'ms' },
    deliveredShare: { text: 'delivered', unit: '%' },
    requestRate: { text: 'requests accepted before the kills', unit: '/s' },
    lateShare: { text: 'requests left out, the one before being unanswered', unit: '%' },
    relayerShare: { text: "the relayer's share of a core", unit: '%' },
    referenceP50: { text: 'bare event stream, sent → delivered p50', unit: 'ms' },
    referenceP99: { text: 'bare event stream, sent → delivered p99', unit: 'ms' },
  }
  return Object.fromEntries(
    Object.entries(texts).map(([name, spec]) => [
      `${name}At${size}`,
      { ...spec, text: `${at}: ${spec.text}` },
    ]),
  )
}

export const kill: Benchmark = {
  about: `${killCount} kills of ${connected.toLocaleString('en-GB')} agents at ${1000 / requestInterval} requests/s, ${enforcerCount} enforcers, half by order and half by transaction`,
  runs: 5,
  figures: {
    ...figuresAt(1_000, { floor: 150, aim: 30 }),
    ...figuresAt(5_000, { floor: 300, aim: 90 }),
  },
  prepare: async () => run,
}
