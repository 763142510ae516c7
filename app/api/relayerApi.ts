import type { Deployment } from '../../protocol/deployment.ts'
import { deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Scope, subjectLabel } from '../../protocol/scope.ts'

/** RFC 9457, as the relayer answers. */
export type Problem = {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

/** The relayer does not answer, or not as a relayer. */
export class RelayerDownError extends Error {
  override readonly name = 'RelayerDownError'
  readonly relayer: string
  constructor(relayer: string, why: string, options?: ErrorOptions) {
    super(`the relayer ${relayer} ${why}`, options)
    this.relayer = relayer
  }
}

/** The relayer refused: its problem says why. Nothing changed. */
export class RelayerRefusedError extends Error {
  override readonly name = 'RelayerRefusedError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(`${problem.title}: ${problem.detail}`)
    this.problem = problem
  }
}

/** An agent as the relayer tells it; times in ms of its clock. */
export type RelayerAgent = {
  readonly uuid: string
  readonly spiffeId: string
  readonly owner: Hex
  readonly agentType: string
  readonly state: 'alive' | 'killing' | 'killed'
  readonly svid: { readonly expiresAt: number; readonly issuedAt: number; readonly generation: number } | null
  readonly lastAccessAt: number | null
  readonly lastOutcome: string | null
  readonly requestsPerSecond: number
}

export type Access = {
  readonly point: string
  readonly at: number
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: string
  readonly count: number
}

export type PointState = 'pending' | 'confirmed' | 'overdue' | 'closed by staleness'

/** A kill with its timeline; dates in ms of the relayer's clock, `elapsed` in ms since its first sight. */
export type Kill = {
  readonly id: string
  readonly scope: string
  readonly subject: Hex
  readonly label: string
  readonly authority: Hex
  readonly rank: string
  readonly reason: number
  readonly reasonName: string
  readonly text: string
  readonly origin: 'block' | 'order'
  /** Of the order that it came by; null without one. */
  readonly digest: Hex | null
  readonly state: 'enforced' | 'on chain' | 'final' | 'withdrawn'
  readonly timeline: {
    readonly seenAt: number
    readonly txHash: Hex | null
    readonly sendError: string | null
    readonly orphanedFrom: number | null
    readonly withdrawnAt: number | null
  }
  readonly elapsed: {
    readonly durable: number | null
    readonly published: number | null
    readonly onChain: number | null
    readonly final: number | null
    readonly allConfirmed: number | null
  }
  readonly points: readonly {
    readonly spiffeId: string
    readonly state: PointState
    readonly confirmedAfter: number | null
  }[]
}

/** A policy as the relayer goes by it. */
export type RelayerPolicy = {
  /** Null for the default. */
  readonly agentType: string | null
  /** The latest version that it has seen: what it tightens holds already. Null without a policy of its own. */
  readonly seen: { readonly version: number } | null
  /** The latest version that counts wholly: looser limits wait for the grant point. */
  readonly granted: { readonly version: number } | null
}

/** The relayer's public HTTP. Every call @throws RelayerDownError or RelayerRefusedError. */
export type RelayerApi = {
  readonly url: string
  agents(owner: Hex): Promise<readonly RelayerAgent[]>
  agent(uuid: string): Promise<RelayerAgent & { readonly accesses: readonly Access[] }>
  kills(limit: number): Promise<readonly Kill[]>
  kill(id: string): Promise<Kill>
  /** Whether it follows the chain; why not otherwise. */
  readiness(): Promise<{ readonly ready: true } | { readonly ready: false; readonly why: string }>
  /** The kill policies that it goes by; `failure` says why they may be old. */
  policies(): Promise<{ readonly failure: string | null; readonly policies: readonly RelayerPolicy[] }>
  snapshot(): Promise<string>
  /** @returns the kill's id. The same order again is answered with its earlier record. */
  sendOrder(order: KillOrder, signature: Hex, spiffeId: string | null): Promise<string>
}

/** How long it may take to answer, in ms. */
const timeout = 8_000
/** Most agents in one answer. */
const agentsPerPage = 5_000

export function createRelayerApi(url: string, deployment: Deployment): RelayerApi {
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    let response: Response
    try {
      response = await fetch(`${url}${path}`, {
        ...init,
        cache: 'no-store',
        credentials: 'omit',
        signal: AbortSignal.timeout(timeout),
      })
    } catch (error) {
      const slow = (error as Error).name === 'TimeoutError'
      throw new RelayerDownError(
        url,
        slow ? `gave no answer within ${timeout / 1000} s` : 'cannot be reached',
        {
          cause: error,
        },
      )
    }
    if (response.ok) return response
    const problem = (await response.json().catch(() => null)) as Problem | null
    if (typeof problem?.title !== 'string')
      throw new RelayerDownError(url, `answers with HTTP status ${response.status} as no relayer does`)
    throw new RelayerRefusedError(problem)
  }
  const json = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await call(path, init)
    try {
      return (await response.json()) as T
    } catch (error) {
      throw new RelayerDownError(url, 'answers with something other than JSON', { cause: error })
    }
  }
  return {
    url,
    async agents(owner) {
      const agents: RelayerAgent[] = []
      for (;;) {
        const after = agents.at(-1)?.uuid ?? ''
        const page = await json<{ agents: readonly RelayerAgent[] }>(
          `/agents?owner=${owner}&limit=${agentsPerPage}&after=${after}`,
        )
        agents.push(...page.agents)
        if (page.agents.length < agentsPerPage) return agents
      }
    },
    agent: (uuid) => json(`/agents/${encodeURIComponent(uuid)}`),
    kills: async (limit) => (await json<{ kills: readonly Kill[] }>(`/kills?limit=${limit}`)).kills,
    kill: (id) => json(`/kills/${encodeURIComponent(id)}`),
    async readiness() {
      try {
        await call('/readyz')
        return { ready: true }
      } catch (error) {
        if (!(error instanceof RelayerRefusedError)) throw error
        return { ready: false, why: error.problem.detail }
      }
    },
    policies: () => json('/policies'),
    snapshot: async () => (await call('/revocations')).text(),
    async sendOrder(order, signature, spiffeId) {
      const isWallet = order.scope === Scope.Owner
      const { killId } = await json<{ killId: string }>(isWallet ? '/api/kill/emergency' : '/api/kill', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...(isWallet ? { wallet: subjectLabel(order) } : { spiffeId }),
          reason: order.reason,
          deployment: deploymentId(deployment),
          order: {
            ...order,
            issuedAt: `${order.issuedAt}`,
            deadline: `${order.deadline}`,
            nonce: `${order.nonce}`,
          },
          signature,
        }),
      })
      return killId
    },
  }
}
