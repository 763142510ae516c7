import type { X509Certificate } from 'node:crypto'
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { Server } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Target } from '../../protocol/scope.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { type Clock, pause } from '../client/clock.ts'
import { describeError, type Log } from '../client/log.ts'
import type { Problem } from '../client/problem.ts'
import { type Denied, denialHeaders, denialProblem, rawDenial, unidentifiedProblem } from './denial.ts'
import type { Judgement } from './judge.ts'
import type { Access, Outcome } from './reporter.ts'
import { createSubjectIndex } from './subjectIndex.ts'
import type { Trust } from './trust.ts'

export type Peer = ReturnType<typeof readSvid>

/** A connection whose peer showed an SVID of a pinned trust domain. */
type Connection = {
  readonly socket: TLSSocket
  readonly peer: Peer
  readonly spiffeId: string
  /** Admitted requests without a finished response, oldest first. */
  readonly exchanges: Set<ServerResponse>
  /** An admitted upgrade or tunnel: the socket is the handler's until it is destroyed. */
  tunnelled: boolean
  cutting: Promise<void> | null
}

/** What of a peer is held open here, and how it is ended. */
type Held = {
  readonly peer: Peer
  /** Whether something of it is under way, beyond an idle connection. */
  isRunning(): boolean
  /** Resolves when it is really gone. */
  cut(problem: Problem): Promise<void>
}

export type Guards = {
  /** Puts a server under guard; the result releases it. */
  guard(server: Server): () => void
  /** Has something of a peer that another kind of server holds cut like a guarded connection; the result forgets it. */
  track(peer: Peer, close: (problem: Problem) => unknown): () => void
  /** Cuts what a kill of this target really covers; resolves with their number once the sockets are closed. */
  cutUnder(target: Target): Promise<number>
  /** The same for all connections, after a table was replaced. */
  cutRevoked(): Promise<number>
  /** Cuts running exchanges that may no longer go on (stale feeds); idle connections are asked at their next request. */
  cutRunning(): Promise<number>
  /** The same for those alone whose SVID has ended: costs little enough to be asked all the time. */
  cutExpired(): Promise<number>
  readonly connections: number
}

/** How long a refused connection may wait for its request, to be told the reason (ms). */
const refusalGrace = 1_000
/** When a tracked connection that could not be closed is tried again (ms). */
const closeAgainAfter = 1_000
const never = new AbortController().signal
/** How long a last response may take to leave before its socket goes anyway (ms). */
const cutGrace = 100
const guardedEvents: ReadonlySet<string | symbol> = new Set([
  'request',
  'checkContinue',
  'checkExpectation',
  'upgrade',
  'connect',
])

/** The leaf and what the peer sent above it; never the whole of a ring, which a self-signed root would give. */
function chainOf(leaf: X509Certificate): readonly X509Certificate[] {
  const chain = [leaf]
  for (
    let next = leaf.issuerCertificate;
    next !== undefined && chain.length < 6;
    next = next.issuerCertificate
  ) {
    if (chain.some((one) => one.fingerprint256 === (next as X509Certificate).fingerprint256)) break
    chain.push(next)
  }
  return chain
}

/** Guards of https servers: judges every connection and every request, and cuts connections. Decides nothing itself. */
const isUntrusted = (code: unknown): boolean =>
  code != null && code !== 'CERT_HAS_EXPIRED' && code !== 'CERT_NOT_YET_VALID'

