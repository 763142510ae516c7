import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Hex } from './hex.ts'
import { coveringTargets, isKilled, statusOf } from './liveness.ts'
import { Rank } from './rank.ts'
import {
  type Agent,
  applyRegistryEvent,
  copyRegistry,
  createRegistry,
  isOwnersOrder,
  killRankOf,
  type MutableRegistry,
  ownersHold,
  ownsAgent,
  type RegistryEvent,
  RegistryGapError,
  resumeRankOf,
  stateIn,
} from './registry.ts'
import {
  agentTarget,
  agentTypeTarget,
  fleetTarget,
  ownerTarget,
  Scope,
  scopes,
  type Target,
} from './scope.ts'

const account = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`
const uuidOf = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`
const key: Hex = `0x${'11'.repeat(32)}`
const zero = account(0)
const upper = (address: Hex): Hex => `0x${address.slice(2).toUpperCase()}`

const registryOf = (events: readonly RegistryEvent[], time = 0): MutableRegistry => {
  const registry = createRegistry()
  for (const event of events) applyRegistryEvent(registry, event, time)
  return registry
}
const registered = (n: number, owner: Hex, sequence = n) => ({
  type: 'AgentRegistered' as const,
  uuid: uuidOf(n),
  owner,
  agentType: 'worker',
  key,
  sequence,
})
const transferred = (n: number, formerOwner: Hex, newOwner: Hex, formerUntil = 0): RegistryEvent => ({
  type: 'AgentTransferred',
  uuid: uuidOf(n),
  formerOwner,
  newOwner,
  formerUntil,
})
const killed = (target: Target, rank: Rank, sequence: number, reason = 1): RegistryEvent => ({
  type: 'Killed',
  ...target,
  authority: account(9),
  rank,
  reason,
  sequence,
  orderDigest: null,
  text: '',
})
const resumed = (target: Target, sequence: number): RegistryEvent => ({
  type: 'Resumed',
  ...target,
  authority: account(9),
  sequence,
  requestTime: 5,
})

describe('owners and their agents', () => {
  const step = fc.record({ agent: fc.integer({ min: 1, max: 6 }), to: fc.integer({ min: 1, max: 3 }) })

  test('the index is what a scan over all agents says, after any registrations and transfers', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const registry = createRegistry()
        let sequence = 0
        for (const { agent, to } of steps) {
          const owner = registry.agents.get(uuidOf(agent))?.owner
          sequence += 1
          const event =
            owner === undefined
              ? registered(agent, account(to), sequence)
              : transferred(agent, owner, account(to))
          applyRegistryEvent(registry, event, 0)
          for (let n = 1; n <= 3; n++) {
            const scanned = [...registry.agents.values()].filter((a) => a.owner === account(n))
            expect(ownsAgent(registry, account(n))).toBe(scanned.length > 0)
            expect(registry.agentsByOwner.get(account(n)) ?? new Set()).toEqual(
              new Set(scanned.map((a) => a.uuid)),
            )
          }
        }
      }),
    )
  })

  test('asking does not grow with the number of agents: 200,000 answers among 10,000 agents in under a second', () => {
    const registry = registryOf(Array.from({ length: 10_000 }, (_, n) => registered(n + 1, account(1))))
    const started = performance.now()
    for (let i = 0; i < 200_000; i++) ownsAgent(registry, account(2))
    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('an agent without a type is killed by its id, its owner and with the fleet; by its type from completion on', () => {
    const worker = agentTypeTarget('worker')
    const registry = registryOf([{ ...registered(1, account(1)), agentType: null, key: null }])
    const bare = registry.agents.get(uuidOf(1)) as Agent
    expect(bare).toMatchObject({ agentType: null, key: null, keySince: 0 })
    expect(coveringTargets(bare)).toEqual([agentTarget(uuidOf(1)), ownerTarget(account(1)), fleetTarget])
    applyRegistryEvent(registry, killed(worker, Rank.Council, 2), 0)
    expect(isKilled(bare, stateIn(registry))).toBe(false)
    applyRegistryEvent(
      registry,
      { type: 'AgentCompleted', uuid: uuidOf(1), agentType: 'worker', key, sequence: 3 },
      0,
    )
    const complete = registry.agents.get(uuidOf(1)) as Agent
    expect(complete).toMatchObject({ agentType: 'worker', key, keySince: 3 })
    expect(stateIn(registry)(agentTarget(uuidOf(1))).aliveSince).toBe(1)
    expect(isKilled(complete, stateIn(registry))).toBe(true)
  })

  test('events of an agent that is not registered are a gap', () => {
    for (const event of [
      { type: 'AgentCompleted', uuid: uuidOf(1), agentType: 'worker', key, sequence: 1 },
      transferred(1, account(1), account(2)),
      { type: 'KeyChanged', uuid: uuidOf(1), key, sequence: 1 },
      { type: 'AgentWalletChanged', uuid: uuidOf(1), agentWallet: null },
    ] satisfies RegistryEvent[])
      expect(() => registryOf([event])).toThrow(RegistryGapError)
  })
})

