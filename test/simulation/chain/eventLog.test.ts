import { expect, test } from 'vitest'
import { decodeRegistryLog } from '../../../protocol/registryLog.ts'
import { createRandom } from '../random.ts'
import { copyOf, deployed, execute } from './contract.ts'
import { encodeRegistryEvent } from './eventLog.ts'
import type { Call } from './transaction.ts'

const owner = `0x${'a1'.repeat(20)}` as const
const other = `0x${'a2'.repeat(20)}` as const
const uuid = '01234567-89ab-8def-8123-456789abcdef'

test('what the model announces is what the relayer decodes', () => {
  const { state, events } = deployed({
    governance: owner,
    council: other,
    emergencyGovernor: other,
    cooldowns: [40, 40, 40, 40],
  })
  const key = `0x${createRandom(1).hex(64)}` as const
  const calls: readonly Call[] = [
    { name: 'register', uuid, agentType: 'worker', key },
    { name: 'setAgentWallet', uuid, wallet: other },
    { name: 'appointGuardian', guardian: other },
    { name: 'dismissGuardian', guardian: other },
    { name: 'setBreaker', breaker: other, admitted: true },
    { name: 'transfer', uuid, to: other },
  ]
  const all = [...events]
  const work = copyOf(state)
  for (const call of calls) {
    const emitted = execute(work, { hash: '0x', from: owner, call }, 1_800_000_000, new Set())
    if (typeof emitted === 'string') throw new Error(`${call.name}: ${emitted}`)
    all.push(...emitted)
  }
  expect(all.map((event) => decodeRegistryLog(encodeRegistryEvent(event)))).toEqual(all)
  expect(new Set(all.map(({ type }) => type)).size).toBeGreaterThan(8)
})
