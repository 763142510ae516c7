import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { createMutualTls, isUntrusted } from '../client/mutualTls.ts'
import type { ExpectedServer } from '../client/serverIdentity.ts'
import type { Identity } from './identity.ts'

export type AgentFetch = ((input: string | URL | Request, init?: RequestInit) => Promise<Response>) & {
  /** Ends all connections. */
  readonly close: () => void
}

/** Only https shows the agent's identity. */
export class NotHttpsError extends Error {
  override readonly name = 'NotHttpsError'
  readonly url: string
  constructor(url: string) {
    super(`${url} is not https:; the agent's fetch speaks mutual TLS only`)
    this.url = url
  }
}

/** Status codes without a body (Fetch, section 2.2.3). */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

function responseOf(answer: IncomingMessage): Response {
  const headers = new Headers()
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    headers.append(answer.rawHeaders[i] as string, answer.rawHeaders[i + 1] as string)
  }
  const status = answer.statusCode ?? 0
  if (bodiless.has(status)) answer.resume()
  const body = bodiless.has(status) ? null : (Readable.toWeb(answer) as ReadableStream)
  return new Response(body, { status, statusText: answer.statusMessage ?? '', headers })
}

/** The length where it is known before sending; streams go in chunks. */
function knownLength(init: RequestInit | undefined): number | null {
  const body = init?.body
  if (typeof body === 'string') return Buffer.byteLength(body)
  return body instanceof Uint8Array ? body.byteLength : null
}

/**
 * A `fetch` that shows the agent's SVID and judges the server by its SPIFFE ID: any of the agent's trust domain,
 * unless one is expected. Bodies stream both ways; redirects are not followed.
 */
export function createAgentFetch(
  identity: Identity,
  options: { readonly expected?: ExpectedServer } = {},
): AgentFetch {
  const tls = createMutualTls({
    material: () => identity.tls(),
    trustDomain: identity.trustDomain,
    ...(options.expected === undefined ? {} : { expected: options.expected }),
  })
  const stop = identity.onChange(() => tls.renew())

  const agentFetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    if (!request.url.startsWith('https:')) throw new NotHttpsError(request.url)
    // Thrown here, before anything is sent, when the agent is killed or has no SVID.
    identity.svid()
    const { signal, body } = request
    signal.throwIfAborted()
    const length = knownLength(init)
    const send = (): Promise<Response> => {
      const call = httpsRequest(request.url, {
        method: request.method,
        agent: tls.agent(),
        headers: {
          ...Object.fromEntries(request.headers),
          ...(length === null ? {} : { 'content-length': length }),
        },
        signal,
      })
      const answered = new Promise<Response>((resolve, reject) => {
        call.once('error', reject)
        call.once('response', (answer) => resolve(responseOf(answer)))
      })
      if (body === null) call.end()
      else {
        // A server that refuses early ends the upload; its answer counts, and `error` above has whatever else it was.
        pipeline(Readable.fromWeb(body as NodeReadableStream), call).catch(() => {})
      }
      return answered
    }
    try {
      return await send()
    } catch (error) {
      if (!isUntrusted(error)) throw error
      // The trust domain may have got a new root. Nothing was sent yet; a body, though, is read only once.
      const changed = await identity.refreshBundle().catch(() => false)
      if (!changed || body !== null) throw error
      return send()
    }
  }
  return Object.assign(agentFetch, {
    close: () => {
      stop()
      tls.close()
    },
  })
}