// Who: 1 owner, 2 guardian, 3 agent wallet, 4 breaker, 5 council, 6 emergency governor, 7 governance, 8 former owner,
// 10 guardian of the former owner, 11 stranger.
const now = 1000
const house = (): MutableRegistry =>
  registryOf([
    registered(1, account(8)),
    { type: 'GuardianAppointed', owner: account(8), guardian: account(10) },
    transferred(1, account(8), account(1), now + 1),
    { type: 'GuardianAppointed', owner: account(1), guardian: account(2) },
    { type: 'AgentWalletChanged', uuid: uuidOf(1), agentWallet: account(3) },
    { type: 'BreakerChanged', breaker: account(4), admitted: true },
    { type: 'CouncilChanged', council: account(5) },
    { type: 'EmergencyGovernorChanged', emergencyGovernor: account(6) },
    { type: 'GovernanceAccepted', governance: account(7) },
  ])
const targets = [agentTarget(uuidOf(1)), ownerTarget(account(1)), agentTypeTarget('worker'), fleetTarget]

test('who kills at which rank (DESIGN, section 3)', () => {
  const ranks = (who: number) => targets.map((target) => killRankOf(house(), account(who), target, now))
  const { None, Breaker, Owner, Council, Governance } = Rank
  expect(ranks(1)).toEqual([Owner, Owner, None, None])
  expect(ranks(2)).toEqual([Owner, Owner, None, None])
  expect(ranks(3)).toEqual([Owner, None, None, None])
  expect(ranks(4)).toEqual([Breaker, None, None, None])
  expect(ranks(5)).toEqual([Council, Council, Council, Council])
  expect(ranks(6)).toEqual([Governance, Governance, Governance, Governance])
  expect(ranks(7)).toEqual([None, None, None, None])
  expect(ranks(8)).toEqual([None, None, None, None])
  expect(ranks(10)).toEqual([Owner, None, None, None])
  expect(ranks(11)).toEqual([None, None, None, None])
})

test('who resumes up to which rank (DESIGN, section 3)', () => {
  const ranks = (who: number) => targets.map((target) => resumeRankOf(house(), account(who), target))
  const { None, Owner, Council, Governance } = Rank
  expect(ranks(1)).toEqual([Owner, Owner, None, None])
  for (const who of [2, 3, 4, 6, 8, 10, 11]) expect(ranks(who)).toEqual([None, None, None, None])
  expect(ranks(5)).toEqual([Council, Council, Council, Council])
  expect(ranks(7)).toEqual([Governance, Governance, Governance, Governance])
})

test('no subject, no rank: unknown agents, malformed subjects and scopes, for whomever', () => {
  const bad: readonly Target[] = [
    agentTarget(uuidOf(2)),
    { scope: Scope.Owner, subject: fleetTarget.subject },
    { scope: Scope.AgentType, subject: fleetTarget.subject },
    { scope: Scope.Fleet, subject: agentTarget(uuidOf(1)).subject },
    { scope: Scope.Agent, subject: agentTypeTarget('worker').subject },
    { scope: 4 as Scope, subject: fleetTarget.subject },
  ]
  for (const target of bad) {
    for (const who of [1, 5, 6, 7]) {
      expect(killRankOf(house(), account(who), target, now)).toBe(Rank.None)
      expect(resumeRankOf(house(), account(who), target)).toBe(Rank.None)
    }
  }
})

