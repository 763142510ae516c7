import { isKilled } from '../../protocol/liveness.ts'
import { stateIn } from '../../protocol/registry.ts'
import { agentTarget, targetKey } from '../../protocol/scope.ts'
import { checkEntries, emptyAudit } from '../../relayer/audit/entry.ts'
import type { KillRecord } from '../../relayer/kill/record.ts'
import { createRandom, type Random } from './random.ts'
import type { Rule } from './rules.ts'
import { run, type Step, type StepKind, weights } from './steps.ts'
import { Violation } from './truth.ts'
import { agentTypes, createWorld, people, type Settings, type World } from './world.ts'

/** How long an order may take to land when all is well, in ms: one lost transaction, and a few blocks. */
const landingTime = 35_000

/** A history that broke an invariant, or in which something threw. */
export type Failure = {
  readonly seed: number
  /** Index of the step after which it showed; the number of steps for the end. */
  readonly step: number
  readonly at: number
  readonly invariant: string
  readonly error: Error
}

/** What a seed stands for. */
export type Plan = { readonly seed: number; readonly settings: Settings; readonly steps: readonly Step[] }

const stepsPerHistory = 50
/** How long everything is given to come right once nothing goes wrong any more, in ms. */
const calmTime = 45_000

function settingsFrom(random: Random): Settings {
  const nodes = random.pick([1, 2, 3, 3])
  const relayers = random.chance(0.55) ? 2 : 1
  const some = (count: number) => {
    const chosen = random.shuffled(Array.from({ length: count }, (_, i) => i))
    return chosen.slice(0, 1 + random.int(count))
  }
  return {
    nodes,
    relayers: Array.from({ length: relayers }, () => ({ nodes: some(nodes), gas: random.chance(0.75) })),
    forwards: random.chance(0.5),
    points: Array.from({ length: 1 + random.int(2) }, () => some(relayers)),
    blockTime: random.pick([2_000, 3_000, 4_000]),
    finalityLag: random.pick([1, 3, 5]),
    reorgs: random.pick([0, 0.05, 0.2]),
  }
}

/** The kinds of step that go wrong in a history, and how much: some histories know few faults, so that much gets done. */
function tableFrom(random: Random): readonly (readonly [StepKind, number])[] {
  const isFault = (kind: string) => /^(an?|sockets|finality|orders do) /.test(kind)
  return (Object.entries(weights) as [StepKind, number][]).map(([kind, weight]) => [
    kind,
    isFault(kind)
      ? random.chance(0.5)
        ? weight * random.pick([1, 1, 3])
        : 0
      : weight * random.pick([0.5, 1, 1, 2]),
  ])
}

/** What happens in the history of a seed. */
export function planOf(seed: number): Plan {
  const random = createRandom(seed)
  const settings = settingsFrom(random)
  const table = tableFrom(random)
  const total = table.reduce((sum, [, weight]) => sum + weight, 0)
  const draw = (): StepKind => {
    let left = random.next() * total
    for (const [kind, weight] of table) {
      left -= weight
      if (left < 0) return kind
    }
    return 'svids'
  }
  const steps = Array.from({ length: stepsPerHistory }, () => ({ kind: draw(), seed: random.int(2 ** 31) }))
  return { seed, settings, steps }
}

/**
 * Plays a plan to its end, or to the first step after which something does not hold.
 * @param without rules that are left out
 * @param onTrace is given what happens, line by line
 */
export async function play(
  { seed, settings, steps }: Plan,
  without: ReadonlySet<Rule> = new Set(),
  onTrace: ((line: string) => void) | null = null,
): Promise<Failure | null> {
  const world = await createWorld({ seed, settings, without, onTrace })
  let step = 0
  try {
    begin(world)
    await world.time.pass(10_000)
    for (; step < steps.length; step++) {
      const one = steps[step] as Step
      const random = createRandom(one.seed)
      run(world, one, random)
      await world.time.pass(random.pick([50, 500, 2_000, 4_000, 8_000]))
      world.truth.check(true)
    }
    await end(world)
    return null
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const invariant = error instanceof Violation ? error.invariant : 'nothing throws'
    onTrace?.(`FAILED after step ${step}: ${error.stack}`)
    return { seed, step, at: world.time.now(), invariant, error }
  } finally {
    await world.close()
  }
}

function begin(world: World): void {
  for (const [i, owner] of people.owners.entries())
    world.register(owner, agentTypes[i % agentTypes.length] as (typeof agentTypes)[number], world.newKey())
  world.submit(people.governance, { name: 'setBreaker', breaker: people.breaker, admitted: true })
  world.submit(people.owners[0], { name: 'appointGuardian', guardian: people.guardians[0] })
  const [agent] = world.agents
  if (agent !== undefined) world.addForeignSvid(agent)
}

