import { expect, test } from 'vitest'
import { Rank } from '../../protocol/rank.ts'
import {
  applyRegistryEvent,
  createRegistry,
  type MutableRegistry,
  type Registry,
} from '../../protocol/registry.ts'
import { agentTarget, fleetTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { isOwnersKill } from './ownersKill.ts'

const uuid = '00e60737-1cf1-873d-ae89-250f8920bb6b'
const owner = `0x${'aa'.repeat(20)}` as const
const [agent, wallet] = [agentTarget(uuid), ownerTarget(owner)]

/** An agent, and kills in this order. */
function after(...kills: readonly (readonly [Target, Rank])[]): MutableRegistry {
  const registry = createRegistry()
  applyRegistryEvent(
    registry,
    {
      type: 'AgentRegistered',
      uuid,
      owner,
      agentType: 'trader',
      key: `0x${'01'.repeat(32)}`,
      sequence: 1,
    },
    0,
  )
  kills.forEach(([target, rank], index) => {
    applyRegistryEvent(
      registry,
      {
        type: 'Killed',
        ...target,
        authority: owner,
        rank,
        reason: 0,
        sequence: index + 2,
        orderDigest: null,
        text: '',
      },
      0,
    )
  })
  return registry
}

test.each<[string, Registry, Target, boolean]>([
  ['alive', after(), agent, false],
  ['stopped by its owner', after([agent, Rank.Owner]), agent, true],
  ['stopped by a vote', after([agent, Rank.Governance]), agent, false],
  [
    'stopped by its owner, then by a vote',
    after([agent, Rank.Owner], [agent, Rank.Governance]),
    agent,
    false,
  ],
  ['its wallet stopped by its owner', after([wallet, Rank.Owner]), agent, true],
  [
    'its wallet stopped by its owner, itself by a vote',
    after([agent, Rank.Governance], [wallet, Rank.Owner]),
    agent,
    true,
  ],
  ['its wallet stopped by a vote', after([wallet, Rank.Governance]), agent, false],
  ['a wallet stopped by its owner', after([wallet, Rank.Owner]), wallet, true],
  ['the fleet', after([fleetTarget, Rank.Governance]), fleetTarget, false],
])('%s', (_, registry, target, expected) => {
  expect(isOwnersKill(registry, target)).toBe(expected)
})

test('a wallet that was stopped before its agent came back says nothing of the agent any more', () => {
  const registry = after([wallet, Rank.Owner])
  applyRegistryEvent(
    registry,
    { type: 'Resumed', ...agent, authority: owner, sequence: 9, requestTime: 0 },
    0,
  )
  expect([isOwnersKill(registry, agent), isOwnersKill(registry, wallet)]).toEqual([false, true])
})
