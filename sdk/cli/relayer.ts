import type { Hex } from 'viem'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { KillOrder } from '../../protocol/order.ts'
import { Scope } from '../../protocol/scope.ts'
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

/** A problem document (RFC 9457). */
export type Problem = {
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly field?: string
  readonly value?: string
  readonly type?: string
}

/** A relayer refused: its problem says why. Nothing changed. */
export class RelayerRefusedError extends CliError {
  override readonly name = 'RelayerRefusedError'
  readonly problem: Problem
  constructor(problem: Problem) {
    const field = problem.field === undefined ? '' : ` (field ${printable(problem.field)})`
    const detail = problem.detail === undefined ? '' : `: ${printable(problem.detail)}`
    super(exitCode.refused, `the relayer refuses: ${printable(problem.title)}${detail}${field}`, {
      details: { problem },
    })
    this.problem = problem
  }
}

/** How long a relayer may take to answer, in ms. */
const relayerTimeout = 10_000

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readProblem(status: number, body: unknown): Problem {
  const text = (key: string) =>
    isObject(body) && typeof body[key] === 'string' ? { [key]: body[key] as string } : {}
  return {
    title: `HTTP status ${status}`,
    ...text('title'),
    status,
    ...text('detail'),
    ...text('field'),
    ...text('value'),
    ...text('type'),
  }
}

function whyUnreachable(error: unknown): string {
  if ((error as { name?: string }).name === 'TimeoutError')
    return `gave no answer within ${relayerTimeout / 1000} s`
  const cause = (error as { cause?: { code?: string } }).cause
  return `cannot be reached${cause?.code === undefined ? '' : ` (${cause.code})`}`
}

/** A JSON call. @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function callRelayer(relayer: string, path: string, body?: unknown): Promise<unknown> {
  let response: Response
  let text: string
  try {
    response = await fetch(`${relayer}${path}`, {
      // An order goes where it was sent, nowhere else.
      redirect: 'error',
      signal: AbortSignal.timeout(relayerTimeout),
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    text = await response.text()
  } catch (error) {
    throw new RelayerUnreachableError(relayer, whyUnreachable(error), error)
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    if (response.ok)
      throw new RelayerUnreachableError(relayer, 'answers with something other than JSON', error)
  }
  if (!response.ok) throw new RelayerRefusedError(readProblem(response.status, content))
  return content
}

/** What the relayer says of an order that it took; times in Unix ms of its clock. */
export type Accepted = {
  readonly killId: string
  readonly state: string
  readonly seenAt: number
  readonly durableAt: number | null
  readonly publishedAt: number | null
}

/** How often an order is sent when the line breaks. The same order is answered with its earlier record. */
const attempts = 3

/** @throws {RelayerUnreachableError | RelayerRefusedError} */
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
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await callRelayer(relayer, path, body)
      if (!isObject(answer) || typeof answer.killId !== 'string')
        throw new RelayerUnreachableError(relayer, 'answers without a kill id')
      return answer as Accepted
    } catch (error) {
      const broken = error instanceof RelayerRefusedError && error.problem.status >= 500
      if (attempt >= attempts || !(broken || error instanceof RelayerUnreachableError)) throw error
    }
  }
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

function isKillView(value: unknown): value is KillView {
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
  const answer = await callRelayer(relayer, '/kills?limit=1000')
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
  readonly spiffeId: string
  readonly owner: string
  readonly agentType: string
  readonly state: string
  readonly svid: { readonly expiresAt: number } | null
  readonly lastAccessAt: number | null
  readonly requestsPerSecond: number | null
}

const isAgentView = (value: unknown): value is AgentView =>
  isObject(value) &&
  typeof value.uuid === 'string' &&
  typeof value.spiffeId === 'string' &&
  typeof value.owner === 'string' &&
  typeof value.state === 'string'

/** Most agents in one answer of a relayer. */
const agentsPerPage = 10_000

/** @throws {RelayerUnreachableError | RelayerRefusedError} */
export async function getAgents(relayer: string): Promise<readonly AgentView[]> {
  const agents: AgentView[] = []
  for (;;) {
    const after = agents.at(-1)?.uuid ?? ''
    const answer = await callRelayer(relayer, `/agents?limit=${agentsPerPage}&after=${after}`)
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
