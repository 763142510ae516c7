import type { Hex } from '../../../protocol/hex.ts'
import type { KillOrder } from '../../../protocol/order.ts'
import type { Target } from '../../../protocol/scope.ts'

/** What a transaction asks of the contract. */
export type Call =
  | { readonly name: 'register'; readonly uuid: string; readonly agentType: string; readonly key: Hex }
  | { readonly name: 'setKey'; readonly uuid: string; readonly key: Hex }
  | { readonly name: 'setAgentWallet'; readonly uuid: string; readonly wallet: Hex | null }
  | { readonly name: 'transfer'; readonly uuid: string; readonly to: Hex }
  | { readonly name: 'kill'; readonly target: Target; readonly reason: number }
  | {
      readonly name: 'killBySig'
      readonly order: KillOrder
      readonly digest: Hex
      readonly signature: Hex
    }
  | { readonly name: 'burnOrder'; readonly order: KillOrder; readonly digest: Hex }
  | { readonly name: 'requestResume'; readonly target: Target }
  | { readonly name: 'resume'; readonly target: Target }
  | { readonly name: 'appointGuardian'; readonly guardian: Hex }
  | { readonly name: 'dismissGuardian'; readonly guardian: Hex }
  | { readonly name: 'setBreaker'; readonly breaker: Hex; readonly admitted: boolean }
  | { readonly name: 'setCooldown'; readonly rank: 1 | 2 | 3 | 4; readonly cooldown: number }

export type Transaction = { readonly hash: Hex; readonly from: Hex; readonly call: Call }

/** Stands for an ECDSA signature: only `signatureOf` makes one, and only for who asks in an authority's name. */
export const signatureOf = (authority: Hex, digest: Hex): Hex =>
  `0x${authority.slice(2)}${digest.slice(2)}${'5a'.repeat(13)}`