test('the zero address holds no power, whatever is vacant or appointed', () => {
  const registry = registryOf([
    registered(1, account(1)),
    { type: 'GuardianAppointed', owner: account(1), guardian: zero },
    { type: 'BreakerChanged', breaker: zero, admitted: true },
    { type: 'CouncilChanged', council: null },
    { type: 'EmergencyGovernorChanged', emergencyGovernor: null },
  ])
  for (const target of targets) {
    expect(killRankOf(registry, zero, target, now)).toBe(Rank.None)
    expect(resumeRankOf(registry, zero, target)).toBe(Rank.None)
  }
})

test('addresses are numbers: their spelling does not take a kill away', () => {
  const registry = registryOf([registered(1, `0x${'ab'.repeat(20)}`)])
  const owner: Hex = upper(`0x${'ab'.repeat(20)}`)
  expect(killRankOf(registry, owner, agentTarget(uuidOf(1)), now)).toBe(Rank.Owner)
  expect(killRankOf(registry, owner, ownerTarget(owner), now)).toBe(Rank.Owner)
  expect(resumeRankOf(registry, owner, ownerTarget(owner))).toBe(Rank.Owner)
  expect(ownsAgent(registry, owner)).toBe(true)
})

test('a dismissed guardian: a second before its end, exactly at, one after', () => {
  const registry = house()
  const until = now + 10
  applyRegistryEvent(
    registry,
    { type: 'GuardianDismissed', owner: account(1), guardian: account(2), until },
    now,
  )
  const at = (time: number) => killRankOf(registry, account(2), ownerTarget(account(1)), time)
  expect([at(until - 1), at(until), at(until + 1)]).toEqual([Rank.Owner, Rank.None, Rank.None])
})

test('a guardian of the former owner: a second before the end, exactly at, one after', () => {
  const at = (time: number) => killRankOf(house(), account(10), agentTarget(uuidOf(1)), time)
  expect([at(now), at(now + 1), at(now + 2)]).toEqual([Rank.Owner, Rank.None, Rank.None])
})

test('powers end: breaker dismissed, council and emergency governor replaced, governance handed over', () => {
  const registry = house()
  for (const event of [
    { type: 'BreakerChanged', breaker: account(4), admitted: false },
    { type: 'CouncilChanged', council: account(20) },
    { type: 'EmergencyGovernorChanged', emergencyGovernor: null },
    { type: 'GovernanceOffered', pending: account(21) },
    { type: 'GovernanceAccepted', governance: account(21) },
  ] satisfies RegistryEvent[])
    applyRegistryEvent(registry, event, now)
  for (const who of [4, 5, 6])
    expect(killRankOf(registry, account(who), agentTarget(uuidOf(1)), now)).toBe(Rank.None)
  expect(killRankOf(registry, account(20), fleetTarget, now)).toBe(Rank.Council)
  expect(resumeRankOf(registry, account(7), fleetTarget)).toBe(Rank.None)
  expect(resumeRankOf(registry, account(21), fleetTarget)).toBe(Rank.Governance)
  expect(registry.pendingGovernance).toBeNull()
})

test('a burn is of one digest: a made-up order with the same authority and nonce does not hide it', () => {
  const burn = (orderDigest: Hex, effectiveAt: number): RegistryEvent => ({
    type: 'OrderBurned',
    authority: account(1),
    nonce: 7n,
    orderDigest,
    effectiveAt,
  })
  expect([...registryOf([burn('0x0a', 100), burn('0x0b', 200)]).burntOrders]).toEqual([
    ['0x0a', 100],
    ['0x0b', 200],
  ])
})

