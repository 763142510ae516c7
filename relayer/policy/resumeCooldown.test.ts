import { describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { Rank } from '../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, stateIn } from '../../protocol/registry.ts'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { lastResume } from './resumeCooldown.ts'

const owner: Hex = `0x${'a1'.repeat(20)}`
const uuid = '01234567-89ab-8def-8123-456789abcdef'
const agent = { uuid, owner, agentType: 'worker' }

/** A history of one agent, told by what happens; times in Unix seconds. */
function world() {
  const registry = createRegistry()
  let sequence = 0
  const next = () => {
    sequence += 1
    return sequence
  }
  const authority = owner
  return {
    register: () =>
      applyRegistryEvent(
        registry,
        { type: 'AgentRegistered', ...agent, key: `0x${'11'.repeat(32)}`, sequence: next() },
        0,
      ),
    kill: (target: Target) =>
      applyRegistryEvent(
        registry,
        {
          ...{ type: 'Killed' as const, ...target, authority, rank: Rank.Owner, reason: 1 },
          ...{ sequence: next(), orderDigest: null, text: '' },
        },
        0,
      ),
    resume: (target: Target, requestTime: number) =>
      applyRegistryEvent(
        registry,
        { type: 'Resumed', ...target, authority, sequence: next(), requestTime },
        requestTime + 1,
      ),
    /** To another owner, as the contract does it: with a kill. */
    give() {
      const formerOwner = authority
      applyRegistryEvent(
        registry,
        { type: 'AgentTransferred', uuid, formerOwner, newOwner: `0x${'b0'.repeat(20)}`, formerUntil: 0 },
        0,
      )
      applyRegistryEvent(
        registry,
        {
          ...{ type: 'Killed' as const, ...agentTarget(uuid), authority, rank: Rank.Owner, reason: 0xff01 },
          ...{ sequence: next(), orderDigest: null, text: '' },
        },
        0,
      )
    },
    last: () => lastResume(agent, stateIn(registry)),
  }
}

const own = agentTarget(uuid)

describe('the last resume of an agent', () => {
  test('is none before any', () => {
    const w = world()
    w.register()
    w.kill(own)
    expect(w.last()).toBeNull()
  })

  test.each([
    ['itself', own],
    ['its owner', ownerTarget(owner)],
    ['its type', agentTypeTarget('worker')],
    ['the fleet', fleetTarget],
  ])('is that of %s', (_, target) => {
    const w = world()
    w.register()
    w.kill(target)
    w.resume(target, 100)
    expect(w.last()).toEqual({ requestTime: 100, sequence: 3 })
  })

  test('is not one of before the agent was registered', () => {
    const w = world()
    w.kill(ownerTarget(owner))
    w.resume(ownerTarget(owner), 100)
    w.register()
    expect(w.last()).toBeNull()
  })

  test('is that after a transfer, though the KillSwitch asks for no cool-down there', () => {
    const w = world()
    w.register()
    w.kill(own)
    w.resume(own, 100)
    w.give()
    expect(w.last()).toMatchObject({ requestTime: 100 })
    w.resume(own, 300)
    expect(w.last()).toEqual({ requestTime: 300, sequence: 5 })
  })

  test('counts a fleet resume that was requested after the own one and executed before it', () => {
    const w = world()
    w.register()
    w.kill(own)
    w.kill(fleetTarget)
    w.resume(fleetTarget, 200)
    w.resume(own, 100)
    expect(w.last()).toEqual({ requestTime: 200, sequence: 5 })
  })
})
