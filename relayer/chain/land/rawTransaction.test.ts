import { keccak256, parseTransaction, type TransactionSerializable, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import type { Hex } from '../../../protocol/hex.ts'
import { InconsistentRpcError } from '../rpc/rpcErrors.ts'
import { rawTransaction } from './rawTransaction.ts'

const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
const to: Hex = `0x${'22'.repeat(20)}`
const common = { to, nonce: 5, gas: 90_000n, value: 7n, data: '0xabcdef' } as const
const types = { legacy: '0x0', eip2930: '0x1', eip1559: '0x2', eip7702: '0x4' } as const
const authorization = await account.signAuthorization({ address: to, chainId: 1, nonce: 6 })

/** A transaction as `eth_getTransactionByHash` gives it. */
function asNode(raw: Hex): Record<string, unknown> {
  const { type, data, authorizationList, ...rest } = parseTransaction(raw) as Record<string, unknown> & {
    type: keyof typeof types
  }
  const value = Object.fromEntries(
    Object.entries(rest).map(([name, one]) => [
      name,
      typeof one === 'bigint' || typeof one === 'number' ? toHex(one) : one,
    ]),
  )
  const list = (authorizationList as readonly Record<string, bigint | number | Hex>[] | undefined)?.map(
    (one) =>
      Object.fromEntries(
        Object.entries(one).map(([name, field]) => [name, typeof field === 'string' ? field : toHex(field)]),
      ),
  )
  return {
    ...value,
    type: types[type],
    input: data,
    hash: keccak256(raw),
    from: account.address,
    ...(list === undefined ? {} : { authorizationList: list }),
  }
}

test.each<[string, TransactionSerializable]>([
  ['legacy', { ...common, type: 'legacy', gasPrice: 3n, chainId: 1 }],
  ['legacy without a chain', { ...common, type: 'legacy', gasPrice: 3n }],
  ['a deployment', { ...common, to: undefined, type: 'legacy', gasPrice: 3n, chainId: 1 }],
  [
    'with an access list',
    {
      ...common,
      type: 'eip2930',
      gasPrice: 3n,
      chainId: 1,
      accessList: [{ address: to, storageKeys: [`0x${'01'.repeat(32)}`] }],
    },
  ],
  ['EIP-1559', { ...common, type: 'eip1559', maxFeePerGas: 9n, maxPriorityFeePerGas: 1n, chainId: 1 }],
  [
    'EIP-7702',
    {
      ...common,
      type: 'eip7702',
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      chainId: 1,
      authorizationList: [authorization],
    },
  ],
])('%s: the bytes are those that were signed', async (_name, transaction) => {
  const raw = await account.signTransaction(transaction as Parameters<typeof account.signTransaction>[0])
  const node = asNode(raw)
  expect(rawTransaction(node, keccak256(raw))).toBe(raw)
  expect(() => rawTransaction({ ...node, nonce: '0x6' }, keccak256(raw))).toThrow(InconsistentRpcError)
})

test.each([null, 'x', {}, { type: '0x9' }])('%j is no transaction', (value) => {
  expect(() => rawTransaction(value, `0x${'00'.repeat(32)}`)).toThrow(InconsistentRpcError)
})