describe('what its owner stopped', () => {
  const [owner, council, agent, wallet] = [
    account(1),
    account(20),
    agentTarget(uuidOf(1)),
    ownerTarget(account(1)),
  ]
  const by = (authority: Hex, target: Target, rank: Rank, sequence: number) => ({
    ...killed(target, rank, sequence),
    authority,
  })
  const lowered = (target: Target, requestTime: number): RegistryEvent => ({
    type: 'RankLowered',
    ...target,
    authority: council,
    requestTime,
  })
  const afterEvents = (...events: readonly RegistryEvent[]) => registryOf([registered(1, owner), ...events])

  test('stands from the first kill of rank Owner to the resume, whatever comes between', () => {
    const registry = createRegistry()
    const steps: readonly [RegistryEvent, object][] = [
      [registered(1, owner), {}],
      [killed(agent, Rank.Breaker, 2), { rank: Rank.Breaker, ownersKill: false }],
      [killed(agent, Rank.Owner, 3), { rank: Rank.Owner, ownersKill: true }],
      [killed(agent, Rank.Governance, 4), { rank: Rank.Governance, ownersKill: true }],
      [
        lowered(agent, 7),
        { rank: Rank.Owner, ownersKill: true, killedAt: 4, aliveSince: 1, resumeRequestTime: 7 },
      ],
      [killed(agent, Rank.Council, 5), { rank: Rank.Council, ownersKill: true }],
      [resumed(agent, 6), { rank: Rank.None, ownersKill: false }],
      [killed(agent, Rank.Council, 7), { rank: Rank.Council, ownersKill: false }],
    ]
    for (const [event, expected] of steps) {
      applyRegistryEvent(registry, event, 0)
      expect(stateIn(registry)(agent)).toMatchObject(expected)
    }
  })

  test('is the owner’s at any rank: also as council, also the wallet itself; nobody else’s is', () => {
    for (const [target, authority, expected] of [
      [agent, owner, true],
      [wallet, owner, true],
      [agent, council, false],
      [wallet, council, false],
      [fleetTarget, owner, false],
    ] as const)
      expect(stateIn(afterEvents(by(authority, target, Rank.Council, 2)))(target).ownersKill).toBe(expected)
  })

  test('a lowering ends the pending request and takes no sequence', () => {
    const registry = afterEvents(killed(agent, Rank.Owner, 2), killed(agent, Rank.Council, 3))
    applyRegistryEvent(
      registry,
      { type: 'ResumeRequested', ...agent, authority: council, sequence: 3, readyAt: 9 },
      5,
    )
    expect(registry.resumeRequests.size).toBe(1)
    applyRegistryEvent(registry, lowered(agent, 5), 9)
    expect([registry.resumeRequests.size, registry.sequence]).toEqual([0, 3])
  })

  const refusedFor = (of: Target) => ({ kind: 'refuses', of })
  test.each<[string, RegistryEvent[], Target, object]>([
    ['alive', [], agent, { kind: 'none' }],
    ['by the owner', [killed(agent, Rank.Owner, 2)], agent, refusedFor(agent)],
    ['by a breaker', [killed(agent, Rank.Breaker, 2)], agent, { kind: 'none' }],
    ['by a vote', [killed(agent, Rank.Governance, 2)], agent, { kind: 'none' }],
    ['by both', [killed(agent, Rank.Owner, 2), killed(agent, Rank.Governance, 3)], agent, { kind: 'lowers' }],
    ['its wallet by the owner', [killed(wallet, Rank.Owner, 2)], agent, refusedFor(wallet)],
    [
      'its wallet by both',
      [killed(wallet, Rank.Owner, 2), killed(wallet, Rank.Council, 3)],
      agent,
      refusedFor(wallet),
    ],
    [
      'itself by both, its wallet by the owner',
      [killed(agent, Rank.Owner, 2), killed(agent, Rank.Council, 3), killed(wallet, Rank.Owner, 4)],
      agent,
      refusedFor(wallet),
    ],
    [
      'itself by the owner, its wallet by a vote',
      [killed(agent, Rank.Owner, 2), killed(wallet, Rank.Council, 3)],
      agent,
      refusedFor(agent),
    ],
    [
      'back from under its wallet',
      [killed(wallet, Rank.Owner, 2), resumed(agent, 3), killed(agent, Rank.Council, 4)],
      agent,
      { kind: 'none' },
    ],
    ['a wallet by the owner', [killed(wallet, Rank.Owner, 2)], wallet, refusedFor(wallet)],
    [
      'a wallet by both',
      [killed(wallet, Rank.Owner, 2), killed(wallet, Rank.Council, 3)],
      wallet,
      { kind: 'lowers' },
    ],
    ['the fleet', [killed(fleetTarget, Rank.Council, 2)], fleetTarget, { kind: 'none' }],
  ])('and what others may do of it: %s', (_, events, target, expected) => {
    expect(ownersHold(afterEvents(...events), council, target)).toEqual(expected)
    if (target.scope !== Scope.Fleet)
      expect(ownersHold(afterEvents(...events), upper(owner), target)).toEqual({ kind: 'none' })
  })

  test('an order is the owner’s if it has rank Owner, no rank, or is by the owner', () => {
    const registry = afterEvents(
      { type: 'CouncilChanged', council },
      { type: 'BreakerChanged', breaker: account(7), admitted: true },
      { type: 'GuardianAppointed', owner, guardian: account(8) },
    )
    const is = (authority: Hex, target: Target) => isOwnersOrder(registry, authority, target, 0)
    expect([owner, account(8), account(9)].map((who) => is(who, agent))).toEqual([true, true, true])
    expect([council, account(7)].map((who) => is(who, agent))).toEqual([false, false])
    expect([is(account(9), fleetTarget), is(council, wallet), is(owner, wallet)]).toEqual([
      false,
      false,
      true,
    ])
    applyRegistryEvent(registry, { type: 'CouncilChanged', council: owner }, 0)
    expect(is(upper(owner), agent)).toBe(true)
  })
})

