import type { Hex } from 'viem'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Scope } from '../../protocol/scope.ts'
import { BodyTooLargeError } from '../client/boundedBody.ts'
import { createEventStreamReader, type StreamEvent } from '../client/eventStream.ts'
import type { Problem } from '../client/problem.ts'
import {
  RelayerRefusedError as ClientRefusedError,
  RelayerUnreachableError as ClientUnreachableError,
  callPublic,
} from '../client/relayerCall.ts'
import { urlUnder } from '../client/secureUrl.ts'
import { CliError } from './cliError.ts'
import { exitCode } from './exitCode.ts'
import { orderMessage } from './orderFile.ts'
import { printable } from './printable.ts'

/** A relayer does not answer, or not as a relayer. */
export class RelayerUnreachableError extends CliError {
  override readonly name = 'RelayerUnreachableError'
  readonly relayer: string
  constructor(relayer: string, why: string, cause?: unknown) {
    super(exitCode.unreachable, `the relayer ${relayer} ${why}; --relayer names another`, { cause })
    this.relayer = relayer
  }
}

/** A relayer refused: its problem says why. Nothing changed. */
export class RelayerRefusedError extends CliError {
  override readonly name = 'RelayerRefusedError'
  readonly problem: Problem
  constructor(problem: Problem) {
    const field = typeof problem.field === 'string' ? ` (field ${printable(problem.field)})` : ''
    const detail = problem.detail === '' ? '' : `: ${printable(problem.detail)}`
    super(exitCode.refused, `the relayer refuses: ${printable(problem.title)}${detail}${field}`, {
      details: { problem },
    })
    this.problem = problem
  }
}

/** How long a relayer may take to answer, in ms. */
const relayerTimeout = 10_000
/** A page of agents or kills is a few MB. */
const maxListAnswer = 33_554_432

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Why a call came to nothing, in words that follow the relayer's address. */
function whyUnreachable(error: unknown): string {
  if (error instanceof SyntaxError) return 'answers with something other than JSON'
  if (error instanceof BodyTooLargeError) return `answers with more than ${error.limit} bytes`
  const { name, cause } = error as { name?: string; cause?: { code?: string } }
  if (name === 'TimeoutError') return `gave no answer within ${relayerTimeout / 1000} s`
  return `cannot be reached${cause?.code === undefined ? '' : ` (${cause.code})`}`
}

/** How often a call is made at most. */
const attempts = 3

/** Makes a call that may be repeated, while it fails in a way that repeating it may mend. */
async function repeatedly<T>(call: () => Promise<T>, again: (error: unknown) => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt >= attempts || !again(error)) throw error
    }
  }
}

/** The line broke: a kept connection that the relayer was closing, or a restart. */
function isBrokenLine(error: unknown): boolean {
  if (!(error instanceof ClientUnreachableError)) return false
  const { cause } = error.cause as { cause?: { code?: string } }
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(cause?.code ?? '')
}

/** A JSON call, which must do the same when repeated. @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function callRelayer(relayer: string, path: string, body?: unknown): Promise<unknown> {
  const url = urlUnder(relayer, path)
  const limits = { timeout: relayerTimeout, limit: maxListAnswer }
  try {
    return await repeatedly(() => callPublic({ url, body, fetch: globalThis.fetch, ...limits }), isBrokenLine)
  } catch (error) {
    if (error instanceof ClientRefusedError) throw new RelayerRefusedError(error.problem)
    if (error instanceof ClientUnreachableError)
      throw new RelayerUnreachableError(relayer, whyUnreachable(error.cause), error)
    throw error
  }
}

/** Longest event of `/kills/stream`, in characters: a kill with all its enforcement points. */
const maxEvent = 1_048_576

/**
 * The events of one of a relayer's streams, for as long as it lasts.
 * @throws {RelayerUnreachableError} when it cannot be followed or breaks
 */
export async function* eventsOf(
  relayer: string,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const reader = createEventStreamReader(maxEvent)
  const decoder = new TextDecoder()
  try {
    const response = await fetch(urlUnder(relayer, path), {
      redirect: 'error',
      headers: { accept: 'text/event-stream' },
      ...(signal === undefined ? {} : { signal }),
    })
    if (!response.ok || response.body === null)
      throw new RelayerUnreachableError(relayer, `answers ${path} with HTTP status ${response.status}`)
    for await (const chunk of response.body) yield* reader.push(decoder.decode(chunk, { stream: true }))
  } catch (error) {
    if (error instanceof RelayerUnreachableError) throw error
    const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: string }
    throw new RelayerUnreachableError(
      relayer,
      `cannot be followed${code === undefined ? '' : ` (${code})`}`,
      error,
    )
  }
}

/** What the relayer says of an order that it took; times in Unix ms of its clock. */
export type Accepted = {
  readonly killId: string
  readonly state: string
  readonly seenAt: number
  readonly durableAt: number | null
  readonly publishedAt: number | null
}

