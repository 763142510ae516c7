import type { Application } from './application.ts'
import { answerProblem, problemOf } from './problem.ts'

/** Liveness of the process, readiness of the node, and its metrics. */
export function addHealthRoutes(
  app: Application,
  parts: {
    /** Why the node is not ready; null when it is. */
    readonly unready: () => string | null
    readonly metrics: () => string
  },
): void {
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/healthz',
    summary: 'The process answers',
    responses: { 200: { description: 'ok' } },
  })
  app.get('/healthz', (context) => context.text('ok\n'))
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/readyz',
    summary: 'The node follows the chain',
    responses: { 200: { description: 'ready' }, 503: { description: 'problem' } },
  })
  app.get('/readyz', (context) => {
    const reason = parts.unready()
    return reason === null
      ? context.json({ ready: true })
      : answerProblem(context, problemOf(503, 'not-ready', 'Not ready', reason))
  })
  app.openAPIRegistry.registerPath({
    method: 'get',
    path: '/metrics',
    summary: 'Prometheus metrics',
    responses: { 200: { description: 'text exposition format' } },
  })
  app.get('/metrics', (context) =>
    context.text(parts.metrics(), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  )
}
