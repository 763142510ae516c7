import type { Hex } from '../../protocol/hex.ts'
import { isKilled } from '../../protocol/liveness.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Rank } from '../../protocol/rank.ts'
import { killRankOf, type Registry, resumeRankOf, stateIn } from '../../protocol/registry.ts'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import type { SignedOrder } from '../../relayer/kill/chainPort.ts'
import { lies, wilderLies } from './chain/node.ts'
import type { Random } from './random.ts'
import { agentTypes, type KnownAgent, maxLag, people, type World } from './world.ts'

/** One thing that happens; its own seed decides the rest, so that leaving out another step changes little in it. */
export type Step = { readonly kind: StepKind; readonly seed: number }

const everyone: readonly Hex[] = [
  people.council,
  people.emergencyGovernor,
  people.governance,
  ...people.owners,
  ...people.guardians,
  people.breaker,
  people.agentWallet,
  people.stranger,
]

const registryOf = (world: World): Registry => world.chain.head.state.registry

const anyTarget = (world: World, random: Random): Target => {
  const draw = random.next()
  const agent = world.agents.length > 0 ? random.pick(world.agents) : null
  if (draw < 0.65 && agent !== null) return agentTarget(agent.uuid)
  if (draw < 0.9) return ownerTarget(random.pick(people.owners))
  return draw < 0.96 ? agentTypeTarget(random.pick(agentTypes)) : fleetTarget
}

/** Mostly somebody who may kill it. */
const killerOf = (world: World, random: Random, target: Target): Hex => {
  const able = everyone.filter(
    (who) => killRankOf(registryOf(world), who, target, world.seconds()) > Rank.None,
  )
  return able.length > 0 && random.chance(0.9) ? random.pick(able) : random.pick(everyone)
}

const killedTargets = (world: World): readonly Target[] => {
  const registry = registryOf(world)
  const targets: readonly Target[] = [
    ...world.agents.map((agent) => agentTarget(agent.uuid)),
    ...people.owners.map(ownerTarget),
    ...agentTypes.map(agentTypeTarget),
    fleetTarget,
  ]
  return targets.filter((target) => {
    const state = stateIn(registry)(target)
    return state.killedAt > state.aliveSince
  })
}

/** Of those who could resume a target, mostly one whose rank suffices. */
const resumerOf = (world: World, random: Random, target: Target): Hex => {
  const registry = registryOf(world)
  const rank = stateIn(registry)(target).rank
  const able = everyone.filter((who) => resumeRankOf(registry, who, target) >= rank)
  return able.length > 0 && random.chance(0.85) ? random.pick(able) : random.pick(everyone)
}

const ownerOf = (world: World, agent: KnownAgent): Hex =>
  registryOf(world).agents.get(agent.uuid)?.owner ?? people.owners[0]

const newOrder = (world: World, random: Random): KillOrder => {
  const target = anyTarget(world, random)
  const issuedAt = world.seconds() - random.int(3)
  return {
    authority: killerOf(world, random, target),
    ...target,
    reason: random.int(5),
    text: '',
    issuedAt: BigInt(issuedAt),
    deadline: BigInt(issuedAt + random.pick([20, 60, 300])),
    nonce: BigInt(random.int(2 ** 30)),
  }
}

/** Posts to one relayer or several, at about the same time. */
const postToSome = (world: World, random: Random, signed: SignedOrder): void => {
  const some = random.shuffled(world.relayers).slice(0, 1 + random.int(world.relayers.length))
  for (const relayer of some) {
    for (let times = random.chance(0.2) ? 2 : 1; times > 0; times--)
      world.time.after(random.between(0, 400), () => world.background(world.post(relayer, signed)))
  }
}

const forSome = (world: World, random: Random, least: number, most: number, end: () => void): void =>
  void world.time.after(random.between(least, most) * 1000, end)

