import type { IncomingMessage } from 'node:http'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createRoute, z } from '@hono/zod-openapi'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import type { Hex } from '../../protocol/hex.ts'
import { type KillOrder, killOrderDigest } from '../../protocol/order.ts'
import { agentTarget, ownerTarget, scopeName, type Target } from '../../protocol/scope.ts'
import { formatSpiffeId, parseSpiffeId } from '../../protocol/spiffeId.ts'
import type { SignedOrder } from '../kill/chainPort.ts'
import type { KillExecutor } from '../kill/executor.ts'
import { OrderRefusedError } from '../kill/orderRefused.ts'
import type { Confirmation, EnforcementPoints } from '../kill/points.ts'
import { type KillRecord, killState, txHashOf } from '../kill/record.ts'
import { killView } from '../kill/timeline.ts'
import type { Admission } from './admission/admission.ts'
import type { Application } from './application.ts'
import type { EventStream } from './eventStream.ts'
import { problemSchema, RequestError } from './problem.ts'
import { emergencyKillRequestSchema, killAnswerSchema, killRequestSchema, killSchema } from './schemas.ts'

const problems = Object.fromEntries(
  [400, 401, 403, 404, 409, 410, 413, 421, 422, 503].map((status) => [
    status,
    { description: 'problem', content: { 'application/problem+json': { schema: problemSchema } } },
  ]),
)
const answered = {
  202: {
    description: 'durable and published',
    content: { 'application/json': { schema: killAnswerSchema } },
  },
  ...problems,
}

