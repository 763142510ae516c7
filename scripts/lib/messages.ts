import type { Deployment } from '../../protocol/deployment.ts'

/** The relayer as its clients know it. */
export type RelayerAddress = {
  readonly url: string
  readonly mtlsUrl: string
  /** Feed public key, base64url. */
  readonly relayer: string
}

/** To a service process, once. Tokens and keys go over IPC: command lines are public. */
export type ServiceSetup = {
  readonly type: 'setup'
  readonly deployment: Deployment
  /** The service's own. */
  readonly spiffeId: string
  readonly relayer: RelayerAddress
  readonly token: string
  readonly port: number
  /** Which accepted requests are kept for `collect`: `last` keeps the last of each caller. */
  readonly record: 'all' | 'last' | 'none'
}

/** A request that the service's handler got, i.e. the guard let through; `at` by CLOCK_MONOTONIC in ms. */
export type Accepted = { readonly spiffeId: string; readonly at: number }

/** A kill whose connections are gone here; the acknowledgement leaves at the same moment. */
export type Enforced = {
  readonly killId: string
  /** Scope and label: `Agent 4c1e…`, `Owner 0x…`. */
  readonly target: string
  readonly at: number
  readonly closedConnections: number
}

export type ServiceMessage =
  | { readonly type: 'ready'; readonly url: string }
  | ({ readonly type: 'enforced' } & Enforced)
  | {
      readonly type: 'collected'
      readonly accepted: readonly Accepted[]
      /** How many there were, kept or not. */
      readonly total: number
    }

/** A guarded service as its callers know it. */
export type ServiceAddress = { readonly spiffeId: string; readonly url: string }

/** To an agents process, once. */
export type AgentsSetup = {
  readonly type: 'setup'
  readonly relayer: RelayerAddress
  readonly services: readonly ServiceAddress[]
  readonly agents: readonly { readonly spiffeId: string; readonly privateKey: string }[]
  /** Between two calls of one agent to one service, in ms. */
  readonly interval: number
  /** Whether killed agents ask the relayer again, so that they return after a resume. */
  readonly returning: boolean
  /** Whether outcomes are kept for `collect`. */
  readonly record: boolean
}

/** `killed`: a 403 problem that says so. `closed`: the connection went away. `failed`: anything else. */
export type Outcome = 'accepted' | 'killed' | 'closed' | 'failed'

/** One call of an agent; `from` and `to` by CLOCK_MONOTONIC in ms. */
export type Attempt = {
  readonly spiffeId: string
  readonly service: string
  readonly from: number
  readonly to: number
  readonly outcome: Outcome
  readonly detail: string
}

export type AgentView = {
  readonly spiffeId: string
  readonly state: 'starting' | 'running' | 'killed' | 'failing'
  readonly perSecond: number
  readonly last: string
}

export type AgentsMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'view'; readonly agents: readonly AgentView[] }
  | { readonly type: 'collected'; readonly attempts: readonly Attempt[] }
