import { expect, test } from 'vitest'
import type { Agent } from '../../protocol/registry.ts'
import { agentTarget, ownerTarget, Scope, type Target } from '../../protocol/scope.ts'
import type { ChainEvent } from '../chain/registryFold.ts'
import { standingKill } from './agentHistory.ts'
import type { CoveringKill } from './agentState.ts'

const agent = {
  uuid: '00000000-0000-8000-8000-000000000001',
  owner: `0x${'a1'.repeat(20)}`,
  agentType: 'worker',
} as Agent
const killed = (target: Target, text: string) =>
  ({ event: { type: 'Killed', ...target, text } }) as ChainEvent
const by = (source: CoveringKill['source'], scope: Scope): CoveringKill => ({
  ...{ source, scope },
  ...{ reason: 0, since: 0 },
})
const events = [
  killed(agentTarget(agent.uuid), 'an old one'),
  killed(agentTarget(agent.uuid), 'its own'),
  killed(agentTarget('00000000-0000-8000-8000-000000000002'), "another agent's"),
  killed(ownerTarget(agent.owner), "its wallet's, lifted since"),
]

test('of several kills the one is told of that covers the agent now', () => {
  expect(standingKill(agent, by('chain', Scope.Agent), events)?.text).toBe('its own')
  expect(standingKill(agent, by('chain', Scope.Owner), events)?.text).toBe("its wallet's, lifted since")
  expect(standingKill(agent, by('chain', Scope.Fleet), events)).toBeNull()
})

test('while the chain does not tell of the kill, nothing of an earlier one is said of it', () => {
  expect(standingKill(agent, by('feed', Scope.Agent), events)).toBeNull()
})
