import type { TLSSocket } from 'node:tls'
import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { SvidClaims } from '../../protocol/revocation.ts'
import type { Access } from '../audit/accesses.ts'
import type { IssuedSvid } from '../identity/issuance.ts'
import type { Application, Bindings } from './application.ts'
import { answerSvid } from './identities.ts'
import { problemSchema } from './problem.ts'
import { svidAnswerSchema } from './schemas.ts'

export type Peer = { readonly claims: SvidClaims; readonly serial: string }

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
    readonly renew: (peer: Peer, csr: string) => Promise<IssuedSvid>
    readonly bundle: () => string
    readonly acknowledge: (peer: Peer, epoch: string, number: number) => Promise<void>
    readonly report: (peer: Peer, accesses: readonly Access[]) => Promise<void>
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
      const { epoch, number } = context.req.valid('json')
      await parts.acknowledge(peer(context), epoch, number)
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
      await parts.report(peer(context), context.req.valid('json').accesses)
      return context.body(null, 204)
    },
  )
}