export function addKillRoutes(
  app: Application,
  parts: {
    readonly executor: KillExecutor
    readonly points: EnforcementPoints
    readonly deployment: Deployment
    readonly trustDomain: string
    readonly stream: EventStream
    readonly admission: Pick<Admission, 'turns' | 'addressOf' | 'stream'>
    /** Reads a kill that is no longer at hand. */
    readonly readKill: (
      id: string,
    ) => Promise<{ readonly kill: KillRecord; readonly confirmations: readonly Confirmation[] } | null>
    readonly readKillOfOrder: (digest: Hex) => Promise<KillRecord | null>
    /** Whether the chain was followed to its head since the start: before that, orders are judged by an old state. */
    readonly caughtUp: () => boolean
    /** Told of an order that was refused before it was looked at, and why; must not throw. */
    readonly onRefused: (order: SignedOrder, error: Error) => void
  },
): void {
  const {
    executor,
    points,
    deployment,
    trustDomain,
    stream,
    readKill,
    readKillOfOrder,
    caughtUp,
    onRefused,
    admission,
  } = parts

  const requireCaughtUp = () => {
    if (!caughtUp())
      throw new RequestError(
        503,
        'not-ready',
        'Not ready',
        'the relayer has not reached the head of the chain yet; send the order again in a moment, or kill by transaction',
      )
  }

  /** The problem of a request that names an order, which is logged as refused. */
  const refused = (
    { order, signature }: { readonly order: KillOrder; readonly signature: Hex },
    ...problem: ConstructorParameters<typeof RequestError>
  ): RequestError => {
    const error = new RequestError(...problem)
    onRefused({ order, signature, digest: killOrderDigest(deployment, order) }, error)
    return error
  }

  const take = async (
    incoming: IncomingMessage,
    target: Target,
    request: {
      readonly reason: number
      readonly deployment?: string | undefined
      readonly order: KillOrder
      readonly signature: Hex
    },
    field: string,
    value: string,
  ) => {
    const { order, signature } = request
    if (request.deployment !== undefined && request.deployment !== deploymentId(deployment)) {
      throw refused(
        request,
        421,
        'other-deployment',
        'Signed for another chain or contract',
        `this relayer serves ${deploymentId(deployment)}; send the order to one of its own`,
        'deployment',
        request.deployment,
      )
    }
    if (request.reason !== order.reason) {
      throw refused(
        request,
        400,
        'malformed-request',
        'Malformed request',
        `reason must equal order.reason, ${order.reason}`,
        'reason',
        request.reason,
      )
    }
    if (order.scope !== target.scope) {
      throw refused(
        request,
        400,
        'malformed-request',
        'Malformed request',
        `order.scope must be ${target.scope} (${scopeName(target.scope)}) here`,
        'order.scope',
        order.scope,
      )
    }
    if (order.subject !== target.subject) {
      throw refused(
        request,
        400,
        'malformed-request',
        'Malformed request',
        `${field} ${value} is not what the order is about`,
        field,
        value,
      )
    }
    const digest = killOrderDigest(deployment, order)
    try {
      return answer(
        await admission.turns(admission.addressOf(incoming), () =>
          executor.takeOrder({ order, signature, digest }),
        ),
      )
    } catch (error) {
      if (!(error instanceof OrderRefusedError) || error.kind !== 'replayed') throw error
      // The identical order is answered with its earlier record, however old.
      const earlier = await readKillOfOrder(digest)
      if (earlier === null || earlier.withdrawn !== null) throw error
      return answer(earlier)
    }
  }

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/kill',
      summary: 'Kill one agent by a signed order',
      request: { body: { required: true, content: { 'application/json': { schema: killRequestSchema } } } },
      responses: answered,
    }),
    async (context) => {
      const body = context.req.valid('json')
      requireCaughtUp()
      const id = parseSpiffeId(body.spiffeId)
      const known = id.trustDomain === trustDomain ? executor.registry.agents.get(id.name) : undefined
      if (known === undefined || known.agentType !== id.type) {
        throw refused(
          body,
          404,
          'unknown-agent',
          'Unknown agent',
          `${body.spiffeId} is not registered at the grant point of ${deploymentId(deployment)}`,
          'spiffeId',
          body.spiffeId,
        )
      }
      return context.json(
        await take(context.env.incoming, agentTarget(id.name), body, 'spiffeId', formatSpiffeId(id)),
        202,
      )
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/kill/emergency',
      summary: 'Kill all agents of a wallet by a signed order',
      request: {
        body: { required: true, content: { 'application/json': { schema: emergencyKillRequestSchema } } },
      },
      responses: answered,
    }),
    async (context) => {
      requireCaughtUp()
      const body = context.req.valid('json')
      return context.json(
        await take(context.env.incoming, ownerTarget(body.wallet), body, 'wallet', body.wallet),
        202,
      )
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/kills',
      summary: 'Kills, newest first',
      request: {
        query: z.object({
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          pending: z
            .literal('chain')
            .optional()
            .openapi({ description: 'only orders that are not on chain yet' }),
          transaction: z
            .string()
            .regex(/^0x[0-9a-f]{64}$/)
            .optional()
            .openapi({ description: 'only kills that this transaction brought' }),
        }),
      },
      responses: {
        200: {
          description: 'kills',
          content: { 'application/json': { schema: z.object({ kills: z.array(killSchema) }) } },
        },
        ...problems,
      },
    }),
    (context) => {
      const { limit, pending, transaction } = context.req.valid('query')
      const kills = executor
        .kills()
        .filter(
          (kill) =>
            (pending === undefined || killState(kill) === 'enforced') &&
            (transaction === undefined || txHashOf(kill) === transaction),
        )
      return context.json(
        { kills: kills.slice(0, limit).map((kill) => killView(kill, points.of(kill))) },
        200,
      )
    },
  )

  app.get('/kills/stream', (context) => {
    admission.stream(context.env.incoming.socket)
    stream.subscribe(context.env.outgoing)
    return RESPONSE_ALREADY_SENT
  })

  app.openapi(
    createRoute({
      method: 'get',
      path: '/kills/{id}',
      summary: 'One kill with its timeline',
      request: { params: z.object({ id: z.string().max(64) }) },
      responses: {
        200: { description: 'the kill', content: { 'application/json': { schema: killSchema } } },
        ...problems,
      },
    }),
    async (context) => {
      const { id } = context.req.valid('param')
      const kill = executor.kill(id)
      if (kill !== undefined) return context.json(killView(kill, points.of(kill)), 200)
      const stored = await readKill(id)
      if (stored === null)
        throw new RequestError(404, 'unknown-kill', 'Unknown kill', `there is no kill ${id} here`, 'id', id)
      return context.json(killView(stored.kill, points.of(stored.kill, stored.confirmations)), 200)
    },
  )
}

const answer = (kill: KillRecord) => ({
  killId: kill.id,
  state: killState(kill),
  seenAt: Math.round(kill.seen.at),
  durableAt: kill.durable === null ? null : Math.round(kill.durable.at),
  publishedAt: kill.published === null ? null : Math.round(kill.published.at),
})