/** Sends an order, several times if need be: it is answered with its earlier record. @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function postOrder(
  relayer: string,
  deployment: Deployment,
  order: KillOrder,
  signature: Hex,
  subject: { readonly spiffeId: string } | { readonly wallet: Hex },
): Promise<Accepted> {
  const path = order.scope === Scope.Owner ? '/api/kill/emergency' : '/api/kill'
  const body = {
    ...subject,
    reason: order.reason,
    // Not needed to judge the order, but to say that it went to the wrong relayer.
    deployment: deploymentId(deployment),
    order: orderMessage(order),
    signature,
  }
  const send = async (): Promise<Accepted> => {
    const answer = await callRelayer(relayer, path, body)
    if (!isObject(answer) || typeof answer.killId !== 'string')
      throw new RelayerUnreachableError(relayer, 'answers without a kill id')
    return answer as Accepted
  }
  return repeatedly(
    send,
    (error) =>
      error instanceof RelayerUnreachableError ||
      (error instanceof RelayerRefusedError && error.problem.status >= 500),
  )
}

/** An enforcement point in a kill's timeline. */
export type PointView = {
  readonly spiffeId: string
  readonly state: 'pending' | 'confirmed' | 'overdue' | 'closed by staleness'
  readonly confirmedAt: number | null
  /** ms since first sight by the monotonic clock. */
  readonly confirmedAfter?: number | null
}

/** A kill as a relayer tells it; times in Unix ms of its clock. */
export type KillView = {
  readonly id: string
  readonly scope: unknown
  readonly subject: string
  readonly label: string
  readonly rank: unknown
  readonly reason: number
  readonly text: string
  readonly state: string
  readonly timeline: {
    readonly seenAt: number
    readonly durableAt: number | null
    readonly publishedAt: number | null
    readonly onChainAt: number | null
    readonly finalAt: number | null
    readonly txHash: string | null
    readonly withdrawnAt?: number | null
    /** Why the relayer could not put the order on chain so far. */
    readonly sendError?: string | null
  }
  readonly points: readonly PointView[]
}

export function isKillView(value: unknown): value is KillView {
  return (
    isObject(value) &&
    typeof value.id === 'string' &&
    isObject(value.timeline) &&
    typeof value.timeline.seenAt === 'number' &&
    Array.isArray(value.points) &&
    value.points.every(
      (point) => isObject(point) && typeof point.spiffeId === 'string' && typeof point.state === 'string',
    )
  )
}

/** @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function getKill(relayer: string, id: string): Promise<KillView> {
  const answer = await callRelayer(relayer, `/kills/${encodeURIComponent(id)}`)
  if (!isKillView(answer))
    throw new RelayerUnreachableError(relayer, 'answers with something other than a kill')
  return answer
}

/** The kill that a transaction made, once the relayer has seen it. */
export async function findKill(relayer: string, txHash: string): Promise<KillView | undefined> {
  const answer = await callRelayer(relayer, `/kills?transaction=${txHash}`)
  const list = Array.isArray(answer) ? answer : isObject(answer) ? answer.kills : undefined
  if (!Array.isArray(list))
    throw new RelayerUnreachableError(relayer, 'answers with something other than kills')
  const found: unknown = list.find(
    (one) => isObject(one) && isObject(one.timeline) && one.timeline.txHash === txHash,
  )
  return isObject(found) && typeof found.id === 'string' ? getKill(relayer, found.id) : undefined
}

/** An agent as a relayer tells it. */
export type AgentView = {
  readonly uuid: string
  /** Null, like the type, until the agent is complete. */
  readonly spiffeId: string | null
  readonly owner: string
  readonly agentType: string | null
  readonly state: string
  readonly kill?: { readonly scope: string; readonly rank: string; readonly reason: number } | null
  readonly svid: { readonly expiresAt: number } | null
  readonly lastAccessAt: number | null
  readonly requestsPerSecond: number | null
}

const isAgentView = (value: unknown): value is AgentView =>
  isObject(value) &&
  typeof value.uuid === 'string' &&
  (typeof value.spiffeId === 'string' || value.spiffeId === null) &&
  typeof value.owner === 'string' &&
  typeof value.state === 'string'

/** Most agents in one answer of a relayer. */
const agentsPerPage = 10_000

/** @param owner only his. @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function getAgents(relayer: string, owner: Hex | null): Promise<readonly AgentView[]> {
  const agents: AgentView[] = []
  const whose = owner === null ? '' : `&owner=${owner}`
  for (;;) {
    const after = agents.at(-1)?.uuid ?? ''
    const answer = await callRelayer(relayer, `/agents?limit=${agentsPerPage}&after=${after}${whose}`)
    const page = isObject(answer) ? answer.agents : undefined
    if (!Array.isArray(page) || !page.every(isAgentView))
      throw new RelayerUnreachableError(relayer, 'answers with something other than agents')
    const fresh = page.filter(({ uuid }) => uuid > after)
    agents.push(...fresh)
    if (page.length < agentsPerPage || fresh.length === 0) return agents
  }
}

/** @throws {RelayerUnreachableError | RelayerRefusedError} also for an agent that it does not know */
export async function getAgent(relayer: string, uuid: string): Promise<AgentView> {
  const answer = await callRelayer(relayer, `/agents/${uuid}`)
  if (!isAgentView(answer))
    throw new RelayerUnreachableError(relayer, 'answers with something other than an agent')
  return answer
}
