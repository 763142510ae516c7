import type { Socket } from 'node:net'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Broadcaster } from '../feed/broadcaster.ts'
import type { Application } from './application.ts'

/** The signed feed, the trust bundle and the revocation list: public reading. */
export function addFeedRoutes(
  app: Application,
  parts: {
    readonly broadcaster: Broadcaster
    readonly bundle: () => unknown
    readonly crl: () => Promise<{ readonly der: Uint8Array }>
    /** Told of each connection that becomes a stream. */
    readonly onStream: (socket: Socket) => void
  },
): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/revocations',
    summary: 'Signed snapshot of the revocation table (docs/protocol.md, Feed)',
    responses: {
      200: { description: 'JSON, a line feed, and its Ed25519 signature', content: { 'text/plain': {} } },
    },
  })
  app.get('/revocations', (context) =>
    context.body(new Uint8Array(parts.broadcaster.snapshot()), 200, {
      'content-type': 'text/plain; charset=UTF-8',
      'cache-control': 'no-store',
    }),
  )

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/revocations/stream',
    summary: 'Signed feed as server-sent events; resumes after Last-Event-ID',
    responses: { 200: { description: 'stream', content: { 'text/event-stream': {} } } },
  })
  app.get('/revocations/stream', (context) => {
    parts.onStream(context.env.incoming.socket)
    parts.broadcaster.subscribe(context.env.outgoing, context.req.header('last-event-id') ?? null)
    return RESPONSE_ALREADY_SENT
  })

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/bundle',
    summary: 'SPIFFE bundle document',
    responses: { 200: { description: 'JWKS', content: { 'application/json': {} } } },
  })
  app.get('/bundle', (context) =>
    context.json(parts.bundle() as object, 200, { 'cache-control': 'no-store' }),
  )

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/crl',
    summary: 'Certificate revocation list (RFC 5280), DER, for those who cannot follow the feed',
    responses: { 200: { description: 'list', content: { 'application/pkix-crl': {} } } },
  })
  app.get('/crl', async (context) =>
    context.body(Buffer.from((await parts.crl()).der), 200, {
      'content-type': 'application/pkix-crl',
      'cache-control': 'no-store',
    }),
  )
}
