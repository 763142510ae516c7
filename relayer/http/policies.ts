import { createRoute, z } from '@hono/zod-openapi'
import type { Hex } from '../../protocol/hex.ts'
import { limitNames } from '../../protocol/policy/killPolicy.ts'
import type { PolicyReader } from '../chain/policyReader.ts'
import { isUnread, type PolicyMirror, policyInForce, policyVersions } from '../policy/mirror.ts'
import type { Application } from './application.ts'
import { problemSchema, RequestError } from './problem.ts'

/** The default's name in paths: no type has an underscore. */
const defaultName = '_default'

const limitsSchema = z
  .object(Object.fromEntries(limitNames.map((name) => [name, z.number().int()])))
  .openapi('PolicyLimits', { description: 'docs/governance.md says what each is' })
const documentSchema = z.object({ hash: z.string(), uri: z.string() }).openapi('PolicyDocument')
const blockSchema = z
  .object({ number: z.number().int(), hash: z.string(), time: z.number().int() })
  .openapi('PolicyBlock', { description: 'time in Unix seconds' })
/** In every answer: how old it may be. */
const standingSchema = z.object({
  readTo: blockSchema.openapi({ description: 'the last block whose policies are in this answer' }),
  grantedTo: blockSchema.nullable().openapi({
    description: 'the last block that counts as granted; null while none that may have policies does',
  }),
  failure: z.string().nullable().openapi({
    description:
      'why later policies may be missing (cannot be read, or the relayer is blind); null if none are',
  }),
})
const versionSchema = z
  .object({
    version: z.number().int(),
    block: blockSchema,
    granted: z
      .boolean()
      .openapi({ description: 'whether the grant point has reached it; looser limits wait for that' }),
    byAdmission: z.boolean(),
    policy: z
      .object({
        limits: limitsSchema,
        boundary: documentSchema.nullable(),
        decisions: documentSchema.nullable(),
      })
      .nullable()
      .openapi({ description: 'null where it was removed' }),
  })
  .openapi('PolicyVersion')
const waits = 'what it tightens is in force from first sight, what it loosens once it is granted'
/** Numbers of the versions of one policy. */
const versionNumbersSchema = z.object({
  seen: z
    .number()
    .int()
    .nullable()
    .openapi({ description: `the latest seen: ${waits}` }),
  granted: z.number().int().nullable().openapi({ description: 'the latest granted: all of it counts' }),
})
const policySchema = z
  .object({
    agentType: z.string().nullable().openapi({ description: 'null: the default' }),
    seen: versionSchema.nullable().openapi({
      description: `the latest version seen; it may not be granted yet: ${waits}; null: the type has no policy of its own`,
    }),
    granted: versionSchema.nullable().openapi({
      description: 'the latest granted version; the same as `seen` once nothing waits for the grant point',
    }),
    inForce: z
      .object({
        limits: limitsSchema,
        boundaries: z.array(documentSchema),
        decisions: z.array(documentSchema),
        versions: z
          .object({ default: versionNumbersSchema, type: versionNumbersSchema })
          .openapi({ description: 'of the default and of the type’s own policy; null where there is none' }),
      })
      .openapi({
        description:
          'what the relayer goes by now: the granted versions and, field by field, whatever any version seen since tightens; where seen and granted differ it is no single version',
      }),
  })
  .openapi('Policy')

const problem = { description: 'problem', content: { 'application/problem+json': { schema: problemSchema } } }
const typeParameter = z.object({
  type: z
    .string()
    .regex(/^(_default|[a-z0-9-]{1,32})$/, `must be an agent type, or ${defaultName}`)
    .openapi({ description: `agent type, or ${defaultName}` }),
})

/** What the relayer goes by: the kill policies of the chain, each with version and block. */
export function addPolicyRoutes(
  app: Application,
  parts: {
    readonly contract: Hex | null
    readonly reader: Pick<PolicyReader, 'mirror' | 'standing' | 'failure'> | null
  },
): void {
  const read = () => {
    const { reader } = parts
    if (reader === null)
      throw new RequestError(
        404,
        'no-policies',
        'No kill policies',
        'this relayer follows no kill policies; its operator names them by --kill-policies',
      )
    const mirror = reader.mirror()
    const standing = reader.standing()
    if (standing === null || isUnread(mirror))
      throw new RequestError(
        503,
        'policies-unread',
        'Kill policies are not read yet',
        reader.failure()?.message ?? 'the relayer is still reading them; ask again',
      )
    return { mirror, standing: { ...standing, failure: reader.failure()?.message ?? null } }
  }
  const versionsOf = (mirror: PolicyMirror, agentType: string | null) =>
    policyVersions(mirror)
      .filter((version) => version.agentType === agentType)
      .map(({ agentType: _, ...version }) => version)
  const view = (mirror: PolicyMirror, agentType: string | null) => {
    const last = (of: string | null) => {
      const versions = versionsOf(mirror, of)
      return {
        seen: versions.at(-1) ?? null,
        granted: versions.findLast(({ granted }) => granted) ?? null,
      }
    }
    const numbers = ({ seen, granted }: ReturnType<typeof last>) => ({
      seen: seen?.version ?? null,
      granted: granted?.version ?? null,
    })
    const { limits, boundaries, decisions } = policyInForce(mirror, agentType)
    const own = last(agentType)
    return {
      agentType,
      ...own,
      inForce: {
        limits,
        boundaries: [...boundaries],
        decisions: [...decisions],
        versions: {
          default: numbers(last(null)),
          type: agentType === null ? { seen: null, granted: null } : numbers(own),
        },
      },
    }
  }
  const typeOf = (name: string) => (name === defaultName ? null : name)

  app.openapi(
    createRoute({
      method: 'get',
      path: '/policies',
      summary: 'Kill policies: the default first, then every type that ever had one',
      responses: {
        200: {
          description: 'policies',
          content: {
            'application/json': {
              schema: z.object({
                contract: z.string().nullable(),
                ...standingSchema.shape,
                policies: z.array(policySchema),
              }),
            },
          },
        },
        404: problem,
        503: problem,
      },
    }),
    (context) => {
      const { mirror, standing } = read()
      const types = [...new Set(policyVersions(mirror).flatMap(({ agentType }) => agentType ?? []))].sort()
      return context.json(
        {
          contract: parts.contract,
          ...standing,
          policies: [view(mirror, null), ...types.map((agentType) => view(mirror, agentType))],
        },
        200,
      )
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/policies/{type}',
      summary: 'What holds for a type (agents that governance admitted apart)',
      request: { params: typeParameter },
      responses: {
        200: {
          description: 'policy',
          content: {
            'application/json': { schema: z.object({ ...policySchema.shape, ...standingSchema.shape }) },
          },
        },
        404: problem,
        503: problem,
      },
    }),
    (context) => {
      const { mirror, standing } = read()
      return context.json({ ...view(mirror, typeOf(context.req.valid('param').type)), ...standing }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/policies/{type}/history',
      summary: 'Every version of the policy of a type, oldest first',
      request: { params: typeParameter },
      responses: {
        200: {
          description: 'versions',
          content: {
            'application/json': {
              schema: z.object({ ...standingSchema.shape, versions: z.array(versionSchema) }),
            },
          },
        },
        404: problem,
        503: problem,
      },
    }),
    (context) => {
      const { mirror, standing } = read()
      const versions = versionsOf(mirror, typeOf(context.req.valid('param').type))
      return context.json({ ...standing, versions }, 200)
    },
  )
}
