import { hashTypedData, keccak256, stringToBytes } from 'viem'
import type { Deployment } from './deployment.ts'
import type { Hex } from './hex.ts'
import { firstReservedReason, maxTextBytes } from './reason.ts'
import { InvalidSubjectError, type Scope, type Subject, scopes, subjectLabel } from './scope.ts'

/** A kill that someone signed. Times in Unix seconds. */
export type KillOrder = {
  readonly authority: Hex
  readonly scope: Scope
  readonly subject: Subject
  readonly reason: number
  readonly text: string
  readonly issuedAt: bigint
  readonly deadline: bigint
  readonly nonce: bigint
}

/** EIP-712 types of an order; the contract holds the same. */
export const killOrderTypes = {
  KillOrder: [
    { name: 'authority', type: 'address' },
    { name: 'scope', type: 'uint8' },
    { name: 'subject', type: 'bytes32' },
    { name: 'reason', type: 'uint16' },
    { name: 'text', type: 'string' },
    { name: 'issuedAt', type: 'uint64' },
    { name: 'deadline', type: 'uint64' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const

/** Longest life of an order, in seconds. */
export const maxOrderLife = 86_400n
/** How far ahead of the verifier's clock an order may be issued, in seconds. */
export const maxOrderSkew = 60n

/** What wallets sign with `signTypedData`. */
export const killOrderTypedData = (deployment: Deployment, message: KillOrder) =>
  ({
    domain: {
      name: 'KillSwitch',
      version: '1',
      chainId: deployment.chainId,
      verifyingContract: deployment.contract,
    },
    types: killOrderTypes,
    primaryType: 'KillOrder',
    message,
  }) as const

/** EIP-712 digest of an order in a deployment: what is signed, and the order's identity. */
export const killOrderDigest = (deployment: Deployment, order: KillOrder): Hex =>
  hashTypedData(killOrderTypedData(deployment, order))

/** EIP-712 type hash, to compare with the contract's. */
export const killOrderTypeHash: Hex = keccak256(
  stringToBytes(
    `KillOrder(${killOrderTypes.KillOrder.map((field) => `${field.type} ${field.name}`).join(',')})`,
  ),
)

/** Why an order cannot be taken, before any look at its signature or the chain. */
export class InvalidOrderError extends Error {
  override readonly name = 'InvalidOrderError'
  readonly field: keyof KillOrder
  readonly value: string
  readonly kind: 'malformed' | 'expired'
  constructor(kind: 'malformed' | 'expired', field: keyof KillOrder, value: unknown, why: string) {
    super(`order.${field}: ${why}`)
    this.kind = kind
    this.field = field
    this.value = String(value)
  }
}

/**
 * Checks what an order says of itself against a clock.
 * @param now Unix seconds
 * @throws {InvalidOrderError} naming the field
 */
export function checkOrder(order: KillOrder, now: bigint): void {
  const { authority, scope, issuedAt, deadline, reason, text, nonce } = order
  if (!/^0x[0-9a-fA-F]{40}$/.test(authority))
    throw new InvalidOrderError('malformed', 'authority', authority, 'is no address')
  if (!scopes.includes(scope))
    throw new InvalidOrderError('malformed', 'scope', scope, `is not one of ${scopes.join(', ')}`)
  try {
    subjectLabel(order)
  } catch (error) {
    if (!(error instanceof InvalidSubjectError)) throw error
    throw new InvalidOrderError('malformed', 'subject', order.subject, error.message)
  }
  if (!Number.isInteger(reason) || reason < 0)
    throw new InvalidOrderError('malformed', 'reason', reason, 'is no code')
  if (reason >= firstReservedReason) {
    throw new InvalidOrderError(
      'malformed',
      'reason',
      reason,
      `codes from ${firstReservedReason} on belong to the contract`,
    )
  }
  // The digest of a lone surrogate is that of U+FFFD: two texts would be one order.
  if (!text.isWellFormed())
    throw new InvalidOrderError('malformed', 'text', text, 'is not well-formed Unicode')
  const length = stringToBytes(text).length
  if (length > maxTextBytes)
    throw new InvalidOrderError('malformed', 'text', length, `is ${length} bytes, at most ${maxTextBytes}`)
  if (nonce < 0n || nonce >= 1n << 256n)
    throw new InvalidOrderError('malformed', 'nonce', nonce, 'does not fit in 256 bits')
  if (issuedAt < 0n) throw new InvalidOrderError('malformed', 'issuedAt', issuedAt, 'lies before 1970')
  if (issuedAt > now + maxOrderSkew) {
    throw new InvalidOrderError(
      'malformed',
      'issuedAt',
      issuedAt,
      `lies ${issuedAt - now} s ahead, at most ${maxOrderSkew}; check the signer's clock`,
    )
  }
  if (deadline <= issuedAt || deadline - issuedAt > maxOrderLife) {
    throw new InvalidOrderError(
      'malformed',
      'deadline',
      deadline,
      `must follow issuedAt by 1 to ${maxOrderLife} s`,
    )
  }
  if (now > deadline)
    throw new InvalidOrderError(
      'expired',
      'deadline',
      deadline,
      `passed ${now - deadline} s ago; sign a new order`,
    )
}
