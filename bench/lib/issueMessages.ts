import type { RelayerAddress } from '../../scripts/lib/messages.ts'

/** To the client that asks for SVIDs, once. */
export type IssueSetup = {
  readonly type: 'setup'
  readonly relayer: RelayerAddress
  readonly trustDomain: string
  readonly agents: readonly { readonly spiffeId: string; readonly privateKey: string }[]
  /** How many requests are under way at once. */
  readonly parallel: number
}

/** All agents once, by this road. */
export type IssueCommand = { readonly type: 'issue'; readonly road: 'attest' | 'renew' }

export type IssueMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'issued'
      /** How long all took together, and each; in ms. */
      readonly total: number
      readonly each: readonly number[]
      /** Calls that the relayer refused for being busy; each was made again. */
      readonly shed: number
    }
