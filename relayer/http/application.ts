import type { HttpBindings } from '@hono/node-server'
import { OpenAPIHono, type z } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { boundedBody } from './boundedBody.ts'
import { answerProblem, problemFor, problemOf } from './problem.ts'

export type Bindings = { Bindings: HttpBindings }
export type Application = OpenAPIHono<Bindings>

/** The first fault of a request by zod, as a problem. An absent signature is a fault of its own. */
function invalid(error: z.ZodError) {
  const issue = error.issues[0]
  const field = issue?.path.join('.') ?? ''
  if (field === 'signature' && issue?.code === 'invalid_type') {
    return problemOf(
      401,
      'signature-missing',
      'Unsigned',
      'the order carries no signature; sign it with the wallet of its authority',
      field,
    )
  }
  return problemOf(
    400,
    'malformed-request',
    'Malformed request',
    `${field || 'body'}: ${issue?.message ?? 'malformed'}`,
    field || 'body',
  )
}

/**
 * An HTTP application whose every error is a problem document.
 * @param maxBody bytes
 * @param onRefused told of each foreseen error, to log it as a decision; must not throw
 */
export function createApplication(
  log: Logger,
  maxBody: number,
  onRefused: (error: Error) => void,
): Application {
  const app = new OpenAPIHono<Bindings>({
    defaultHook: (result, context) =>
      result.success ? undefined : answerProblem(context, invalid(result.error)),
  })
  app.use(
    boundedBody({
      maxSize: maxBody,
      onError: (context) =>
        answerProblem(
          context,
          problemOf(413, 'oversized', 'Oversized request', `a body holds at most ${maxBody} bytes`, 'body'),
        ),
    }),
  )
  app.notFound((context) =>
    answerProblem(
      context,
      problemOf(
        404,
        'not-found',
        'Not found',
        `there is no ${context.req.method} ${context.req.path}; see /docs`,
      ),
    ),
  )
  app.onError((error, context) => {
    const known = problemFor(error)
    if (known !== null) {
      onRefused(error)
      if (known.status >= 500) log.error({ problem: known }, 'request failed')
      return answerProblem(context, known)
    }
    if (error instanceof HTTPException && error.status < 500) {
      return answerProblem(
        context,
        problemOf(
          error.status,
          'malformed-request',
          'Malformed request',
          error.message || 'the body is no JSON',
          'body',
        ),
      )
    }
    log.error({ err: error }, 'unforeseen error')
    return answerProblem(
      context,
      problemOf(500, 'internal', 'Internal error', 'the relayer failed; its log says why'),
    )
  })
  return app
}
