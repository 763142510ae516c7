import fc from 'fast-check'
import { bytesToHex, type TransactionSerializableEIP1559 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import { gasAccount } from './gasAccount.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => bytesToHex(array))

test('signs what viem signs, of which RFC 6979 leaves one: also where r or s begin with zeros', async () => {
  const transaction = fc.record({
    type: fc.constant('eip1559' as const),
    chainId: fc.integer({ min: 1, max: 2 ** 31 }),
    to: bytes(20),
    data: bytes(100),
    nonce: fc.nat(),
    gas: fc.bigInt(0n, 1n << 40n),
    maxFeePerGas: fc.bigInt(1n << 30n, 1n << 60n),
    maxPriorityFeePerGas: fc.bigInt(0n, 1n << 30n),
  })
  const key = bytes(32).filter((hex) => BigInt(hex) > 0n && !hex.startsWith('0xffffffff'))
  await fc.assert(
    fc.asyncProperty(key, transaction, async (secret, one: TransactionSerializableEIP1559) => {
      const [ours, theirs] = [gasAccount(secret), privateKeyToAccount(secret)]
      expect(ours.address).toBe(theirs.address)
      expect(await ours.signTransaction(one)).toBe(await theirs.signTransaction(one))
    }),
    { numRuns: 600 },
  )
})
