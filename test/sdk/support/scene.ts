import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Deployment, deploymentId } from '../../../protocol/deployment.ts'
import type { TlsMaterial } from '../../../sdk/client/mutualTls.ts'
import {
  createEnforcer,
  type Enforcer,
  type EnforcerOptions,
  type HeldIdentity,
  type RelayerStatus,
} from '../../../sdk/enforcer/enforcer.ts'
import { type Ca, createCa, type SvidOrder } from './ca.ts'
import { createTestFeed, type TestFeed } from './feed.ts'
import { listen } from './listen.ts'
import { createManualClock } from './manualClock.ts'

export const trustDomain = 'killswitch.test'
export const deployment: Deployment = { chainId: 31337, contract: `0x${'5f'.repeat(20)}` }
export const uuidA = '01890a5d-ac96-8774-bcce-b302099a8057'
export const uuidB = '01890a5d-ac96-8774-bcce-b302099a8058'
export const ownerA = `0x${'a1'.repeat(20)}` as const
export const ownerB = `0x${'b2'.repeat(20)}` as const

export const agentOrder = (uuid: string, owner: string, change: Partial<SvidOrder> = {}): SvidOrder => ({
  spiffeId: `spiffe://${trustDomain}/trader/${uuid}`,
  owner,
  deployment: deploymentId(deployment),
  generation: 10,
  ...change,
})

/** An identity that a test renews by hand. */
export function heldIdentity(first: TlsMaterial): HeldIdentity & { replace(material: TlsMaterial): void } {
  let material = first
  const listeners = new Set<() => void>()
  return {
    trustDomain,
    tls: () => material,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    replace(next) {
      material = next
      for (const listener of listeners) listener()
    },
  }
}

/** Resolves as soon as a relayer's status is as wanted; rejects never: the test's own time limit ends the wait. */
export const statusWhere = (
  enforcer: Enforcer,
  relayer: string,
  wanted: (status: RelayerStatus) => boolean,
): Promise<RelayerStatus> =>
  new Promise((resolve) => {
    const look = (status: RelayerStatus): void => {
      if (status.relayer !== relayer || !wanted(status)) return
      stop()
      resolve(status)
    }
    const stop = enforcer.onRelayer(look)
    for (const status of enforcer.status().relayers) look(status)
  })

/** What came of a request: a whole response, or the error that ended it. */
export type Answer =
  | { readonly status: number; readonly type: string; readonly body: string }
  | { readonly error: string }

/** A guarded service with its relayers' feeds and CA, on real sockets; time stands still unless moved. */
export async function createScene(
  handler: RequestListener,
  options: {
    readonly feeds?: number
    readonly enforcer?: Partial<EnforcerOptions>
    readonly mtlsUrl?: string
    /** Before the enforcer knows of them. */
    readonly prepare?: (feeds: readonly TestFeed[]) => void
  } = {},
) {
  const clock = createManualClock()
  const ca: Ca = await createCa()
  const feeds: TestFeed[] = []
  for (let i = 0; i < (options.feeds ?? 1); i += 1) {
    feeds.push(await createTestFeed({ deployment: deploymentId(deployment), wall: clock.wall }))
  }
  const identity = heldIdentity(
    await ca.issue({
      spiffeId: `spiffe://${trustDomain}/service/demo`,
      deployment: deploymentId(deployment),
    }),
  )
  options.prepare?.(feeds)
  const enforcer = await createEnforcer({
    deployment,
    relayers: feeds.map(({ url, relayer }) => ({
      url,
      relayer,
      ...(options.mtlsUrl === undefined ? {} : { mtlsUrl: options.mtlsUrl }),
    })),
    identity,
    clock,
    random: () => 0.5,
    ...options.enforcer,
  })
  const server = createHttpsServer(enforcer.serverOptions(), handler)
  const release = enforcer.guard(server)
  const { port, close } = await listen(server)
  const sockets = new Set<TLSSocket>()

  const open = async (material: TlsMaterial, more: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      cert: material.certificate,
      key: material.privateKey,
      ca: ca.bundle,
      minVersion: 'TLSv1.3',
      checkServerIdentity: () => undefined,
      ...more,
    })
    sockets.add(socket)
    socket.on('error', () => {})
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve)
      socket.once('error', reject)
    })
    return socket
  }

  /** A request on a socket of its own or on an open one. */
  const begin = async (
    over: TlsMaterial | TLSSocket,
    path = '/',
    more: {
      readonly method?: string
      readonly headers?: Record<string, string>
      readonly body?: string
    } = {},
  ) => {
    const socket = 'certificate' in over ? await open(over) : over
    const { method = 'GET', headers = {} } = more
    const call = httpsRequest({
      createConnection: () => socket,
      host: '127.0.0.1',
      path,
      method,
      headers: { connection: 'keep-alive', ...headers },
    })
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      call.once('response', resolve)
      call.once('error', reject)
      call.once('upgrade', (answer) => resolve(answer))
    })
    response.catch(() => {})
    call.end(more.body)
    return { socket, call, response }
  }

  const ask = async (...args: Parameters<typeof begin>): Promise<Answer> => {
    try {
      const { response } = await begin(...args)
      const answer = await response
      let body = ''
      for await (const chunk of answer.setEncoding('utf8')) body += chunk
      return { status: answer.statusCode ?? 0, type: answer.headers['content-type'] ?? '', body }
    } catch (error) {
      return { error: (error as NodeJS.ErrnoException).code ?? String(error) }
    }
  }

  /** Waits until what the enforcer says of its n-th relayer is as wanted. */
  const relayerIs = (wanted: (status: RelayerStatus) => boolean, n = 0): Promise<RelayerStatus> =>
    statusWhere(enforcer, (feeds[n] as TestFeed).relayer, wanted)

  return {
    clock,
    ca,
    feeds,
    feed: feeds[0] as TestFeed,
    identity,
    enforcer,
    server,
    release,
    port,
    open,
    begin,
    ask,
    relayerIs,
    /** All feeds are fresh and followed. */
    ready: async () => {
      await Promise.all(
        feeds.map((_, n) => relayerIs(({ connected, freshness }) => connected && freshness === 'fresh', n)),
      )
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await enforcer.close()
      await close()
      for (const feed of feeds) await feed.close()
    },
  }
}

export type Scene = Awaited<ReturnType<typeof createScene>>

/** Resolves when the other side has ended the socket. */
export const ended = (socket: TLSSocket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once('close', () => resolve())
    socket.resume()
  })
