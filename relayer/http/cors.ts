import type { Application } from './application.ts'

/**
 * What pages of other origins may do: read what is public, and send orders, whose signature is all their authority. Never
 * with credentials, of which this listener knows none. Enrolments, attestations and metrics are for no page.
 */
const readable = /^\/(agents|kills|revocations|readyz|bundle|crl)(\/|$)/
const writable = /^\/api\/kill(\/|$)/

/** How long a browser may remember the answer to its question, in s. */
const remembered = 86_400

export function addCors(app: Application): void {
  app.use(async (context, next) => {
    const { method, path } = context.req
    const isAsked = method === 'OPTIONS'
    const allowed = readable.test(path) ? 'GET' : writable.test(path) ? 'POST' : null
    if (allowed === null || (!isAsked && method !== allowed)) return next()
    // On the answer itself: streams are written without Hono.
    const { outgoing } = context.env
    outgoing.setHeader('access-control-allow-origin', '*')
    if (!isAsked) return next()
    return context.body(null, 204, {
      'access-control-allow-methods': allowed,
      'access-control-allow-headers': 'content-type, last-event-id',
      'access-control-max-age': String(remembered),
    })
  })
}
