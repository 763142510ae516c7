import { randomBytes } from 'node:crypto'
import type { Hex, PrivateKeyAccount } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'
import {
  checkOrder,
  type KillOrder,
  killOrderTypedData,
  maxOrderLife,
  maxOrderSkew,
} from '../../protocol/order.ts'
import type { Target } from '../../protocol/scope.ts'
import { ArgumentError } from './arguments.ts'

/**
 * Makes an order. It lives as long as it may, so that it lands even when the chain is busy for hours; a resume voids it.
 * @param now Unix seconds of this machine
 * @param blockTime Unix seconds of the chain's head, when it is known
 */
export function createOrder(
  account: PrivateKeyAccount,
  target: Target,
  reason: number,
  text: string,
  now: number,
  blockTime: number = Math.floor(now),
  life: bigint = maxOrderLife,
): KillOrder {
  const clock = BigInt(Math.floor(now))
  // A machine whose clock is slow must not issue before a resume that it answers; ahead of the verifiers is no use.
  const head = BigInt(blockTime)
  const ahead = clock + maxOrderSkew / 2n
  const issuedAt = head <= clock ? clock : head < ahead ? head : ahead
  return {
    authority: account.address.toLowerCase() as Hex,
    scope: target.scope,
    subject: target.subject,
    reason,
    text,
    issuedAt,
    deadline: issuedAt + life,
    nonce: BigInt(`0x${randomBytes(32).toString('hex')}`),
  }
}

/** @throws {ArgumentError} for an order that nobody would take */
export function signOrder(
  account: PrivateKeyAccount,
  deployment: Deployment,
  order: KillOrder,
  now: number,
): Promise<Hex> {
  try {
    checkOrder(order, BigInt(Math.floor(now)))
  } catch (error) {
    throw new ArgumentError((error as Error).message, error)
  }
  return account.signTypedData(killOrderTypedData(deployment, order))
}
