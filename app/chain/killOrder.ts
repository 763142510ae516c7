import { toHex } from 'viem'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, maxOrderLife, maxOrderSkew } from '../../protocol/order.ts'
import type { Target } from '../../protocol/scope.ts'

/**
 * Makes an order that lives as long as it may, so that it lands even when the chain is busy for hours; a resume voids it.
 * @param now Unix seconds of this machine
 * @param blockTime Unix seconds of the chain's head, where it is known
 */
export function createKillOrder(
  authority: Hex,
  target: Target,
  reason: number,
  text: string,
  now: number,
  blockTime: number | null,
): KillOrder {
  const clock = BigInt(Math.floor(now))
  const head = BigInt(blockTime ?? Math.floor(now))
  const ahead = clock + maxOrderSkew / 2n
  // A machine whose clock is slow must not issue before a resume that it answers; ahead of the verifiers is no use.
  const issuedAt = head <= clock ? clock : head < ahead ? head : ahead
  return {
    authority: authority.toLowerCase() as Hex,
    scope: target.scope,
    subject: target.subject,
    reason,
    text,
    issuedAt,
    deadline: issuedAt + maxOrderLife,
    nonce: BigInt(toHex(crypto.getRandomValues(new Uint8Array(32)))),
  }
}