// The rule of DESIGN, section 3, stated anew over the list of events: what killed an agent and was not lifted since.
test('killed, and by what, is what the list of events says', () => {
  const everything = [
    agentTarget(uuidOf(1)),
    agentTarget(uuidOf(2)),
    ownerTarget(account(1)),
    ownerTarget(account(2)),
    agentTypeTarget('worker'),
    fleetTarget,
  ] as const
  const change = fc.record({
    target: fc.constantFrom(...everything),
    kill: fc.boolean(),
    rank: fc.constantFrom(Rank.Breaker, Rank.Owner, Rank.Council, Rank.Governance),
  })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
      const registry = registryOf([registered(1, account(1)), registered(2, account(2))])
      const list: { target: Target; kill: boolean; rank: Rank; sequence: number }[] = []
      for (const [index, { target, kill, rank }] of changes.entries()) {
        const sequence = index + 3
        applyRegistryEvent(
          registry,
          kill ? killed(target, rank, sequence) : resumed(target, sequence),
          sequence,
        )
        list.push({ target, kill, rank, sequence })
        for (const n of [1, 2]) {
          const agent = { uuid: uuidOf(n), owner: account(n), agentType: 'worker' }
          const ownResume = list.findLast((e) => !e.kill && e.target === everything[n - 1])?.sequence ?? n
          const standing = [everything[n - 1], everything[n + 1], everything[4], everything[5]].flatMap(
            (of) => {
              const lifted = list.findLast((e) => !e.kill && e.target === of)?.sequence ?? 0
              const kills = list.filter((e) => e.kill && e.target === of && e.sequence > lifted)
              const last = kills.at(-1)
              const covers =
                of !== undefined && of.scope <= Scope.Owner ? (last?.sequence ?? 0) > ownResume : true
              return last !== undefined && covers
                ? [{ last, rank: Math.max(...kills.map((k) => k.rank)) }]
                : []
            },
          )
          expect(isKilled(agent, stateIn(registry))).toBe(standing.length > 0)
          const highest = Math.max(0, ...standing.map((s) => s.rank))
          const first = standing.find((s) => s.rank === highest)
          expect(statusOf(agent, stateIn(registry))).toMatchObject({
            killed: standing.length > 0,
            rank: highest,
            scope: first?.last.target.scope ?? Scope.Agent,
            since: first?.last.sequence ?? 0,
          })
        }
      }
      expect(scopes).toHaveLength(4)
    }),
    { numRuns: 300 },
  )
})

test('a copy shares no collection with the original', () => {
  const registry = createRegistry()
  const uuids = new Set(['01234567-89ab-8def-8123-456789abcdef'])
  registry.agentsByOwner.set(`0x${'a1'.repeat(20)}`, uuids)
  const copy = copyRegistry(registry)
  expect(copy).toEqual(registry)
  for (const [name, value] of Object.entries(registry))
    if (typeof value === 'object' && value !== null) expect(copy[name as keyof typeof copy]).not.toBe(value)
  expect([...copy.agentsByOwner.values()][0]).not.toBe(uuids)
})
