import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { isKilled } from '../../protocol/liveness.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, stateIn } from '../../protocol/registry.ts'
import { agentTarget, fleetTarget, type Target } from '../../protocol/scope.ts'
import { createPlaces, type Place, QuotaFilledError } from './places.ts'

const alice: Hex = `0x${'a1'.repeat(20)}`
const bob: Hex = `0x${'b0'.repeat(20)}`
const uuidOf = (n: number) => `01234567-89ab-8def-8123-456789abcd${n.toString(16).padStart(2, '0')}`

/** Agents 0 to `count` - 1 of Alice. */
function world(count: number, taken: readonly Place[] = []) {
  const registry = createRegistry()
  const next = () => registry.sequence + 1
  for (let n = 0; n < count; n++)
    applyRegistryEvent(
      registry,
      {
        ...{ type: 'AgentRegistered', uuid: uuidOf(n), owner: alice, agentType: 'worker', sequence: next() },
        key: `0x${'11'.repeat(32)}`,
      },
      0,
    )
  const places = createPlaces({ registry, taken })
  const agent = (n: number) => {
    const found = registry.agents.get(uuidOf(n))
    if (found === undefined) throw new Error(`no agent ${n}`)
    return found
  }
  return {
    registry,
    places,
    agent,
    /** Takes a place for good. @returns the number of the displaced agent, null where there was room or none was needed */
    enrol(n: number, quota: number | null): number | null {
      const place = places.take(agent(n), quota)
      place?.keep()
      return place?.displaced == null ? null : Number.parseInt(place.displaced.slice(-2), 16)
    },
    kill: (target: Target) =>
      applyRegistryEvent(
        registry,
        {
          ...{ type: 'Killed', ...target, authority: alice, rank: Rank.Owner, reason: 1, text: '' },
          ...{ sequence: next(), orderDigest: null },
        },
        0,
      ),
    resume: (target: Target) =>
      applyRegistryEvent(
        registry,
        { type: 'Resumed', ...target, authority: alice, sequence: next(), requestTime: 1 },
        2,
      ),
    give: (n: number, to: Hex) => {
      applyRegistryEvent(
        registry,
        {
          ...{ type: 'AgentTransferred', uuid: uuidOf(n), formerOwner: agent(n).owner, newOwner: to },
          formerUntil: 0,
        },
        0,
      )
      // A transfer kills.
      registry.sequence += 1
    },
    living: () =>
      [...registry.agents.values()].filter(
        (one) => places.holds(one) && one.owner === alice && !isKilled(one, stateIn(registry)),
      ).length,
  }
}

const one = (n: number) => agentTarget(uuidOf(n))

