import type { TLSSocket } from 'node:tls'
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Access } from '../audit/accesses.ts'
import type { SvidRecord } from '../identity/svidRecord.ts'
import type { Application, Bindings } from './application.ts'
import { answerSvid } from './identities.ts'
import type { Peer } from './peer.ts'
import { problemSchema } from './problem.ts'
import { svidAnswerSchema } from './schemas.ts'

const problem = { description: 'problem', content: { 'application/problem+json': { schema: problemSchema } } }
const taken = { 204: { description: 'taken' }, 400: problem, 403: problem, 409: problem, 413: problem }

const accessSchema = z.object({
  spiffeId: z.string().max(2048),
  at: z.number().int().min(0),
  method: z.string().max(16),
  path: z.string().max(1024),
  status: z.number().int().min(0).max(999),
  outcome: z.string().max(64),
  count: z.number().int().min(1).max(1_000_000),
})

/** What only the bearer of an SVID may do: the mutual TLS listener. */
export function addPointRoutes(
  app: Application,
  parts: {
    /** The peer behind a socket. @throws InvalidSvidError or IssuanceRefusedError */
    readonly peerOf: (socket: TLSSocket) => Peer
    readonly renew: (peer: Peer, csr: string) => Promise<SvidRecord>
    readonly bundle: () => string
    readonly acknowledge: (
      peer: Peer,
      acknowledgement: {
        readonly epoch: string
        readonly number: number
        readonly closedConnections?: number | undefined
      },
    ) => Promise<void>
    /** @param dropped accesses that the point saw but could not report */
    readonly report: (peer: Peer, accesses: readonly Access[], dropped: number) => Promise<void>
  },
): void {
  const peer = (context: Context<Bindings>) => parts.peerOf(context.env.incoming.socket as TLSSocket)

  app.openapi(
    createRoute({
      method: 'post',
      path: '/svid/renew',
      summary: 'Renew the presented SVID',
      request: {
        body: {
          required: true,
          content: { 'application/json': { schema: z.object({ csr: z.string().max(8192) }).strict() } },
        },
      },
      responses: {
        200: { description: 'the SVID', content: { 'application/json': { schema: svidAnswerSchema } } },
        401: problem,
        403: problem,
        404: problem,
        503: problem,
      },
    }),
    async (context) =>
      context.json(
        answerSvid(await parts.renew(peer(context), context.req.valid('json').csr), parts.bundle()),
        200,
      ),
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/acknowledgements',
      summary: 'Confirm that the feed is enforced up to a number',
      request: {
        body: {
          required: true,
          content: {
            'application/json': {
              schema: z
                .object({
                  epoch: z.string().max(64),
                  number: z.number().int().min(0),
                  closedConnections: z.number().int().min(0).optional(),
                })
                .strict(),
            },
          },
        },
      },
      responses: taken,
    }),
    async (context) => {
      await parts.acknowledge(peer(context), context.req.valid('json'))
      return context.body(null, 204)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/reports',
      summary: 'Report who accessed what',
      request: {
        body: {
          required: true,
          content: {
            'application/json': {
              schema: z
                .object({
                  accesses: z.array(accessSchema).max(1000),
                  dropped: z.number().int().min(0).optional(),
                })
                .strict(),
            },
          },
        },
      },
      responses: taken,
    }),
    async (context) => {
      const { accesses, dropped } = context.req.valid('json')
      await parts.report(peer(context), accesses, dropped ?? 0)
      return context.body(null, 204)
    },
  )
}
