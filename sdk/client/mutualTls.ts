import { Agent, request } from 'node:https'
import { readBounded } from './boundedBody.ts'
import { maxAnswer, RelayerUnreachableError, readAnswer } from './relayerCall.ts'
import { checkServer, type ExpectedServer } from './serverIdentity.ts'

/** What a side of a mutual TLS connection shows and trusts; all PEM. */
export type TlsMaterial = {
  /** SVID first, then its chain. */
  readonly certificate: string
  readonly privateKey: string
  readonly bundle: string
}

export type MutualTls = {
  /** The https agent for the material of this moment. */
  agent(): Agent
  /** Connections made from now on use the material of this moment; those in use finish, idle ones go. */
  renew(): void
  close(): void
}

/** Keeps the connections of a mutual TLS client, across renewals of its SVID. */
export function createMutualTls(options: {
  readonly material: () => TlsMaterial
  readonly trustDomain: string
  readonly expected?: ExpectedServer
}): MutualTls {
  let current: Agent | null = null
  const agents = new Set<WeakRef<Agent>>()

  const retire = (agent: Agent): void => {
    // Read by Node when a connection becomes free: it is closed then instead of kept.
    Object.assign(agent, { keepAlive: false })
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) socket.destroy()
  }

  return {
    agent() {
      if (current !== null) return current
      const { certificate, privateKey, bundle } = options.material()
      current = new Agent({
        keepAlive: true,
        // A resumed session is neither checked for its server nor tied to the client's present key.
        maxCachedSessions: 0,
        minVersion: 'TLSv1.3',
        rejectUnauthorized: true,
        cert: certificate,
        key: privateKey,
        ca: bundle,
        checkServerIdentity: checkServer(options.trustDomain, options.expected),
      })
      agents.add(new WeakRef(current))
      return current
    },
    renew() {
      if (current === null) return
      retire(current)
      current = null
    },
    close() {
      current = null
      for (const agent of agents) agent.deref()?.destroy()
      agents.clear()
    },
  }
}

/** What OpenSSL says of a chain that ends in no known root (its names of X509_V_ERR_*). */
const untrusted: ReadonlySet<unknown> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** Whether a connection failed because the other side's certificate comes from no root that is known here. */
export function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return untrusted.has((error as { code?: unknown }).code) || isUntrusted(error.cause)
}

/**
 * Posts JSON over mutual TLS.
 * @param timeout in ms, for the whole call
 * @throws {RelayerRefusedError | RelayerUnreachableError}
 */
export async function postMutual(options: {
  readonly tls: MutualTls
  readonly url: string
  readonly body: unknown
  readonly timeout: number
}): Promise<unknown> {
  const { url } = options
  const payload = JSON.stringify(options.body)
  const signal = AbortSignal.timeout(options.timeout)
  const send = (): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const call = request(url, {
        method: 'POST',
        agent: options.tls.agent(),
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
        signal,
      })
      call.once('error', (error: NodeJS.ErrnoException) => {
        // A kept connection that the relayer has closed meanwhile (it restarted, say) says nothing of the relayer now.
        if (call.reusedSocket && error.code === 'ECONNRESET') send().then(resolve, reject)
        else reject(error)
      })
      call.once('response', (response) => {
        readBounded(response, maxAnswer).then(
          (text) => resolve({ status: response.statusCode ?? 0, text }),
          (error: unknown) => {
            call.destroy()
            reject(error)
          },
        )
      })
      call.end(payload)
    })
  let answer: { status: number; text: string }
  try {
    answer = await send()
  } catch (cause) {
    throw new RelayerUnreachableError(url, cause)
  }
  return readAnswer(url, answer.status, answer.text)
}
