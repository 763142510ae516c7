import { expect, test } from 'vitest'
import { Rank } from '../../protocol/rank.ts'
import { Reason } from '../../protocol/reason.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../protocol/registry.ts'
import { agentTarget, fleetTarget, ownerTarget, type Target } from '../../protocol/scope.ts'
import { resumeTerms } from './resumeTerms.ts'

const uuid = '00000000-0000-8000-8000-000000000001'
const owner = `0x${'a'.repeat(40)}` as const
const council = `0x${'c'.repeat(40)}` as const
const agent = agentTarget(uuid)
const cooldown = 60
const killTime = 1_000

const setUp: readonly RegistryEvent[] = [
  { type: 'CouncilChanged', council },
  ...[Rank.Breaker, Rank.Owner, Rank.Council, Rank.Governance].map(
    (rank): RegistryEvent => ({ type: 'CooldownChanged', rank, cooldown: cooldown * rank }),
  ),
  { type: 'AgentRegistered', uuid, owner, agentType: 'trader', key: `0x${'1'.repeat(64)}`, sequence: 1 },
]
let sequence = 1
const killed = (target: Target, rank: Rank, reason: number = Reason.Compromised): RegistryEvent => ({
  type: 'Killed',
  ...target,
  authority: rank === Rank.Owner ? owner : council,
  rank,
  reason,
  text: '',
  orderDigest: null,
  sequence: ++sequence,
})
const requested = (target: Target): RegistryEvent => ({
  type: 'ResumeRequested',
  ...target,
  authority: owner,
  readyAt: 0,
  sequence,
})

function after(...events: readonly RegistryEvent[]) {
  const registry = createRegistry()
  for (const event of [...setUp, ...events]) applyRegistryEvent(registry, event, killTime)
  return registry
}

test('there is nothing to lift while nothing is killed', () => {
  expect(resumeTerms(after(), owner, agent, killTime)).toEqual({ kind: 'nothing to lift' })
})

test.each([
  { by: 'Owner', rank: Rank.Owner, account: owner, kind: 'request first' },
  { by: 'Council', rank: Rank.Council, account: owner, kind: 'not yours' },
  { by: 'Council', rank: Rank.Council, account: council, kind: 'request first' },
])('a kill of rank $by is for its rank and above: $kind', ({ rank, account, kind }) => {
  expect(resumeTerms(after(killed(agent, rank)), account, agent, killTime)).toMatchObject({ kind })
})

test('of several kills that cover it, the highest rank and the longest cool-down count', () => {
  const registry = after(killed(agent, Rank.Breaker), killed(ownerTarget(owner), Rank.Council))
  expect(resumeTerms(registry, owner, agent, killTime)).toMatchObject({
    kind: 'not yours',
    required: Rank.Council,
  })
  expect(resumeTerms(registry, council, agent, killTime)).toMatchObject({
    kind: 'request first',
    cooldown: cooldown * Rank.Council,
  })
})

test.each([
  { at: 'one second before its end', passed: 2 * cooldown - 1, kind: 'cooling down' },
  { at: 'at its end', passed: 2 * cooldown, kind: 'ready' },
  { at: 'one second after', passed: 2 * cooldown + 1, kind: 'ready' },
])('$at the cool-down is $kind', ({ passed, kind }) => {
  const registry = after(killed(agent, Rank.Owner), requested(agent))
  expect(resumeTerms(registry, owner, agent, killTime + passed)).toMatchObject({ kind })
})

test.each([
  ['the agent', agent],
  ['its owner', ownerTarget(owner)],
  ['the fleet', fleetTarget],
])('a later kill of %s voids the request', (_, target) => {
  const registry = after(killed(agent, Rank.Owner), requested(agent), killed(target, Rank.Owner))
  expect(resumeTerms(registry, owner, agent, killTime + 1_000_000)).toMatchObject({
    kind: 'request first',
    voided: true,
  })
})

test.each([
  { what: 'an agent', stopped: agent, target: agent },
  { what: 'a wallet', stopped: ownerTarget(owner), target: ownerTarget(owner) },
  { what: 'an agent’s wallet', stopped: ownerTarget(owner), target: agent },
])('what its owner stopped is for the owner alone: $what', ({ stopped, target }) => {
  const registry = after(killed(stopped, Rank.Owner))
  expect(resumeTerms(registry, council, target, killTime)).toEqual({ kind: 'owner alone', of: stopped })
  expect(resumeTerms(registry, owner, target, killTime)).toMatchObject({
    kind: 'request first',
    lowers: false,
  })
})

test('of what stands above an owner’s kill, only that is lifted; it needs no key, and the owner goes on after', () => {
  const both = [killed(agent, Rank.Owner), killed(agent, Rank.Council)]
  const registry = after(...both)
  expect(resumeTerms(registry, owner, agent, killTime)).toMatchObject({ kind: 'not yours' })
  expect(resumeTerms(registry, council, agent, killTime)).toMatchObject({
    kind: 'request first',
    lowers: true,
  })
  applyRegistryEvent(registry, requested(agent), killTime)
  expect(resumeTerms(registry, council, agent, killTime)).toMatchObject({
    kind: 'cooling down',
    lowers: true,
  })
  registry.agents.set(uuid, { ...registry.agents.get(uuid), key: null } as never)
  expect(resumeTerms(registry, council, agent, killTime + 3 * cooldown)).toEqual({
    kind: 'ready',
    lowers: true,
  })
  applyRegistryEvent(
    registry,
    { type: 'RankLowered', ...agent, authority: council, requestTime: killTime },
    killTime,
  )
  expect(resumeTerms(registry, council, agent, killTime)).toEqual({ kind: 'owner alone', of: agent })
  expect(resumeTerms(registry, owner, agent, killTime)).toEqual({ kind: 'key needed' })
})
