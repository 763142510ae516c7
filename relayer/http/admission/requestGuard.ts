import { createTokenBuckets } from './tokenBuckets.ts'

/** What a request is for, as far as shedding goes. */
export type RequestClass = 'kill' | 'feed' | 'renewal' | 'dApp' | 'other'

export type Admission = 'admitted' | 'too many' | 'overloaded'

/** Whole paths as they are sent: what would become one of them by its dots is something else, and has its rate. */
const feedPaths: ReadonlySet<string> = new Set([
  '/revocations',
  '/revocations/stream',
  '/bundle',
  '/crl',
  '/kills/stream',
  '/healthz',
  '/readyz',
  '/metrics',
])

export const requestClass = (method: string, path: string): RequestClass => {
  if (method === 'POST' && /^\/(api\/kill|api\/kill\/emergency|acknowledgements)$/.test(path)) return 'kill'
  if (method === 'POST' && path === '/svid/renew') return 'renewal'
  if (method === 'GET' && /^\/($|assets\/[^/]+$|(config\.json|icon\.svg|index\.html)$)/.test(path))
    return 'dApp'
  return method === 'GET' && feedPaths.has(path) ? 'feed' : 'other'
}

/**
 * Sheds what is not about killing before it costs anything: each address has its rate, and while the relayer is overloaded
 * nothing else is served at all. Orders and the feed are never shed here; orders wait their turn instead (`turns`).
 */
export function createRequestGuard(options: {
  /** Requests of one address per second, and ten times as many at once. */
  readonly perSecond: number
  /** Monotonic ms. */
  readonly now: () => number
  /** Whether the relayer has more to do than it can. */
  readonly overloaded: () => boolean
}): (address: string, kind: RequestClass) => Admission {
  const { perSecond, now, overloaded } = options
  const buckets = createTokenBuckets({ burst: perSecond * 10, perSecond, now })
  return (address, kind) => {
    if (kind === 'kill' || kind === 'feed') return 'admitted'
    // An agent that cannot renew stops, and the dApp is where owners stop agents; what is asked for once in minutes
    // overloads nobody.
    if (kind === 'other' && overloaded()) return 'overloaded'
    return buckets.take(address) ? 'admitted' : 'too many'
  }
}
