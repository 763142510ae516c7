import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deploymentId, InvalidDeploymentError, parseDeploymentId } from './deployment.ts'
import type { Hex } from './hex.ts'

test('round trip, lower case', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      (chainId, bytes) => {
        const contract: Hex = `0x${Buffer.from(bytes).toString('hex')}`
        const id = deploymentId({ chainId, contract: `0x${contract.slice(2).toUpperCase()}` })
        expect(id).toBe(id.toLowerCase())
        expect(parseDeploymentId(id)).toEqual({ chainId, contract })
      },
    ),
  )
})

const contract = `0x${'ab'.repeat(20)}`
test.each([
  `eip155:0:${contract}`,
  `eip155:01:${contract}`,
  `eip155:9007199254740992:${contract}`,
  `eip155:1:${contract.toUpperCase()}`,
  `eip155:1:${contract}0`,
  `EIP155:1:${contract}`,
  `eip155:1:${contract}\n`,
  '',
])('refuses %j', (text) => {
  expect(() => parseDeploymentId(text)).toThrow(InvalidDeploymentError)
})
