import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'

/**
 * Refuses bodies that are too large. Hono's own limit looks at the body first, which makes a web stream of it and costs
 * a small request more than all the rest; where there is a length, Node's parser holds the body to it, and where there is
 * neither length nor transfer coding there is no body (RFC 9112, section 6.3).
 * @param options.maxSize bytes
 */
export function boundedBody(options: {
  readonly maxSize: number
  readonly onError: (context: Context) => Response
}): MiddlewareHandler {
  const { maxSize } = options
  /** Ends the connection: what is left of the body would be read for nothing. */
  const onError = (context: Context): Response => {
    context.header('connection', 'close')
    return options.onError(context)
  }
  const counted = bodyLimit({ maxSize, onError })
  return async (context, next) => {
    const { headers } = context.req.raw
    if (headers.has('transfer-encoding')) return counted(context, next)
    if (Number(headers.get('content-length') ?? 0) > maxSize) return onError(context)
    await next()
  }
}
