import type { Hex } from 'viem'
import type { Deployment } from '../../protocol/deployment.ts'

export const floodKinds = [
  'freeWallets',
  'badSignatures',
  'hugeBodies',
  'slowBodies',
  'headerBombs',
  'connections',
  'registrations',
] as const

export type FloodKind = (typeof floodKinds)[number]

export const floodTexts: Readonly<Record<FloodKind, string>> = {
  freeWallets: 'well-signed orders of wallets without agents',
  badSignatures: "orders in the owner's name with another's signature",
  hugeBodies: 'bodies of 8 MiB, and of just below 64 KiB',
  slowBodies: 'two thousand bodies of a byte per second',
  headerBombs: 'headers of 15 KiB and headers without end',
  connections: 'three thousand idle connections, and others that come and go',
  registrations: 'a hundred registrations per transaction, and challenges for attestation',
}

/** To a process that floods, once; it begins at once and goes on until it is stopped. */
export type FloodSetup = {
  readonly type: 'setup'
  readonly kind: FloodKind
  /** Public listener of the relayer. */
  readonly url: string
  readonly rpc: string
  readonly deployment: Deployment
  /** An agent of the owner, for orders that look right. */
  readonly agent: { readonly uuid: string; readonly spiffeId: string; readonly owner: Hex }
  /** Private key of a wallet with funds, for registrations. */
  readonly funded: Hex
}

export type FloodMessage =
  | { readonly type: 'flooding' }
  | {
      readonly type: 'counted'
      /** Requests, connections or transactions that were begun. */
      readonly sent: number
      /** Answers by status; `cut` are connections that the relayer ended without one. */
      readonly answers: Readonly<Record<string, number>>
    }
