import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { Rank } from '../../../protocol/rank.ts'
import { applyRegistryEvent, createRegistry, type RegistryEvent } from '../../../protocol/registry.ts'
import { agentTarget, fleetTarget, ownerTarget, type Target } from '../../../protocol/scope.ts'
import { payerOf } from './payer.ts'

const uuid = '01234567-89ab-8def-8123-456789abcdef'
const [owner, former, guardian, formerGuardian, agentWallet, breaker, council] = [
  'a1',
  'a2',
  'b1',
  'b2',
  'c1',
  'd1',
  'e1',
].map((byte): Hex => `0x${byte.repeat(20)}`) as [Hex, Hex, Hex, Hex, Hex, Hex, Hex]

const registry = createRegistry()
const events: readonly RegistryEvent[] = [
  {
    type: 'AgentRegistered',
    uuid,
    owner: former,
    agentType: 'worker',
    key: `0x${'11'.repeat(32)}`,
    sequence: 1,
  },
  { type: 'GuardianAppointed', owner: former, guardian: formerGuardian },
  { type: 'AgentTransferred', uuid, formerOwner: former, newOwner: owner, formerUntil: 9_999 },
  { type: 'GuardianAppointed', owner, guardian },
  { type: 'AgentWalletChanged', uuid, agentWallet },
]
for (const event of events) applyRegistryEvent(registry, event, 1_000)

test.each<[string, Hex, Rank, Target, Hex | null]>([
  ['the owner', owner, Rank.Owner, agentTarget(uuid), owner],
  ['its guardian', guardian, Rank.Owner, agentTarget(uuid), owner],
  ["the agent's wallet", agentWallet, Rank.Owner, agentTarget(uuid), owner],
  [
    "the former owner's guardian: not the new one's budget",
    formerGuardian,
    Rank.Owner,
    agentTarget(uuid),
    former,
  ],
  ['a guardian over all agents of the wallet', guardian, Rank.Owner, ownerTarget(owner), owner],
  ["a breaker: not the owner's budget", breaker, Rank.Breaker, agentTarget(uuid), breaker],
  ['the council', council, Rank.Council, fleetTarget, null],
  ['governance over one agent', council, Rank.Governance, agentTarget(uuid), null],
])('%s', (_who, authority, rank, target, payer) => {
  expect(payerOf(registry, { authority, rank, ...target })).toBe(payer)
})
