import { expect, test } from 'vitest'
import { ecdsaSigner } from './chain/ecdsaSigner.ts'
import { rehearseKills } from './rehearsal.ts'

const deployment = { chainId: 31337, contract: `0x${'c0'.repeat(20)}` } as const

test('every kill of the rehearsal goes the whole road', async () => {
  const verified: string[] = []
  const published = await rehearseKills(deployment, async (authority, digest, signature) => {
    verified.push(digest)
    return ecdsaSigner(digest, signature) === authority.toLowerCase()
  })
  expect(published).toBe(80)
  expect(new Set(verified).size).toBe(40)
})
