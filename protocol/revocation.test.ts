import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Hex } from './hex.ts'
import { isKilled } from './liveness.ts'
import { Rank } from './rank.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent, stateIn } from './registry.ts'
import { isRevoked, type RevocationRow, type SvidClaims } from './revocation.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  type Target,
  targetKey,
} from './scope.ts'
import { reservedTypes } from './spiffeId.ts'

const deployment = { chainId: 31337, contract: `0x${'ab'.repeat(20)}` as Hex }
const deploymentText = `eip155:31337:0x${'ab'.repeat(20)}`
const account = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const uuidOf = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`
const svidOf = (uuid: string, owner: Hex | null, generation: number, type = 'worker'): SvidClaims => ({
  spiffeId: { trustDomain: 'killswitch.test', type, name: uuid },
  owner,
  deployment: deploymentText,
  generation,
})
const rowOf = (target: Target, provisional: boolean, finalSequence: number): RevocationRow => ({
  ...target,
  provisional,
  finalSequence,
  rank: Rank.Owner,
  reason: 0,
  text: '',
  killId: '',
})
const revoked = (svid: SvidClaims, ...rows: RevocationRow[]) =>
  isRevoked(svid, new Map(rows.map((row) => [targetKey(row), row])), deployment).revoked

describe('the rule itself', () => {
  const svid = svidOf(uuidOf(1), account(1), 7)
  test.each([agentTarget(uuidOf(1)), ownerTarget(account(1)), agentTypeTarget('worker'), fleetTarget])(
    'a final kill of %j: one before the generation, at it, one after',
    (target) => {
      expect([6, 7, 8].map((sequence) => revoked(svid, rowOf(target, false, sequence)))).toEqual([
        false,
        false,
        true,
      ])
      expect(revoked(svid, rowOf(target, true, 0))).toBe(true)
    },
  )

  test('kills of other subjects do not cover it', () => {
    for (const target of [agentTarget(uuidOf(2)), ownerTarget(account(2)), agentTypeTarget('workers')])
      expect(revoked(svid, rowOf(target, true, 99))).toBe(false)
  })

  test('an SVID of another chain or contract is refused, whatever the table says', () => {
    for (const other of ['eip155:1:', 'eip155:31337:0x00', ''].map((start) =>
      deploymentText.replace(/^eip155:31337:(0x..)?/, start),
    ))
      expect(isRevoked({ ...svid, deployment: other }, new Map(), deployment)).toEqual({
        revoked: true,
        why: 'other deployment',
      })
  })

  test('enrolled workloads are covered by no kill of agents', () => {
    for (const type of reservedTypes) {
      const workload = svidOf('label', null, 0, type)
      expect(revoked(workload, rowOf(fleetTarget, true, 99), rowOf(agentTypeTarget(type), true, 99))).toBe(
        false,
      )
    }
  })

  test('claims that are none do not open: no owner, a generation that is no number', () => {
    expect(revoked(svidOf(uuidOf(1), null, 7), rowOf(fleetTarget, true, 0))).toBe(true)
    expect(revoked({ ...svid, generation: Number.NaN }, rowOf(fleetTarget, false, 1))).toBe(true)
  })
})

// The model of DESIGN, section 3: a chain that forks above its grant point, wallets that sign orders, relayers that see
// blocks and orders at different moments and issue, and enforcers that follow one or more of them.

type Kill = { readonly target: Target; readonly rank: Rank; readonly order: number | null }
type Entry =
  | { readonly kind: 'kill'; readonly kill: Kill }
  | { readonly kind: 'resume'; readonly target: Target }
type Block = readonly Entry[]

const agents = [1, 2, 3].map((n) => ({
  uuid: uuidOf(n),
  owner: account(n === 3 ? 2 : n),
  agentType: n === 1 ? 'worker' : 'trader',
}))
const targets: readonly Target[] = [
  ...agents.map((agent) => agentTarget(agent.uuid)),
  ...[1, 2].map((n) => ownerTarget(account(n))),
  agentTypeTarget('worker'),
  agentTypeTarget('trader'),
  fleetTarget,
]
const genesis: readonly RegistryEvent[] = agents.map((agent, index) => ({
  type: 'AgentRegistered',
  ...agent,
  key: `0x${'11'.repeat(32)}`,
  sequence: index + 1,
}))

/** The subjects that cover an agent, stated without the code under test. */
const subjectsOf = (agent: (typeof agents)[number]) => [
  `${Scope.Agent}:0x${agent.uuid.replaceAll('-', '').padStart(64, '0')}`,
  `${Scope.Owner}:0x${agent.owner.slice(2).padStart(64, '0')}`,
  `${Scope.AgentType}:0x${Buffer.from(agent.agentType).toString('hex').padEnd(64, '0')}`,
  `${Scope.Fleet}:0x${'0'.repeat(64)}`,
]

/** A chain's registry after some of its blocks, with the sequence of each kill. */
function replay(blocks: readonly Block[]) {
  const registry = createRegistry()
  for (const event of genesis) applyRegistryEvent(registry, event, 0)
  const kills: { target: Target; sequence: number; height: number; order: number | null; entry: Entry }[] = []
  for (const [height, block] of blocks.entries()) {
    for (const entry of block) {
      const sequence = registry.sequence + 1
      if (entry.kind === 'resume') {
        const event = {
          type: 'Resumed',
          ...entry.target,
          authority: account(9),
          sequence,
          requestTime: 0,
        } as const
        applyRegistryEvent(registry, event, height)
        continue
      }
      const { target, rank, order } = entry.kill
      // The identical order lands once.
      if (order !== null && kills.some((kill) => kill.order === order)) continue
      applyRegistryEvent(
        registry,
        {
          type: 'Killed',
          ...target,
          authority: account(9),
          rank,
          reason: 0,
          sequence,
          orderDigest: null,
          text: '',
        },
        height,
      )
      kills.push({ target, sequence, height, order, entry })
    }
  }
  return { registry, kills }
}

type Relayer = {
  /** Its view of the chain, block by block, and how much of it is beyond doubt. */
  seen: readonly Block[]
  grant: number
  /** Orders it took, not landed on its final chain yet. */
  orders: Map<number, Target>
  /** Kills of orphaned blocks, enforced until finality has passed their height. */
  orphaned: { target: Target; height: number }[]
  /** Where it last saw each kill, canonical still or not: what the model holds it to. */
  everSeen: Map<Entry, number>
}
type Enforcer = { readonly follows: readonly number[]; tables: Map<string, RevocationRow>[] }
type World = {
  chain: Block[]
  /** The canonical grant point: nothing below is ever replaced. */
  finalHeight: number
  orders: Map<number, Target>
  relayers: Relayer[]
  enforcers: Enforcer[]
  /** `grantAt`: the issuer's grant point at the issue. What lies at or above it came later. */
  svids: {
    readonly claims: SvidClaims
    readonly agent: number
    readonly of: number
    readonly grantAt: number
  }[]
}

const tableOf = (relayer: Relayer): Map<string, RevocationRow> => {
  const rows = new Map<string, RevocationRow>()
  const put = (target: Target, provisional: boolean, finalSequence: number) => {
    const old = rows.get(targetKey(target))
    rows.set(
      targetKey(target),
      rowOf(
        target,
        provisional || (old?.provisional ?? false),
        Math.max(old?.finalSequence ?? 0, finalSequence),
      ),
    )
  }
  const { kills } = replay(relayer.seen)
  const landed = new Set<number>()
  for (const { target, sequence, height, order } of kills) {
    if (height < relayer.grant && order !== null) landed.add(order)
    put(target, height >= relayer.grant, height < relayer.grant ? sequence : 0)
  }
  for (const [id, target] of relayer.orders) if (!landed.has(id)) put(target, true, 0)
  for (const { target } of relayer.orphaned) put(target, true, 0)
  return rows
}

/** Takes the canonical chain up to a height and its grant point: rules of DESIGN, sections 1 and 3. */
function sync(relayer: Relayer, world: World, height: number) {
  const seen = world.chain.slice(0, Math.max(height, relayer.grant))
  const common = relayer.seen.findIndex((block, index) => seen[index] !== block)
  if (common >= 0 && seen.length > common) {
    for (const { target, height: at } of replay(relayer.seen).kills)
      if (at >= common) relayer.orphaned.push({ target, height: at })
  }
  if (common < 0 || seen.length > common)
    relayer.seen = seen.length >= relayer.seen.length || common >= 0 ? seen : relayer.seen
  // What is final is final by its hash: blocks of a fork that it has not left yet grant nothing.
  const fork = relayer.seen.findIndex((block, index) => world.chain[index] !== block)
  const shared = fork < 0 ? relayer.seen.length : fork
  relayer.grant = Math.max(relayer.grant, Math.min(world.finalHeight, shared))
  for (const { entry, height: at } of replay(relayer.seen).kills) relayer.everSeen.set(entry, at)
  // Withdrawn once finality has passed the height.
  relayer.orphaned = relayer.orphaned.filter(({ height: at }) => at >= relayer.grant)
}

/** A killed agent, finally or provisionally, gets no SVID; what gives acts from the grant point. */
function issue(relayer: Relayer, agent: (typeof agents)[number]): SvidClaims | null {
  const { registry } = replay(relayer.seen.slice(0, relayer.grant))
  if (isKilled(agent, stateIn(registry))) return null
  const claims = svidOf(agent.uuid, agent.owner, registry.sequence, agent.agentType)
  return isRevoked(claims, tableOf(relayer), deployment).revoked ? null : claims
}

const accepted = (enforcer: Enforcer, claims: SvidClaims) =>
  enforcer.tables.every((table) => !isRevoked(claims, table, deployment).revoked)

function checkWorld(world: World) {
  const final = replay(world.chain.slice(0, world.finalHeight))
  const canonical = replay(world.chain)
  for (const { claims, agent: index, grantAt } of world.svids) {
    const agent = agents[index]
    if (agent === undefined) throw new RangeError('no such agent')
    const covering = subjectsOf(agent)
    for (const enforcer of world.enforcers) {
      // (1) Issued before a canonical kill of its subject: never accepted after the kill was seen, in whatever block,
      // until finality has passed that block without it.
      const seen = canonical.kills.filter(
        (kill) =>
          covering.includes(targetKey(kill.target)) &&
          kill.height >= grantAt &&
          enforcer.follows.some((r) => {
            const relayer = world.relayers[r] as Relayer
            const height = relayer.everSeen.get(kill.entry)
            return (
              height !== undefined &&
              (height >= relayer.grant || relayer.seen[kill.height] === world.chain[kill.height])
            )
          }),
      )
      if (seen.length > 0) expect(accepted(enforcer, claims)).toBe(false)
      const ordersSeen = enforcer.follows.flatMap((r) =>
        [...(world.relayers[r] as Relayer).orders].filter(
          ([id, target]) =>
            covering.includes(targetKey(target)) && !final.kills.some((kill) => kill.order === id),
        ),
      )
      if (ordersSeen.length > 0) expect(accepted(enforcer, claims)).toBe(false)
      // (2) Issued after a resume at the grant point: accepted once every followed relayer is past it, unless another
      // kill covers it: a later final one, or anything provisional that a followed relayer holds.
      const past = enforcer.follows.every((r) => (world.relayers[r] as Relayer).grant >= world.finalHeight)
      const laterKill = final.kills.some(
        (kill) => covering.includes(targetKey(kill.target)) && kill.height >= grantAt,
      )
      const open = enforcer.follows.some((r) => {
        const relayer = world.relayers[r] as Relayer
        const unfinal = replay(relayer.seen).kills.filter((kill) => kill.height >= relayer.grant)
        const pending = [...relayer.orders].filter(([id]) => !final.kills.some((kill) => kill.order === id))
        return [...unfinal, ...relayer.orphaned, ...pending.map(([, target]) => ({ target }))].some((kill) =>
          covering.includes(targetKey(kill.target)),
        )
      })
      if (past && !laterKill && !open) expect(accepted(enforcer, claims)).toBe(true)
    }
    // No issuer gives what the final chain says is dead.
    if (claims.generation >= final.registry.sequence)
      expect(isKilled(agent, stateIn(final.registry))).toBe(false)
  }
}

type Step = { readonly name: string; run(world: World): void }
const t = fc.nat(targets.length - 1)
const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T
const entry = fc.oneof(
  fc
    .tuple(t, fc.constantFrom(Rank.Breaker, Rank.Owner, Rank.Council))
    .map(([i, rank]): Entry => ({ kind: 'kill', kill: { target: at(targets, i), rank, order: null } })),
  t.map((i): Entry => ({ kind: 'resume', target: at(targets, i) })),
)
const publish = (world: World) => {
  for (const enforcer of world.enforcers)
    enforcer.tables = enforcer.follows.map((r) => tableOf(world.relayers[r] as Relayer))
}
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.array(entry, { maxLength: 2 }).map((block) => ({
    name: `block ${JSON.stringify(block)}`,
    run: (world: World) => void world.chain.push([...block]),
  })),
  fc
    .tuple(fc.nat(3), fc.array(fc.array(entry, { maxLength: 2 }), { maxLength: 3 }))
    .map(([depth, blocks]) => ({
      name: `fork ${depth} ${JSON.stringify(blocks)}`,
      run: (world: World) => {
        world.chain.length = Math.max(world.finalHeight, world.chain.length - depth)
        for (const block of blocks) world.chain.push([...block])
      },
    })),
  fc.tuple(fc.nat(3), fc.nat(2)).map(([depth, empty]) => ({
    name: `re-mine the last ${depth} blocks in one, after ${empty} empty ones`,
    run: (world: World) => {
      const dropped = world.chain.splice(Math.max(world.finalHeight, world.chain.length - depth))
      for (let n = 0; n < empty; n++) world.chain.push([])
      world.chain.push(dropped.flat())
    },
  })),
  fc.nat(3).map((n) => ({
    name: `finalize ${n}`,
    run: (world: World) => {
      world.finalHeight = Math.min(world.chain.length, world.finalHeight + n)
    },
  })),
  fc.tuple(fc.nat(1), fc.nat(2)).map(([r, behind]) => ({
    name: `relayer ${r} sees all but ${behind}`,
    run: (world: World) => sync(at(world.relayers, r), world, world.chain.length - behind),
  })),
  fc.tuple(fc.nat(1), t, fc.nat(3)).map(([r, i, id]) => ({
    name: `order ${id} of ${i} to relayer ${r}`,
    run: (world: World) => {
      const target = world.orders.get(id) ?? at(targets, i)
      world.orders.set(id, target)
      at(world.relayers, r).orders.set(id, target)
    },
  })),
  fc.nat(3).map((id) => ({
    name: `order ${id} lands`,
    run: (world: World) => {
      const target = world.orders.get(id)
      if (target !== undefined)
        world.chain.push([{ kind: 'kill', kill: { target, rank: Rank.Owner, order: id } }])
    },
  })),
  fc.tuple(fc.nat(1), fc.nat(2)).map(([r, agent]) => ({
    name: `relayer ${r} issues to ${agent}`,
    run: (world: World) => {
      const relayer = at(world.relayers, r)
      const claims = issue(relayer, at(agents, agent))
      if (claims !== null) world.svids.push({ claims, agent, of: r, grantAt: relayer.grant })
      // Alive at its grant point and covered by nothing that is open: it must get one.
      const { registry, kills } = replay(relayer.seen.slice(0, relayer.grant))
      const landed = new Set(kills.map((kill) => kill.order))
      const open = [
        ...replay(relayer.seen).kills.filter((kill) => kill.height >= relayer.grant),
        ...relayer.orphaned,
        ...[...relayer.orders].filter(([id]) => !landed.has(id)).map(([, target]) => ({ target })),
      ].some((kill) => subjectsOf(at(agents, agent)).includes(targetKey(kill.target)))
      expect(claims !== null).toBe(!open && !isKilled(at(agents, agent), stateIn(registry)))
    },
  })),
)

test('an SVID issued before a canonical kill is never accepted after it was seen; one issued after a resume is, once all are past it', () => {
  let issued = 0
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 40, size: 'max' }), (all) => {
      const relayer = (): Relayer => ({
        seen: [],
        grant: 0,
        orders: new Map(),
        orphaned: [],
        everSeen: new Map(),
      })
      const world: World = {
        chain: [],
        finalHeight: 0,
        orders: new Map(),
        relayers: [relayer(), relayer()],
        enforcers: [[0], [1], [0, 1]].map((follows) => ({ follows, tables: [] })),
        svids: [],
      }
      for (const step of all) {
        step.run(world)
        publish(world)
        checkWorld(world)
      }
      issued += world.svids.length
    }),
    { numRuns: Number(process.env.KILLSWITCH_HISTORIES ?? 5) * 60 },
  )
  expect(issued).toBeGreaterThan(100)
})

test('scopes of the model are all four', () => {
  expect(new Set(targets.map((target) => target.scope))).toEqual(new Set(Object.values(Scope)))
})

test('an order that landed and was resumed at the grant point is over: the next SVID is issued and accepted', () => {
  const target = agentTarget(uuidOf(1))
  const kill: Entry = { kind: 'kill', kill: { target, rank: Rank.Owner, order: 1 } }
  const relayer: Relayer = {
    seen: [[kill], [{ kind: 'resume', target }]],
    grant: 1,
    orders: new Map([[1, target]]),
    orphaned: [],
    everSeen: new Map(),
  }
  const agent = at(agents, 0)
  expect(issue(relayer, agent)).toBeNull()
  relayer.grant = 2
  const claims = issue(relayer, agent)
  expect(claims).toMatchObject({ generation: agents.length + 2 })
  expect(claims !== null && isRevoked(claims, tableOf(relayer), deployment).revoked).toBe(false)
  expect(
    isRevoked(svidOf(agent.uuid, agent.owner, agents.length), tableOf(relayer), deployment).revoked,
  ).toBe(true)
})
