import { setTimeout as sleep } from 'node:timers/promises'
import { toHex } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import type { FleetAgent } from '../scripts/lib/fleet.ts'
import { registerFleet, startBareWorld, startWorldRelayer } from './lib/bareWorld.ts'
import type { Bench, Benchmark } from './lib/benchmark.ts'
import { connectAgents, startEnforcers } from './lib/fleet.ts'
import { confirmedKills, createKiller, type KillTimes, readKills } from './lib/killer.ts'
import { median } from './lib/statistics.ts'
import { emergencyCall, transactionSender } from './lib/transactionKills.ts'

const many = 10_000
/** Agents of the large fleet that are connected while it is killed. */
const connected = 200
/** Owners of one connected agent each. */
const singles = 20
const enforcerCount = 4
/** ms between two requests of an agent */
const requestInterval = 100
/** Further kills of either owner: a single one's time says little. */
const rounds = 40
/** ms */
const calm = 2_000
const interval = 100

/** Ratios of equal things are never exactly one. */
const toTenths = (value: number): number => Math.round(value * 10) / 10

async function run(bench: Bench) {
  const scale = bench.small ? 10 : 1
  const world = await startBareWorld(bench)
  const { chain } = world
  const { alice, bob } = world.wallets.accounts
  const others = []
  for (let index = 0; index < singles; index += 1) {
    const account = privateKeyToAccount(generatePrivateKey())
    await chain.request('hardhat_setBalance', [account.address, toHex(10n ** 18n)])
    others.push(account)
  }
  bench.say(`registering ${many / scale} agents of one owner`)
  const large = await registerFleet(world, alice, many / scale)
  await registerFleet(world, bob, 1)
  const small: FleetAgent[] = []
  for (const owner of others) small.push(...(await registerFleet(world, owner, 1)))

  const relayer = await startWorldRelayer(world, bench)
  await chain.mineEvery(1)
  const enforcers = await startEnforcers(world, relayer, enforcerCount)
  const reachable = large.slice(0, connected / scale)
  bench.say(`connecting ${reachable.length + small.length} agents`)
  const agents = await connectAgents(world, {
    relayer,
    services: enforcers.services,
    agents: [...reachable, ...small],
    processes: 2,
    interval: requestInterval,
  })
  await sleep(calm)

  bench.say('killing each owner, the large one in the middle')
  const owners = [...others.slice(0, singles / 2), alice, ...others.slice(singles / 2)]
  for (const owner of owners) {
    const killer = await createKiller(world, relayer, owner)
    await (await killer.emergencyByOrder())()
    await sleep(interval)
  }
  const labelOf = ({ address }: { readonly address: string }): string => address.toLowerCase()
  const views = await confirmedKills(relayer, owners.map(labelOf))
  const { lastAccepted } = await enforcers.collect()
  await agents.stop()
  const closing = (view: KillTimes | undefined, spiffeIds: readonly string[]): number => {
    if (view === undefined) throw new Error('a kill was not seen by the relayer')
    const last = spiffeIds.map((spiffeId) => lastAccepted.get(spiffeId))
    if (last.includes(undefined)) throw new Error('an agent was never accepted, so its end proves nothing')
    return Math.max(0, ...last.map((at) => (at as number) - view.seenMonotonic))
  }
  const viewOf = (owner: { readonly address: string }): KillTimes | undefined =>
    views.find(({ label }) => label === labelOf(owner))
  const confirmedOf = (view: KillTimes | undefined): number => view?.elapsed.allConfirmed ?? Number.NaN

  // Both wallets in turn, so that whatever else the machine does meets both.
  bench.say(`${rounds} further kills of either owner`)
  const killers = [await createKiller(world, relayer, alice), await createKiller(world, relayer, bob)]
  for (let round = 0; round < rounds; round += 1) {
    for (const killer of killers) {
      await (await killer.emergencyByOrder())()
      await sleep(interval / 2)
    }
  }
  const again = await readKills(relayer, 2 * rounds)
  const durable = (owner: { readonly address: string }): number =>
    median(
      again
        .filter(({ label }) => label === labelOf(owner))
        .map(({ elapsed }) => elapsed.durable ?? Number.NaN),
    )

  const gasOf = async (owner: typeof alice): Promise<number> => {
    const prepare = await transactionSender(world, owner)
    const hash = await (await prepare(emergencyCall(owner.address, 'bench')))()
    return Number((await chain.client.waitForTransactionReceipt({ hash })).gasUsed)
  }
  const gas = { many: await gasOf(alice), one: await gasOf(bob) }
  return {
    durableRatio: toTenths(durable(alice) / durable(bob)),
    gasRatio: toTenths(gas.many / gas.one),
    durableMany: durable(alice),
    durableOne: durable(bob),
    gasMany: gas.many,
    gasOne: gas.one,
    lastAcceptedMany: closing(
      viewOf(alice),
      reachable.map(({ spiffeId }) => spiffeId),
    ),
    lastAcceptedOne: Math.max(
      ...others.map((owner, index) => closing(viewOf(owner), [small[index]?.spiffeId ?? ''])),
    ),
    confirmedMany: confirmedOf(viewOf(alice)),
    confirmedOne: median(others.map((owner) => confirmedOf(viewOf(owner)))),
  }
}

const ratio = { unit: '×', better: 'less', floor: 2, aim: 1 } as const
const fleet = `${many.toLocaleString('en-GB')} agents`

export const emergency: Benchmark = {
  about: `emergency kill of an owner with ${fleet}, ${connected} of them connected, against owners of one`,
  runs: 2,
  figures: {
    durableRatio: { text: 'seen → durable, against one agent', ...ratio },
    gasRatio: { text: 'gas, against one agent', ...ratio },
    durableMany: { text: `${fleet}: seen → durable p50`, unit: 'ms' },
    durableOne: { text: 'one agent: seen → durable p50', unit: 'ms' },
    gasMany: { text: `${fleet}: gas`, unit: 'gas' },
    gasOne: { text: 'one agent: gas', unit: 'gas' },
    lastAcceptedMany: { text: `${fleet}: seen → last accepted of the ${connected}`, unit: 'ms' },
    lastAcceptedOne: { text: `one agent: seen → last accepted, worst of ${singles}`, unit: 'ms' },
    confirmedMany: { text: `${fleet}: seen → all confirmed`, unit: 'ms' },
    confirmedOne: { text: `one agent: seen → all confirmed p50`, unit: 'ms' },
  },
  prepare: async () => run,
}
