import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { agentTarget } from '../../protocol/scope.ts'
import type { Call } from './chain/transaction.ts'
import type { SimulatedRelayer } from './relayer.ts'
import type { Rule } from './rules.ts'
import { Violation } from './truth.ts'
import { createWorld, type KnownAgent, people, type Settings, type World } from './world.ts'

/** A course of events that random histories seldom take. */
export type Story = {
  readonly name: string
  /** The rule without which it ends badly; null for what went wrong once. */
  readonly rule: Rule | null
  readonly settings: Partial<Settings>
  run(world: World): Promise<void>
}

const [owner] = people.owners
type Calls = readonly (readonly [from: Hex, call: Call])[]

/** Makes the next block, with one block more until finality, and lets everybody see it. */
const next = async (world: World, calls: Calls = [], parent = world.chain.head, ms = 1_500) => {
  const block = world.mine(parent, calls, 1)
  await world.time.pass(ms)
  world.truth.check(true)
  return block
}

const relayer = (world: World, index: number): SimulatedRelayer => world.relayers[index] as SimulatedRelayer

/** Registers an agent, waits until that is final, and has an SVID issued by the last relayer. */
async function begin(world: World): Promise<KnownAgent> {
  const agent = world.register(owner, 'worker', world.newKey())
  const key = agent.keys[0] as Hex
  await next(world, [[owner, { name: 'register', uuid: agent.uuid, agentType: 'worker', key }]])
  await next(world)
  const issued = await settled(world, world.attest(relayer(world, world.relayers.length - 1), agent, key))
  if (!issued) throw new Error('the story cannot begin: no SVID')
  return agent
}

/** The outcome of what the passing of time brings about. */
async function settled<T>(world: World, work: Promise<T>): Promise<T> {
  const outcome: { value?: T } = {}
  world.background(work.then((value) => Object.assign(outcome, { value })))
  await world.time.pass(1_000)
  if (!('value' in outcome)) throw new Error('no outcome')
  return outcome.value as T
}

const kill = (agent: KnownAgent, from: Hex = owner): Calls => [
  [from, { name: 'kill', target: agentTarget(agent.uuid), reason: 1 }],
]

export const stories: readonly Story[] = [
  {
    name: 'a relayer restored from a backup knows nothing of a final kill while the other has not yet seen it',
    rule: 'a new epoch leaves final kills',
    settings: {
      nodes: 2,
      relayers: [
        { nodes: [0], gas: false },
        { nodes: [1], gas: false },
      ],
      points: [[0, 1]],
    },
    async run(world) {
      const agent = await begin(world)
      const [seeing, blind] = world.nodes
      if (seeing === undefined || blind === undefined) throw new Error('there are two nodes')
      const restored = relayer(world, 0)
      const held = world.truth.backedUp(restored.name)
      const backup = await restored.backup()
      await next(world)
      blind.faults.stuck = true
      await next(world, kill(agent))
      await next(world)
      restored.crash()
      seeing.faults.down = true
      world.network.closeSockets(seeing)
      world.truth.restored(restored.name, held)
      await restored.restore(backup)
      restored.start()
      for (const { link } of world.points[0]?.followed ?? []) link.cut()
      for (let i = 0; i < 12; i++) {
        await world.time.pass(300)
        world.truth.check(true)
      }
    },
  },
  {
    name: 'a second kill of an agent is dropped by a reorg for good, and a point comes anew',
    rule: 'a withdrawal leaves the final sequence',
    settings: {},
    async run(world) {
      const agent = await begin(world)
      await next(world, kill(agent))
      const base = await next(world)
      await next(world, kill(agent, people.council))
      await next(world, [], base)
      for (let i = 0; i < 4; i++) await next(world)
      // One that was there all the time would remember the first kill.
      world.points[0]?.restart()
      for (let i = 0; i < 2; i++) await next(world)
    },
  },
  {
    name: 'a point is shown the snapshot of before a kill once more',
    rule: 'what is rolled back is refused',
    settings: {},
    async run(world) {
      const agent = await begin(world)
      await next(world, kill(agent))
      const link = world.points[0]?.followed[0]?.link
      if (link === undefined) throw new Error('there is a point')
      link.faults.alters = 1
      link.faults.replays = 4
      for (let i = 0; i < 8; i++) await next(world)
    },
  },
  {
    name: 'an order is brought after it was seen in a block, which a reorg then drops for good',
    rule: null,
    settings: {},
    async run(world) {
      const agent = await begin(world)
      const order: KillOrder = {
        authority: owner,
        ...agentTarget(agent.uuid),
        reason: 1,
        text: '',
        issuedAt: BigInt(world.seconds()),
        deadline: BigInt(world.seconds() + 300),
        nonce: 1n,
      }
      const signed = world.sign(order, false)
      const base = world.chain.head
      await next(world, [[people.stranger, { name: 'killBySig', ...signed }]])
      await settled(world, world.post(relayer(world, 0), signed))
      await next(world, [], base)
      for (let i = 0; i < 25; i++) await next(world)
    },
  },
  {
    name: 'the only RPC gives blocks another parent for a while',
    rule: null,
    settings: {},
    async run(world) {
      await begin(world)
      const [node] = world.nodes
      if (node === undefined) throw new Error('there is a node')
      node.faults.lie = 'other parent'
      await next(world)
      await next(world)
      node.faults.lie = null
      for (let i = 0; i < 6; i++) await next(world, [], world.chain.head, 3_000)
      const head = relayer(world, 0).life?.executor.chainView().head?.number ?? 0
      if (head < world.chain.head.number - 1)
        throw new Violation('a relayer follows again', `it is at ${head} of ${world.chain.head.number}`)
    },
  },
]

/** Plays a story. @returns what did not hold */
export async function tell(
  { settings, run }: Story,
  without: ReadonlySet<Rule> = new Set(),
  onTrace: ((line: string) => void) | null = null,
): Promise<Error | null> {
  const world = await createWorld({
    seed: 1,
    settings: {
      nodes: 1,
      relayers: [{ nodes: [0], gas: false }],
      forwards: false,
      points: [[0]],
      finalityLag: 1,
      reorgs: 0,
      ...settings,
      blockTime: Number.POSITIVE_INFINITY,
    },
    without,
    onTrace,
  })
  try {
    await world.time.pass(1_000)
    await run(world)
    return null
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return error
  } finally {
    await world.close()
  }
}