const stepsByKind = {
  register(world, random) {
    if (world.agents.length < 8)
      world.register(random.pick(people.owners), random.pick(agentTypes), world.newKey())
  },

  kill(world, random) {
    const target = anyTarget(world, random)
    world.submit(killerOf(world, random, target), { name: 'kill', target, reason: random.int(5) })
  },

  order(world, random) {
    const signed = world.sign(newOrder(world, random), random.chance(0.08))
    if (random.chance(0.75)) postToSome(world, random, signed)
    if (random.chance(0.3)) world.submit(people.stranger, { name: 'killBySig', ...signed })
  },

  /** An order that somebody kept: repeated, overtaken by a resume, expired, burnt. */
  'order again'(world, random) {
    if (world.orders.length === 0) return
    const signed = random.pick(world.orders)
    if (random.chance(0.3)) world.submit(people.stranger, { name: 'killBySig', ...signed })
    else postToSome(world, random, signed)
  },

  /** An order that its signer keeps for a while, until it may be void. */
  'late order'(world, random) {
    const issuedAt = world.seconds()
    const killed = killedTargets(world)
    const target = killed.length > 0 && random.chance(0.8) ? random.pick(killed) : anyTarget(world, random)
    const order: KillOrder = {
      authority: killerOf(world, random, target),
      ...target,
      reason: random.int(5),
      text: '',
      issuedAt: BigInt(issuedAt),
      deadline: BigInt(issuedAt + 400),
      nonce: BigInt(random.int(2 ** 30)),
    }
    const signed = world.sign(order, false)
    forSome(world, random, 50, 160, () => postToSome(world, random, signed))
  },

  /** Another order with the nonce of an earlier one. */
  'same nonce'(world, random) {
    if (world.orders.length === 0) return
    const { order } = random.pick(world.orders)
    postToSome(world, random, world.sign({ ...order, reason: order.reason + 1 }, false))
  },

  burn(world, random) {
    if (world.orders.length === 0) return
    const { order, digest } = random.pick(world.orders.slice(-6))
    const able = everyone.filter((who) => resumeRankOf(registryOf(world), who, order) >= Rank.Owner)
    const from = able.length > 0 && random.chance(0.9) ? random.pick(able) : random.pick(everyone)
    world.submit(from, { name: 'burnOrder', order, digest })
  },

  'request a resume'(world, random) {
    const killed = killedTargets(world)
    if (killed.length === 0) return
    const target = random.pick(killed)
    world.submit(resumerOf(world, random, target), { name: 'requestResume', target })
  },

  /** What can be resumed is, mostly. */
  resume(world, random) {
    const ready = killedTargets(world).filter((target) =>
      everyone.some((who) => world.refusal(who, { name: 'resume', target }) === null),
    )
    const target = ready.length > 0 ? random.pick(ready) : anyTarget(world, random)
    const able = everyone.filter((who) => world.refusal(who, { name: 'resume', target }) === null)
    world.submit(able.length > 0 ? random.pick(able) : random.pick(everyone), { name: 'resume', target })
  },

  'change the key'(world, random) {
    if (world.agents.length === 0) return
    const agent = random.pick(world.agents)
    const key = world.newKey()
    agent.keys.push(key)
    world.submit(ownerOf(world, agent), { name: 'setKey', uuid: agent.uuid, key })
  },

  transfer(world, random) {
    const movable = world.agents.filter((agent) => {
      const known = registryOf(world).agents.get(agent.uuid)
      return known !== undefined && !isKilled(known, stateIn(registryOf(world)))
    })
    if (movable.length === 0) return
    const agent = random.pick(movable)
    world.submit(ownerOf(world, agent), {
      name: 'transfer',
      uuid: agent.uuid,
      to: random.pick(people.owners),
    })
    // The new owner makes it his: another key, and a resume without a cool-down.
    if (random.chance(0.6))
      world.time.after(random.between(6_000, 20_000), () => {
        const key = world.newKey()
        agent.keys.push(key)
        const target = agentTarget(agent.uuid)
        const owner = ownerOf(world, agent)
        world.submit(owner, { name: 'setKey', uuid: agent.uuid, key })
        world.submit(owner, { name: 'requestResume', target })
        world.submit(owner, { name: 'resume', target })
      })
  },

  'agent wallet'(world, random) {
    if (world.agents.length === 0) return
    const agent = random.pick(world.agents)
    const wallet = random.chance(0.7) ? people.agentWallet : null
    world.submit(ownerOf(world, agent), { name: 'setAgentWallet', uuid: agent.uuid, wallet })
  },

  guardian(world, random) {
    world.submit(random.pick(people.owners), {
      name: random.chance(0.6) ? 'appointGuardian' : 'dismissGuardian',
      guardian: random.pick(people.guardians),
    })
  },

  govern(world, random) {
    world.submit(
      people.governance,
      random.chance(0.6)
        ? { name: 'setBreaker', breaker: people.breaker, admitted: random.chance(0.7) }
        : { name: 'setCooldown', rank: random.pick([1, 2, 3, 4] as const), cooldown: 50 + random.int(30) },
    )
  },

  /** Everybody comes for SVIDs: bearers renew, others prove a key, some of them one that they should not have any more. */
  svids(world, random) {
    for (const bearer of world.bearers.slice(-12)) {
      if (random.chance(0.6)) world.background(world.renew(bearer))
    }
    for (const agent of world.agents) {
      if (!random.chance(0.6)) continue
      const key = random.chance(0.85) ? agent.keys.at(-1) : random.pick(agent.keys)
      const relayer = random.pick(world.relayers)
      world.time.after(random.between(0, 3_000), () =>
        world.background(world.attest(relayer, agent, key as Hex)),
      )
    }
    if (random.chance(0.3)) world.background(world.enrol(random.pick(world.relayers)))
  },

  reorg(world) {
    world.producer.reorg()
  },

  'finality stalls'(world, random) {
    world.producer.stallFinality(true)
    forSome(world, random, 5, 40, () => world.producer.stallFinality(false))
  },

  'a node lags'(world, random) {
    const { faults } = random.pick(world.nodes)
    faults.lag = random.between(500, maxLag)
    forSome(world, random, 5, 60, () => {
      faults.lag = 0
    })
  },

  'a node is stuck'(world, random) {
    const node = random.pick(world.nodes)
    node.faults.stuck = true
    forSome(world, random, 5, 70, () => {
      node.faults.stuck = false
      node.sync()
    })
  },

  /** Shorter than a head counts: what a node knew before then comes as news. */
  'a node hangs'(world, random) {
    const { faults } = random.pick(world.nodes)
    faults.hangs = true
    forSome(world, random, 1, 7, () => {
      faults.hangs = false
    })
  },

  'a node is down'(world, random) {
    const node = random.pick(world.nodes)
    node.faults.down = true
    world.network.closeSockets(node)
    forSome(world, random, 1, 20, () => {
      node.faults.down = false
      node.sync()
    })
  },

  'a node lies'(world, random) {
    const node = random.pick(world.nodes)
    const { faults } = node
    // One of three may say anything; one of fewer only what shows at once.
    const isOneOfThree =
      node.name === 'n0' && world.settings.relayers.every(({ nodes }) => nodes.length === 3)
    faults.lie = random.pick(isOneOfThree ? [...lies, ...wilderLies] : lies)
    node.sync()
    forSome(world, random, 1, 8, () => {
      faults.lie = null
    })
  },

  'sockets half open'(world, random) {
    world.network.muteSockets(random.pick(world.nodes))
  },

  'a relayer dies'(world, random) {
    const relayer = random.pick(world.relayers)
    const draw = random.next()
    if (draw < 0.4) relayer.storeFaults.crashAt = random.pick(['before commit', 'after commit'])
    else {
      const ticks = random.int(80)
      world.background(
        (async () => {
          for (let tick = 0; tick < ticks; tick++) await null
          relayer.crash()
        })(),
      )
    }
    for (const point of world.points)
      for (const { relayer: one, link } of point.followed)
        if (one === relayer && random.chance(0.6)) link.cut()
    forSome(world, random, 1, 20, () => {
      relayer.crash()
      relayer.start()
    })
  },

  'a store fails'(world, random) {
    const { storeFaults } = random.pick(world.relayers)
    storeFaults.failing = true
    forSome(world, random, 1, 15, () => {
      storeFaults.failing = false
    })
  },

  'a backup is restored'(world, random) {
    const relayer = random.pick(world.relayers)
    if (!relayer.isRunning) return
    world.background(
      (async () => {
        const backedUp = world.truth.backedUp(relayer.name)
        const backup = await relayer.backup()
        world.time.after(random.between(3_000, 40_000), () => {
          // One restoration at a time: two at once would mix two backups.
          if (world.isCalm() || !relayer.isRunning) return
          relayer.crash()
          world.trace(() => `${relayer.name} is restored`)
          world.truth.restored(relayer.name, backedUp)
          world.background(relayer.restore(backup))
          forSome(world, random, 1, 10, relayer.start)
        })
      })(),
    )
  },

  'orders do not land'(world, random) {
    world.sending.fails = random.pick([0.5, 1])
    forSome(world, random, 5, 60, () => {
      world.sending.fails = 0
    })
  },

  'a feed is mute'(world, random) {
    const { link } = random.pick(random.pick(world.points).followed)
    link.faults.mute = true
    forSome(world, random, 1, 60, () => {
      link.faults.mute = false
    })
  },

  'a feed is cut'(world, random) {
    const { link } = random.pick(random.pick(world.points).followed)
    link.cut()
    link.faults.down = true
    forSome(world, random, 0, 20, () => {
      link.faults.down = false
    })
  },

  'a feed is replayed'(world, random) {
    const { link } = random.pick(random.pick(world.points).followed)
    link.faults.replays = 1 + random.int(3)
    if (random.chance(0.6)) link.cut()
  },

  'a feed is altered'(world, random) {
    random.pick(random.pick(world.points).followed).link.faults.alters = 1
  },

  'a point restarts'(world, random) {
    random.pick(world.points).restart()
  },

  'a clock jumps'(world, random) {
    const point = random.pick(world.points)
    const ms = random.between(-20_000, 20_000)
    point.jump(ms)
    forSome(world, random, 1, 20, () => point.jump(-ms))
  },
} satisfies Record<string, (world: World, random: Random) => void>

export type StepKind = keyof typeof stepsByKind

export const run = (world: World, { kind, seed }: Step, random: Random): void => {
  world.trace(() => `— ${kind} (${seed})`)
  stepsByKind[kind](world, random)
}

/** How often each kind comes, against the others. */
export const weights: Readonly<Record<StepKind, number>> = {
  register: 3,
  kill: 8,
  order: 8,
  'late order': 3,
  'order again': 4,
  'same nonce': 1,
  burn: 3,
  'request a resume': 8,
  resume: 8,
  'change the key': 3,
  transfer: 2,
  'agent wallet': 1,
  guardian: 2,
  govern: 1,
  svids: 24,
  reorg: 2,
  'finality stalls': 1,
  'a node lags': 1.5,
  'a node is stuck': 1,
  'a node hangs': 1,
  'a node is down': 1,
  'a node lies': 1.5,
  'sockets half open': 1,
  'a relayer dies': 2.5,
  'a store fails': 1.5,
  'a backup is restored': 0.7,
  'orders do not land': 1,
  'a feed is mute': 1.5,
  'a feed is cut': 1.5,
  'a feed is replayed': 1.5,
  'a feed is altered': 0.5,
  'a point restarts': 0.7,
  'a clock jumps': 0.5,
}