export function createGuards(options: {
  readonly judge: (peer: Peer) => Judgement
  readonly trust: Trust
  readonly report: (access: Access) => void
  readonly clock: Clock
  readonly log: Log
}): Guards {
  const { judge, trust, clock, log } = options
  const connections = new WeakMap<object, Connection>()
  const index = createSubjectIndex<Held>()
  let warnedOfResumption = false

  const destroyAfter = (socket: Duplex, delay: number): void => {
    const cancel = clock.after(delay, () => socket.destroy())
    socket.once('close', cancel)
  }

  const report = (
    connection: Connection,
    request: IncomingMessage,
    at: number,
    status: number,
    outcome: Outcome,
  ): void => {
    const { method = '', url = '' } = request
    options.report({ spiffeId: connection.spiffeId, at, method, path: url, status, outcome })
  }

  /** @throws whatever is wrong with what the peer showed */
  const identify = (socket: TLSSocket): Peer => {
    const leaf = socket.getPeerX509Certificate()
    // Absent on some resumed sessions: whoever cannot be judged does not come in.
    if (leaf === undefined) throw new Error('there is no certificate')
    if (!socket.authorized)
      throw new Error(`the certificate is not trusted: ${String(socket.authorizationError)}`)
    const peer = readSvid(leaf.raw)
    if (!trust.vouches(peer.claims.spiffeId.trustDomain, chainOf(leaf))) {
      throw new Error(`no root of ${peer.claims.spiffeId.trustDomain} vouches for it`)
    }
    return peer
  }

  const admitConnection = (socket: TLSSocket): void => {
    let peer: Peer
    try {
      peer = identify(socket)
    } catch (error) {
      log.info(
        { remote: socket.remoteAddress, resumed: socket.isSessionReused() },
        `refused: ${describeError(error)}`,
      )
      socket.destroy()
      return
    }
    if (socket.isSessionReused() && !warnedOfResumption) {
      warnedOfResumption = true
      log.warn(
        {},
        'this server resumes TLS sessions, whose peers prove no key; create it with serverOptions()',
      )
    }
    const { claims } = peer
    const connection: Connection = {
      socket,
      peer,
      spiffeId: formatSpiffeId(claims.spiffeId),
      exchanges: new Set(),
      tunnelled: false,
      cutting: null,
    }
    connections.set(socket, connection)
    const held: Held = {
      peer,
      isRunning: () => connection.tunnelled || connection.exchanges.size > 0,
      cut: (problem) => cut(connection, problem),
    }
    index.add(claims, held)
    socket.once('close', () => index.remove(claims, held))
    const judgement = judge(peer)
    // It is refused at its request, with the reason; one that never asks does not stay.
    if (!judgement.allowed && judgement.why !== 'no fresh feed') destroyAfter(socket, refusalGrace)
  }

  const refuseRequest = (request: IncomingMessage, response: ServerResponse, problem: Problem): void => {
    const body = JSON.stringify(problem)
    response.writeHead(problem.status, denialHeaders(body))
    response.end(body)
    // Unread input would turn the close into a reset, and the reason would be lost.
    request.resume()
    destroyAfter(request.socket, refusalGrace)
  }

  const refuseTunnel = (socket: Duplex, problem: Problem): void => {
    socket.on('error', () => socket.destroy())
    socket.end(rawDenial(problem), () => socket.destroy())
    destroyAfter(socket, cutGrace)
  }

  /** @returns whether the handler may run */
  const admitRequest = (event: string, request: IncomingMessage, reply: ServerResponse | Duplex): boolean => {
    const refuse = (problem: Problem): void =>
      'writeHead' in reply ? refuseRequest(request, reply, problem) : refuseTunnel(reply, problem)
    const connection = connections.get(request.socket)
    if (connection === undefined) {
      refuse(unidentifiedProblem('The connection was not seen by the guard; connect again over mutual TLS.'))
      return false
    }
    const at = clock.wall()
    const judgement = judge(connection.peer)
    if (!judgement.allowed) {
      const problem = denialProblem(judgement)
      refuse(problem)
      report(connection, request, at, problem.status, 'denied')
      return false
    }
    if (connection.cutting !== null) return false
    if ('writeHead' in reply) {
      connection.exchanges.add(reply)
      reply.once('close', () => {
        connection.exchanges.delete(reply)
        report(connection, request, at, reply.statusCode, connection.cutting === null ? 'accepted' : 'cut')
      })
    } else {
      connection.tunnelled = true
      report(connection, request, at, event === 'upgrade' ? 101 : 200, 'accepted')
    }
    return true
  }

  /** Ends a connection now. Where nothing of a response has left, the reason is written first. */
  const cut = (connection: Connection, problem: Problem): Promise<void> => {
    const { socket, exchanges } = connection
    connection.cutting ??= new Promise((resolve) => {
      if (socket.closed) return resolve()
      socket.once('close', () => resolve())
      const [first] = exchanges
      if (first === undefined || first.headersSent || connection.tunnelled || !socket.writable)
        socket.destroy()
      else {
        // Past the response object, which stays the handler's: what it writes later must neither leave nor throw.
        socket.end(rawDenial(problem), () => socket.destroy())
        destroyAfter(socket, cutGrace)
      }
    })
    return connection.cutting
  }

  const track = (peer: Peer, close: (problem: Problem) => unknown): (() => void) => {
    let cutting: Promise<void> | null = null
    let forgotten = false
    const forget = (): void => {
      forgotten = true
      index.remove(peer.claims, held)
    }
    const closeUntilDone = async (problem: Problem): Promise<void> => {
      while (!forgotten) {
        try {
          await close(problem)
          forget()
        } catch (error) {
          log.warn(
            { spiffeId: formatSpiffeId(peer.claims.spiffeId) },
            `not closed yet: ${describeError(error)}`,
          )
          await pause(clock, closeAgainAfter, never)
        }
      }
    }
    const held: Held = {
      peer,
      isRunning: () => true,
      cut: (problem) => {
        cutting ??= closeUntilDone(problem)
        return cutting
      },
    }
    index.add(peer.claims, held)
    const judgement = judge(peer)
    if (!judgement.allowed) void held.cut(denialProblem(judgement))
    return forget
  }

  const cutDenied = async (
    candidates: Iterable<Held>,
    covers: (held: Held, denied: Denied) => boolean,
  ): Promise<number> => {
    const cuts: Promise<void>[] = []
    for (const held of [...candidates]) {
      const judgement = judge(held.peer)
      if (judgement.allowed || !covers(held, judgement)) continue
      cuts.push(held.cut(denialProblem(judgement)))
    }
    await Promise.all(cuts)
    return cuts.length
  }

  return {
    guard(server) {
      const emit = server.emit
      const guarded = function (this: HttpServer, event: string | symbol, ...args: unknown[]): boolean {
        if (
          guardedEvents.has(event) &&
          !admitRequest(String(event), args[0] as IncomingMessage, args[1] as ServerResponse | Duplex)
        ) {
          return true
        }
        return Reflect.apply(emit, server, [event, ...args])
      }
      // Not a listener: listeners run in order, and those of the service must not run at all.
      Object.assign(server, { emit: guarded })
      server.prependListener('secureConnection', admitConnection)
      // Roots may have been added since; this connection is lost, the next one need not be.
      const doubt = (_: Error, socket: TLSSocket): void => {
        if (isUntrusted(socket.authorizationError)) trust.doubt()
      }
      server.on('tlsClientError', doubt)
      return () => {
        if (server.emit === (guarded as typeof server.emit)) Object.assign(server, { emit })
        server.removeListener('secureConnection', admitConnection)
        server.removeListener('tlsClientError', doubt)
      }
    },
    track,
    cutUnder: (target) => cutDenied(index.under(target), (_, denied) => denied.why === 'killed'),
    cutRevoked: () => cutDenied(index.all(), (_, denied) => denied.why === 'killed'),
    cutRunning: () =>
      cutDenied(
        index.all(),
        (held, denied) => (denied.why === 'no fresh feed' || denied.why === 'expired') && held.isRunning(),
      ),
    cutExpired() {
      const now = clock.wall()
      const ended: Held[] = []
      for (const held of index.all()) if (held.peer.notAfter < now && held.isRunning()) ended.push(held)
      return cutDenied(ended, (_, denied) => denied.why === 'expired')
    },
    get connections() {
      return index.size
    },
  }
}