describe('a place', () => {
  test('is refused when the quota is filled, with who, how many and what to do', () => {
    const w = world(3)
    w.enrol(0, 2)
    w.enrol(1, 2)
    expect(() => w.enrol(2, 2)).toThrow(QuotaFilledError)
    try {
      w.enrol(2, 2)
    } catch (error) {
      expect(error).toMatchObject({ owner: alice, quota: 2, used: 2 })
      expect((error as Error).message).toMatch(/subscribe .* or kill another/)
    }
    expect(w.places.refused()).toBe(2)
    expect(() => world(1).enrol(0, 0)).toThrow(QuotaFilledError)
  })

  test('stays when the quota shrinks; nobody new comes in until it has room again', () => {
    const w = world(5)
    for (const n of [0, 1, 2]) w.enrol(n, 3)
    for (const n of [0, 1, 2]) expect(w.enrol(n, 0)).toBeNull()
    expect(() => w.enrol(3, 2)).toThrow(QuotaFilledError)
    expect(w.enrol(3, 4)).toBeNull()
  })

  test('is held by a killed fleet, which comes back whatever the quota is then', () => {
    const w = world(3)
    for (const n of [0, 1, 2]) w.enrol(n, 3)
    w.kill(fleetTarget)
    w.resume(fleetTarget)
    for (const n of [0, 1, 2]) expect(w.enrol(n, 0)).toBeNull()
    expect(w.living()).toBe(3)
  })

  test('of a killed agent is taken by another one, and by killing and resuming in turn no more come to live', () => {
    const w = world(3)
    w.enrol(0, 2)
    w.enrol(1, 2)
    w.kill(one(0))
    expect(w.enrol(2, 2)).toBe(0)
    w.resume(one(0))
    expect(() => w.enrol(0, 2)).toThrow(QuotaFilledError)
    w.kill(one(1))
    expect(w.enrol(0, 2)).toBe(1)
    expect(w.living()).toBe(2)
  })

  test('of a killed agent is not free while as many live as the quota says', () => {
    const w = world(4)
    for (const n of [0, 1, 2]) w.enrol(n, 3)
    w.kill(one(0))
    expect(() => w.enrol(3, 2)).toThrow(QuotaFilledError)
    w.kill(one(1))
    expect(w.enrol(3, 2)).toBe(0)
  })

  test('that was given without a known quota counts like any other', () => {
    const w = world(5)
    for (const n of [0, 1, 2]) w.enrol(n, 3)
    w.kill(one(0))
    expect(() => w.enrol(3, 2)).toThrow(QuotaFilledError)
    w.enrol(3, null)
    expect(() => w.enrol(4, 3)).toThrow(QuotaFilledError)
  })

  test('goes with the owner: a given agent needs one of its new owner and frees that of the former', () => {
    const w = world(3)
    w.enrol(0, 1)
    w.give(0, bob)
    expect(() => w.enrol(0, 0)).toThrow(QuotaFilledError)
    expect(w.enrol(1, 1)).toBe(0)
    expect(w.enrol(0, 1)).toBeNull()
    expect(() => w.enrol(2, 1)).toThrow(QuotaFilledError)
  })

  test('is known again after a restart', () => {
    const w = world(2, [{ uuid: uuidOf(0), owner: alice }])
    expect(() => w.enrol(1, 1)).toThrow(QuotaFilledError)
    expect(w.enrol(0, 1)).toBeNull()
  })
})

describe('a place whose SVID fails', () => {
  test('is given back, with that of whom it displaced', () => {
    const w = world(2)
    w.enrol(0, 1)
    w.kill(one(0))
    const taken = w.places.take(w.agent(1), 1)
    expect(w.places.holds(w.agent(0))).toBe(false)
    taken?.giveBack()
    expect([w.places.holds(w.agent(0)), w.places.holds(w.agent(1))]).toEqual([true, false])
  })

  test('is kept if another SVID of the same agent is durable, whichever ends first', () => {
    for (const failsFirst of [true, false]) {
      const w = world(2)
      w.enrol(0, 1)
      w.kill(one(0))
      const [failing, lasting] = [w.places.take(w.agent(1), 1), w.places.take(w.agent(1), 1)]
      const steps = [() => failing?.giveBack(), () => lasting?.keep()]
      for (const step of failsFirst ? steps : steps.reverse()) step()
      expect([w.places.holds(w.agent(0)), w.places.holds(w.agent(1))]).toEqual([false, true])
      expect(lasting?.displaced).toBe(uuidOf(0))
    }
  })

  test('of a given agent leaves it that of its former owner, should it come back', () => {
    const w = world(1)
    w.enrol(0, 1)
    w.give(0, bob)
    w.places.take(w.agent(0), 1)?.giveBack()
    w.give(0, alice)
    expect(w.enrol(0, 0)).toBeNull()
  })
})

test('random enrolments, kills, resumes and failures under one quota: never more living agents than it gives', () => {
  const act = fc.record({
    kind: fc.constantFrom('enrol', 'enrol', 'fail', 'kill', 'resume', 'kill all', 'resume all'),
    n: fc.nat(7),
  })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.array(act, { maxLength: 60 }), (quota, acts) => {
      const w = world(8)
      for (const { kind, n } of acts) {
        if (kind === 'kill') w.kill(one(n))
        else if (kind === 'kill all') w.kill(fleetTarget)
        else if (kind === 'resume') w.resume(one(n))
        else if (kind === 'resume all') w.resume(fleetTarget)
        else if (!isKilled(w.agent(n), stateIn(w.registry))) {
          try {
            const place = w.places.take(w.agent(n), quota)
            if (kind === 'enrol') place?.keep()
            else place?.giveBack()
          } catch (error) {
            expect(error).toBeInstanceOf(QuotaFilledError)
            expect(w.living()).toBe(quota)
          }
        }
        expect(w.living()).toBeLessThanOrEqual(quota)
      }
    }),
  )
})