/** Ends all faults, waits, and checks that everything has come right. */
async function end(world: World): Promise<void> {
  world.trace(() => '— calm')
  world.calm()
  world.producer.calm()
  world.sending.fails = 0
  for (const node of world.nodes) {
    Object.assign(node.faults, { lag: 0, stuck: false, hangs: false, down: false, lie: null })
    node.sync()
  }
  for (const relayer of world.relayers) {
    Object.assign(relayer.storeFaults, { failing: false, crashAt: null })
    relayer.start()
  }
  for (const point of world.points)
    for (const { link } of point.followed)
      Object.assign(link.faults, { mute: false, down: false, replays: 0, alters: 0 })
  await world.time.pass(calmTime)
  world.truth.check(true)
  for (const relayer of world.relayers) await checkRelayer(world, relayer)
  for (const point of world.points) {
    for (const { relayer, isFresh } of point.followed)
      if (!isFresh)
        throw new Violation('a point is fresh again', `${point.name} is not, through ${relayer.name}`)
  }
  await checkIssuing(world)
  world.truth.check(true)
}

async function checkRelayer(world: World, relayer: World['relayers'][number]): Promise<void> {
  const { name, life } = relayer
  const { chain, truth } = world
  const view = life?.executor.chainView()
  // One that only polls sees a block a poll and some travel after it was made.
  const behind = Math.ceil(6_000 / world.settings.blockTime)
  if (
    life === null ||
    view === undefined ||
    view.blind ||
    (view.head?.number ?? 0) < chain.head.number - behind
  )
    throw new Violation(
      'a relayer follows again',
      `${name} is at ${view?.head?.number} of ${chain.head.number}`,
    )
  const grant = truth.grantOf(name)
  if (grant.number < chain.finalized.number - behind)
    throw new Violation(
      'a relayer grants again',
      `${name} is at ${grant.number} of ${chain.finalized.number}`,
    )

  const seen = truth.seenBy(name)
  const records = new Map<string, KillRecord[]>()
  for (const kill of await relayer.kills()) {
    const id = kill.digest ?? kill.landing?.txHash ?? kill.orphaned?.txHash ?? ''
    records.set(id, [...(records.get(id) ?? []), kill])
  }
  for (const [id, kills] of records) {
    const standing = kills.filter((kill) => kill.withdrawn === null)
    if (standing.length > 1)
      throw new Violation(
        'every kill is one kill',
        `${name} has ${standing.length} records of ${id.slice(0, 10)}`,
      )
  }
  for (const act of truth.acts.values()) {
    if (truth.effectIn(grant, act) === undefined) continue
    const final = records.get(act.id)?.filter((kill) => kill.final !== null) ?? []
    if (final.length !== 1 && truth.isKill(act))
      throw new Violation(
        'every canonical kill is final once',
        `${name} has ${final.length} records of ${act.id.slice(0, 10)}`,
      )
  }
  for (const { act, order, orderedAt } of seen) {
    if (world.time.now() - orderedAt < landingTime) continue
    const signed = world.orders.find((one) => one.digest === act.id)
    if (order && signed !== undefined && !world.settled(relayer, signed))
      throw new Violation('an order that can land lands', `${name} has not landed ${act.id.slice(0, 10)}`)
  }
  const rows = new Map(life.executor.rows().map((row) => [targetKey(row), row]))
  const held = new Set(seen.filter((one) => truth.isOpenAt(name, one)).map((one) => one.act.key))
  for (const key of held)
    if (rows.get(key)?.provisional !== true)
      throw new Violation('what is acknowledged stays enforced', `${name} has no provisional row of ${key}`)
  const lingering = new Set(seen.filter((one) => truth.lingers(name, one)).map((one) => one.act.key))
  for (const [key, row] of rows)
    if (row.provisional && !held.has(key) && !lingering.has(key))
      throw new Violation('nothing is revoked without a cause', `${name} holds ${key} by ${row.killId}`)
  checkEntries(emptyAudit, await relayer.auditEntries())
}

/** Every agent gets an SVID that every point accepts, unless a kill covers it; then nobody gives it one. */
async function checkIssuing(world: World): Promise<void> {
  for (const relayer of world.relayers) {
    const registry = world.truth.grantOf(relayer.name).state.registry
    const seen = world.truth.seenBy(relayer.name)
    const keysOf = (held: typeof seen) => new Set(held.map((one) => one.act.key))
    const open = keysOf(seen.filter((one) => world.truth.isOpenAt(relayer.name, one)))
    const lingering = keysOf(seen.filter((one) => world.truth.lingers(relayer.name, one)))
    for (const agent of world.agents) {
      const known = registry.agents.get(agent.uuid)
      if (known === undefined || known.key === null) continue
      const issued = await world.attest(relayer, agent, known.key)
      const keys = world.truth.keysOf(known)
      if (keys.some((key) => lingering.has(key))) continue
      const dead = isKilled(known, stateIn(registry)) || keys.some((key) => open.has(key))
      if (issued === dead)
        throw new Violation(
          'who is alive gets an SVID',
          `${relayer.name} ${issued ? 'gives' : 'refuses'} ${agent.uuid} one (${targetKey(agentTarget(agent.uuid))})`,
        )
    }
  }
}
