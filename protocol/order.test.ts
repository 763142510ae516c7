import { keccak_256 } from '@noble/hashes/sha3.js'
import fc from 'fast-check'
import { encodeAbiParameters } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import type { Hex } from './hex.ts'
import {
  checkOrder,
  InvalidOrderError,
  type KillOrder,
  killOrderDigest,
  killOrderTypedData,
  killOrderTypeHash,
} from './order.ts'
import { fleetTarget, ownerTarget, Scope } from './scope.ts'

const keccak = (bytes: Uint8Array): Hex => `0x${Buffer.from(keccak_256(bytes)).toString('hex')}`
const ofText = (text: string) => keccak(new TextEncoder().encode(text))
const now = 1_800_000_000n
const authority: Hex = `0x${'ab'.repeat(20)}`
const deployment = { chainId: 31337, contract: `0x${'cd'.repeat(20)}` as Hex }
const order: KillOrder = {
  authority,
  ...ownerTarget(authority),
  reason: 1,
  text: 'stop',
  issuedAt: now,
  deadline: now + 60n,
  nonce: 1n,
}

test('the EIP-712 type hash is that of docs/protocol.md', () => {
  expect(killOrderTypeHash).toBe(
    ofText(
      'KillOrder(address authority,uint8 scope,bytes32 subject,uint16 reason,string text,uint64 issuedAt,uint64 deadline,uint256 nonce)',
    ),
  )
})

test('the digest is the one of EIP-712, computed from its definition', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.nat(0xfeff),
      fc.bigInt({ min: 0n, max: 1n << 255n }),
      (text, reason, nonce) => {
        const signed = { ...order, text, reason, nonce }
        const word = { type: 'bytes32' } as const
        const number = { type: 'uint256' } as const
        const domain = encodeAbiParameters(
          [word, word, word, number, { type: 'address' }],
          [
            ofText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
            ofText('KillSwitch'),
            ofText('1'),
            BigInt(deployment.chainId),
            deployment.contract,
          ],
        )
        const struct = encodeAbiParameters(
          [word, { type: 'address' }, number, word, number, word, number, number, number],
          [
            killOrderTypeHash,
            authority,
            BigInt(signed.scope),
            signed.subject,
            BigInt(reason),
            ofText(text),
            signed.issuedAt,
            signed.deadline,
            nonce,
          ],
        )
        const hashes = [domain, struct].map((bytes) => keccak(Buffer.from(bytes.slice(2), 'hex')).slice(2))
        expect(killOrderDigest(deployment, signed)).toBe(keccak(Buffer.from(`1901${hashes.join('')}`, 'hex')))
      },
    ),
  )
})

test('every field, the chain and the contract change the digest', () => {
  const changed: readonly KillOrder[] = [
    { ...order, authority: `0x${'ac'.repeat(20)}` },
    { ...order, scope: Scope.Agent },
    { ...order, subject: fleetTarget.subject },
    { ...order, reason: 2 },
    { ...order, text: 'stop ' },
    { ...order, issuedAt: now + 1n },
    { ...order, deadline: now + 61n },
    { ...order, nonce: 2n },
  ]
  const digests = [
    killOrderDigest(deployment, order),
    ...changed.map((other) => killOrderDigest(deployment, other)),
    killOrderDigest({ ...deployment, chainId: 1 }, order),
    killOrderDigest({ ...deployment, contract: authority }, order),
  ]
  expect(new Set(digests).size).toBe(digests.length)
})

test('what wallets sign is what is checked', async () => {
  const account = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const signed = await account.signTypedData(killOrderTypedData(deployment, order))
  expect(await account.sign({ hash: killOrderDigest(deployment, order) })).toBe(signed)
})

/** `taken`, or the kind and field of the refusal. */
function judge(change: Partial<KillOrder>, at = now): string {
  try {
    checkOrder({ ...order, ...change }, at)
    return 'taken'
  } catch (error) {
    if (!(error instanceof InvalidOrderError)) throw error
    return `${error.kind} ${error.field}`
  }
}

test('issued ahead: 59, 60 and 61 seconds', () => {
  const ahead = (seconds: bigint) => judge({ issuedAt: now + seconds, deadline: now + 100n })
  expect([ahead(59n), ahead(60n), ahead(61n)]).toEqual(['taken', 'taken', 'malformed issuedAt'])
})

test('life: 0, 1 and one day less, equal and more', () => {
  const life = (seconds: bigint) => judge({ deadline: now + seconds })
  expect([life(-1n), life(0n), life(1n)]).toEqual(['malformed deadline', 'malformed deadline', 'taken'])
  expect([life(86_399n), life(86_400n), life(86_401n)]).toEqual(['taken', 'taken', 'malformed deadline'])
})

test('deadline: a second before, exactly at, a second after', () => {
  const at = (offset: bigint) => judge({}, order.deadline + offset)
  expect([at(-1n), at(0n), at(1n)]).toEqual(['taken', 'taken', 'expired deadline'])
})

test('text: 255, 256 and 257 bytes of UTF-8, not characters', () => {
  const bytes = (count: number) => judge({ text: `é${'a'.repeat(count - 2)}` })
  expect([bytes(255), bytes(256), bytes(257)]).toEqual(['taken', 'taken', 'malformed text'])
  expect(judge({ text: '\ud800' })).toBe('malformed text')
})

test('reason: the last free code and the first reserved one', () => {
  expect([judge({ reason: 0xfeff }), judge({ reason: 0xff00 }), judge({ reason: 0xffff })]).toEqual([
    'taken',
    'malformed reason',
    'malformed reason',
  ])
  for (const reason of [-1, 1.5, Number.NaN]) expect(judge({ reason })).toBe('malformed reason')
})

test('fields that the contract could not even decode', () => {
  expect(judge({ authority: '0x12' })).toBe('malformed authority')
  expect(judge({ scope: 4 as Scope })).toBe('malformed scope')
  expect(judge({ scope: Scope.Fleet })).toBe('malformed subject')
  expect(judge({ subject: order.subject.toUpperCase().replace('0X', '0x') as Hex })).toBe('malformed subject')
  expect([
    judge({ nonce: -1n }),
    judge({ nonce: 0n }),
    judge({ nonce: (1n << 256n) - 1n }),
    judge({ nonce: 1n << 256n }),
  ]).toEqual(['malformed nonce', 'taken', 'taken', 'malformed nonce'])
  expect(judge({ issuedAt: -1n, deadline: 1n }, 0n)).toBe('malformed issuedAt')
})
