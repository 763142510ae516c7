import { createRoute, z } from '@hono/zod-openapi'
import { statusOf } from '../../protocol/liveness.ts'
import { rankName } from '../../protocol/rank.ts'
import { type Agent, stateIn } from '../../protocol/registry.ts'
import { scopeName } from '../../protocol/scope.ts'
import { agentSpiffeId } from '../../protocol/spiffeId.ts'
import { type Accesses, noAccess } from '../audit/accesses.ts'
import type { Issuance } from '../identity/issuance.ts'
import type { Places } from '../identity/places.ts'
import type { KillExecutor } from '../kill/executor.ts'
import type { Application } from './application.ts'
import { problemSchema, RequestError } from './problem.ts'
import { accessSchema, agentSchema } from './schemas.ts'

/** How many of an agent's latest accesses its page shows. */
const shownAccesses = 20

export function addAgentRoutes(
  app: Application,
  parts: {
    readonly executor: KillExecutor
    readonly issuance: Pick<Issuance, 'latest'>
    readonly places: Pick<Places, 'holds'>
    readonly accesses: Accesses
    readonly trustDomain: string
    readonly now: () => number
  },
): void {
  const { executor, issuance, places, accesses, trustDomain, now } = parts

  const view = (agent: Agent) => {
    const spiffeId = agentSpiffeId(trustDomain, agent)
    const status = statusOf(agent, stateIn(executor.registry))
    const svid = spiffeId === null ? undefined : issuance.latest(spiffeId)
    return {
      uuid: agent.uuid,
      spiffeId,
      owner: agent.owner,
      agentType: agent.agentType,
      state: status.killed
        ? ('killed' as const)
        : executor.mayHoldSvid(agent)
          ? ('alive' as const)
          : ('killing' as const),
      hasPlace: places.holds(agent),
      kill: status.killed
        ? {
            scope: scopeName(status.scope),
            rank: rankName(status.rank),
            since: status.since * 1000,
            reason: status.reason,
          }
        : null,
      svid:
        svid === undefined || svid.expiresAt < now()
          ? null
          : { expiresAt: svid.expiresAt, issuedAt: svid.issuedAt, generation: svid.generation },
      ...(spiffeId === null ? noAccess : accesses.of(spiffeId)),
    }
  }

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents',
      summary: 'Agents at the grant point',
      request: {
        query: z.object({
          owner: z.string().max(42).optional(),
          limit: z.coerce.number().int().min(1).max(10_000).default(1000),
          after: z.string().max(36).default('').openapi({ description: 'continue after this UUID' }),
        }),
      },
      responses: {
        200: {
          description: 'agents by UUID',
          content: { 'application/json': { schema: z.object({ agents: z.array(agentSchema) }) } },
        },
      },
    }),
    (context) => {
      const { owner, limit, after } = context.req.valid('query')
      const agents = [...executor.registry.agents.values()]
        .filter((agent) => agent.uuid > after && (owner === undefined || agent.owner === owner.toLowerCase()))
        .sort((a, b) => (a.uuid < b.uuid ? -1 : 1))
      return context.json({ agents: agents.slice(0, limit).map(view) }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{uuid}',
      summary: 'One agent',
      request: { params: z.object({ uuid: z.string().max(64) }) },
      responses: {
        200: {
          description: 'the agent',
          content: {
            'application/json': {
              schema: agentSchema.extend({ accesses: z.array(accessSchema) }).openapi('AgentWithAccesses'),
            },
          },
        },
        404: { description: 'problem', content: { 'application/problem+json': { schema: problemSchema } } },
      },
    }),
    async (context) => {
      const { uuid } = context.req.valid('param')
      const agent = executor.registry.agents.get(uuid)
      if (agent === undefined)
        throw new RequestError(
          404,
          'unknown-agent',
          'Unknown agent',
          `agent ${uuid} is not registered at the grant point`,
          'uuid',
          uuid,
        )
      const shown = view(agent)
      const recent = shown.spiffeId === null ? [] : accesses.recent(shown.spiffeId, shownAccesses)
      return context.json({ ...shown, accesses: recent.map(({ spiffeId: _, ...access }) => access) }, 200)
    },
  )
}
