import { hexToBigInt, keccak256, numberToHex, slice } from 'viem'
import { sign } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { createSignatureVerifier, SignatureUncheckedError } from '../../relayer/chain/verifyAuthority.ts'
import { systemClock } from '../../relayer/clock.ts'
import { type ChainNode, startAnvil } from './anvil.ts'
import { chainId } from './contract.ts'
import { startRpcProxy } from './rpcProxy.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const digest = keccak256('0x1234')
const privateKey: Hex = `0x${'42'.repeat(32)}`
const curveOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const accountOf = async (): Promise<Hex> => {
  const { privateKeyToAddress } = await import('viem/accounts')
  return privateKeyToAddress(privateKey).toLowerCase() as Hex
}
const verifierOf = (...rpcs: readonly string[]) =>
  createSignatureVerifier({ rpcs, chainId, clock: systemClock, log: quiet })

/** Runtime code that returns one word. */
const returning = (word: string): Hex => `0x7f${word.padEnd(64, '0')}60005260206000f3`
const contracts = {
  accepts: [`0x${'a1'.repeat(20)}`, returning('1626ba7e')],
  refuses: [`0x${'a2'.repeat(20)}`, returning('ffffffff')],
  'says more than the magic value': [`0x${'a3'.repeat(20)}`, returning('1626ba7e01')],
  reverts: [`0x${'a4'.repeat(20)}`, '0x60006000fd'],
  'has no code': [`0x${'a5'.repeat(20)}`, '0x'],
  'returns too little': [`0x${'a6'.repeat(20)}`, '0x631626ba7e60e01b60005260046000f3'],
} as const

let node: ChainNode
let signature: Hex
beforeAll(async () => {
  node = await startAnvil()
  for (const [address, code] of Object.values(contracts)) await node.request('anvil_setCode', [address, code])
  signature = await sign({ hash: digest, privateKey, to: 'hex' })
})
afterAll(() => node.stop())

test("an account's own signature needs no RPC", async () => {
  const verify = verifierOf('http://127.0.0.1:1')
  expect(await verify(await accountOf(), digest, signature)).toBe(true)
  verify.close()
})

test("an account's own signature counts although its code refuses (EIP-7702)", async () => {
  const account = await accountOf()
  await node.request('anvil_setCode', [account, contracts.refuses[1]])
  const verify = verifierOf(node.httpUrl)
  expect(await verify(account, digest, signature)).toBe(true)
  expect(await verify(account, keccak256('0x99'), signature)).toBe(false)
  await node.request('anvil_setCode', [account, '0x'])
  verify.close()
})

test.each(Object.entries(contracts))('a contract that %s', async (what, [address]) => {
  const verify = verifierOf(node.httpUrl)
  expect(await verify(address, digest, '0x1234')).toBe(what === 'accepts')
  expect(await verify(address, digest, signature)).toBe(what === 'accepts')
  verify.close()
})

test('forms of a signature that the contract refuses are refused', async () => {
  const verify = verifierOf(node.httpUrl)
  const account = await accountOf()
  const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), Number(slice(signature, 64))]
  const highS = numberToHex(curveOrder - hexToBigInt(s), { size: 32 }).slice(2)
  const other = (27 + 28 - v).toString(16)
  for (const wrong of [
    `${r}${highS}${other}`,
    `${r}${s.slice(2)}${other}`,
    `${r}${s.slice(2)}${(v - 27).toString(16).padStart(2, '0')}`,
    `${signature}00`,
    r,
    '0x',
  ] as Hex[]) {
    expect(await verify(account, digest, wrong)).toBe(false)
  }
  verify.close()
})

test('whether a contract accepts is not guessed when too few RPCs answer', async () => {
  const hanging = await startRpcProxy(node.httpUrl, async ({ method }) =>
    method === 'eth_call' ? 'silence' : null,
  )
  const verify = verifierOf('http://127.0.0.1:1', hanging.url)
  const before = systemClock.monotonic()
  await expect(verify(contracts.accepts[0], digest, '0x1234')).rejects.toThrow(SignatureUncheckedError)
  expect(systemClock.monotonic() - before).toBeLessThan(1_900)
  verify.close()
  const three = verifierOf(hanging.url, node.httpUrl, node.httpUrl)
  expect(await three(contracts.accepts[0], digest, '0x1234')).toBe(true)
  three.close()
  await hanging.stop()
})
