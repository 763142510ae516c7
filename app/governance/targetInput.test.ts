import { expect, test } from 'vitest'
import { agentTarget, agentTypeTarget, fleetTarget, ownerTarget, Scope } from '../../protocol/scope.ts'
import { readTarget } from './targetInput.ts'

const uuid = '00e60737-1cf1-873d-ae89-250f8920bb6b'
const wallet = `0x${'Ab'.repeat(20)}` as const

test.each([
  [Scope.Agent, uuid, agentTarget(uuid)],
  [Scope.Agent, ` ${uuid.toUpperCase()} `, agentTarget(uuid)],
  [Scope.Agent, `spiffe://killswitch.local/trader/${uuid}`, agentTarget(uuid)],
  [Scope.Agent, 'spiffe://killswitch.local/trader', null],
  [Scope.Agent, '', null],
  [Scope.Owner, wallet, ownerTarget(wallet)],
  [Scope.Owner, `0x${'00'.repeat(20)}`, null],
  [Scope.Owner, wallet.slice(0, 20), null],
  [Scope.AgentType, ' trader ', agentTypeTarget('trader')],
  [Scope.AgentType, 'Trader', null],
  [Scope.AgentType, '', null],
  [Scope.Fleet, 'whatever', fleetTarget],
])('scope %s, %j', (scope, text, target) => {
  expect(readTarget(scope, text)).toEqual(target)
})
