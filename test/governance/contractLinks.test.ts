// The dApp's check of its configuration, against real contracts: one wrong address, whichever it is, is found.
import { createClient, custom, type Hex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readLinkFaults } from '../../app/governance/contractLinks.ts'
import { contractNames, type GovernedContracts } from '../../protocol/governance/contracts.ts'
import { type Chain, startChain } from '../differential/chain.ts'
import { deployGovernance } from './governed.ts'

let chain: Chain
let ours: GovernedContracts
let theirs: GovernedContracts

beforeAll(async () => {
  chain = await startChain()
  ours = await deployGovernance(chain)
  theirs = await deployGovernance(chain)
})
afterAll(() => chain.close())

test('contracts that were deployed together fit', async () => {
  expect(await readLinkFaults(chain.client, ours)).toEqual([])
})

test.each(contractNames)('another deployment’s %s is found', async (name) => {
  const faults = await readLinkFaults(chain.client, { ...ours, [name]: theirs[name] })
  expect(faults.join()).toContain(theirs[name])
})

test.each(['timelock', 'killPolicies', 'subscriptions', 'emergencyGovernor'] as const)(
  'a %s at which there is nothing is found',
  async (name) => {
    const nowhere: Hex = `0x${'99'.repeat(20)}`
    expect((await readLinkFaults(chain.client, { ...ours, [name]: nowhere })).join()).toMatch(
      new RegExp(`${nowhere}.*(takes no proposals|nothing that it could name)`),
    )
  },
)

test('a node that does not answer says nothing, good or bad', async () => {
  const dead = createClient({
    transport: custom(
      {
        request: async () => {
          throw new Error('down')
        },
      },
      { retryCount: 0 },
    ),
  })
  await expect(readLinkFaults(dead, ours)).rejects.toThrow()
})
