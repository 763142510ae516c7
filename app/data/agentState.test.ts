import { expect, test } from 'vitest'
import { Rank } from '../../protocol/rank.ts'
import { Reason } from '../../protocol/reason.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../protocol/registry.ts'
import type { RevocationRow } from '../../protocol/revocation.ts'
import { agentTarget, ownerTarget, type Target, targetKey } from '../../protocol/scope.ts'
import type { Kill } from '../api/relayerApi.ts'
import { agentStateOf } from './agentState.ts'

const uuid = '00000000-0000-8000-8000-000000000001'
const owner = `0x${'a'.repeat(40)}` as const
const agent = { uuid, owner, agentType: 'trader' }
const registered: RegistryEvent = {
  type: 'AgentRegistered',
  uuid,
  owner,
  agentType: 'trader',
  key: `0x${'1'.repeat(64)}`,
  sequence: 5,
}
const killed = (target: Target, sequence: number): RegistryEvent => ({
  type: 'Killed',
  ...target,
  authority: owner,
  rank: Rank.Owner,
  reason: Reason.Compromised,
  text: '',
  orderDigest: null,
  sequence,
})

function registryOf(...events: readonly RegistryEvent[]) {
  const registry = createRegistry()
  for (const event of events) applyRegistryEvent(registry, event, 1_000)
  return registry
}
const tableOf = (target: Target, row: Partial<RevocationRow>) =>
  new Map([
    [
      targetKey(target),
      {
        ...target,
        provisional: false,
        finalSequence: 0,
        rank: Rank.Owner,
        reason: Reason.Compromised,
        text: '',
        killId: 'k',
        ...row,
      } as RevocationRow,
    ],
  ])
const killWith = (...states: readonly string[]) =>
  ({
    scope: 'Agent',
    subject: agentTarget(uuid).subject,
    state: 'final',
    points: states.map((state) => ({ spiffeId: 's', state, confirmedAfter: null })),
  }) as unknown as Kill

test('an agent that neither chain nor feed calls killed is alive', () => {
  const all = agentStateOf(agent, registryOf(registered), new Map(), [])
  expect(all).toEqual({ state: 'alive', kill: null })
})

test.each([
  ['its own', agentTarget(uuid)],
  ["its owner's", ownerTarget(owner)],
])('%s kill on the chain kills it, with its time', (_, target) => {
  const { state, kill } = agentStateOf(agent, registryOf(registered, killed(target, 6)), new Map(), [])
  expect(state).toBe('killed')
  expect(kill).toMatchObject({ scope: target.scope, since: 1_000, source: 'chain' })
})

test('a provisional row of the feed kills it before the chain does', () => {
  const table = tableOf(agentTarget(uuid), { provisional: true })
  const { state, kill } = agentStateOf(agent, registryOf(registered), table, [])
  expect(state).toBe('killed')
  expect(kill).toMatchObject({ since: null, source: 'feed' })
})

test.each([
  { finalSequence: 5, state: 'alive', why: 'is older than what was read since' },
  { finalSequence: 6, state: 'killed', why: 'is later than all that was read: the node is behind or down' },
])('a final row of sequence $finalSequence leaves it $state: it $why', ({ finalSequence, state }) => {
  const table = tableOf(ownerTarget(owner), { finalSequence })
  expect(agentStateOf(agent, registryOf(registered), table, []).state).toBe(state)
})

test('it is being killed until every enforcement point has confirmed', () => {
  const registry = registryOf(registered, killed(agentTarget(uuid), 6))
  const stateWith = (...points: readonly string[]) =>
    agentStateOf(agent, registry, new Map(), [killWith(...points)]).state
  expect(stateWith('confirmed', 'pending')).toBe('killing')
  expect(stateWith('confirmed', 'overdue')).toBe('killing')
  expect(stateWith('confirmed', 'closed by staleness')).toBe('killed')
})
