import type { IncomingMessage } from 'node:http'
import { addressKey } from './addressKey.ts'

/**
 * Whose request it is: the connection's other end or, when that is one of the operator's proxies, whom the proxy names
 * last in X-Forwarded-For. What stands before that anybody may have written.
 * @param proxies keys of the proxies' addresses, as `addressKey` gives them
 */
export function clientAddress(request: IncomingMessage, proxies: ReadonlySet<string>): string {
  const peer = addressKey(request.socket.remoteAddress)
  if (!proxies.has(peer)) return peer
  const named = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim()
  return named === undefined || named === '' ? peer : addressKey(named)
}
