import { Rank } from '../../protocol/rank.ts'
import { agentTarget } from '../../protocol/scope.ts'
import type { KillRecord } from '../../relayer/kill/record.ts'

const hex = (number: number, digits: number) => `0x${number.toString(16).padStart(digits, '0')}` as const

/** A kill seen in a block, at first neither landed nor final; `number` is that of its feed message. */
export const makeKill = (number: number, change: Partial<KillRecord> = {}): KillRecord => ({
  ...agentTarget('01234567-89ab-8def-8123-456789abcdef'),
  id: `kill-${number}`,
  authority: hex(0xa1, 40),
  rank: Rank.Owner,
  reason: 1,
  text: '',
  digest: null,
  order: null,
  seen: { at: number, monotonic: number },
  durable: null,
  published: null,
  feed: { epoch: 'e', number },
  sentTx: null,
  sendError: null,
  landing: null,
  onChain: null,
  orphaned: null,
  final: null,
  withdrawn: null,
  ...change,
})

export const settled = { final: { at: 0, monotonic: 0 } }

/** What makes a kill one of a signed order. @param deadline Unix seconds */
export function ofOrder(number: number, deadline: number) {
  const { authority, scope, subject, reason, text } = makeKill(number)
  const digest = hex(number, 64)
  const times = { issuedAt: String(deadline - 60), deadline: String(deadline) }
  const message = { authority, scope, subject, reason, text, ...times, nonce: String(number) }
  return { digest, order: { digest, signature: '0x01' as const, message } }
}
