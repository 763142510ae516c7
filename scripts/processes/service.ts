// A guarded demo service: mutual TLS, killed agents refused. The lines between identity and guard are all it takes.
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import process from 'node:process'
import type { TLSSocket } from 'node:tls'
import { scopeName, subjectLabel } from '../../protocol/scope.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { createServiceIdentity } from '../../sdk/agent/serviceIdentity.ts'
import { createEnforcer } from '../../sdk/enforcer/enforcer.ts'
import type { Accepted, ServiceMessage, ServiceSetup } from '../lib/messages.ts'
import { monotonicNow } from '../lib/monotonic.ts'
import { childLog, onParent, tellParent } from '../lib/parent.ts'

const spiffeIds = new WeakMap<object, string>()

/** Who calls, by the certificate that the guard has judged. */
function callerOf(request: IncomingMessage): string {
  const socket = request.socket as TLSSocket
  let spiffeId = spiffeIds.get(socket)
  if (spiffeId === undefined) {
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) throw new Error('the guard let a peer without a certificate in')
    spiffeId = formatSpiffeId(readSvid(certificate.raw).claims.spiffeId)
    spiffeIds.set(socket, spiffeId)
  }
  return spiffeId
}

async function serve(setup: ServiceSetup): Promise<void> {
  const accepted: Accepted[] = []
  const last = new Map<string, number>()
  let total = 0
  const { deployment, relayer } = setup
  const identity = await createServiceIdentity({
    relayers: [relayer],
    spiffeId: setup.spiffeId,
    token: setup.token,
    log: childLog,
  })
  const enforcer = await createEnforcer({ deployment, relayers: [relayer], identity, log: childLog })
  const server = createServer(enforcer.serverOptions(), (request, response) => {
    const at = monotonicNow()
    const spiffeId = callerOf(request)
    total += 1
    if (setup.record === 'all') accepted.push({ spiffeId, at })
    if (setup.record === 'last') last.set(spiffeId, at)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ hello: spiffeId }))
  })
  enforcer.guard(server)
  enforcer.onKill(({ row, closedConnections }) => {
    tellParent<ServiceMessage>({
      type: 'enforced',
      killId: row.killId,
      target: `${scopeName(row.scope)} ${subjectLabel(row)}`.trim(),
      at: monotonicNow(),
      closedConnections,
    })
  })
  onParent<{ readonly type: 'collect' }>('collect', () =>
    tellParent<ServiceMessage>({
      type: 'collected',
      accepted: setup.record === 'last' ? [...last].map(([spiffeId, at]) => ({ spiffeId, at })) : accepted,
      total,
    }),
  )
  server.once('error', (error: NodeJS.ErrnoException) => {
    process.stderr.write(`port ${setup.port} cannot be opened (${error.code})\n`)
    process.exit(1)
  })
  await new Promise<void>((resolve) => server.listen(setup.port, '127.0.0.1', resolve))
  await enforcer.ready()
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : setup.port
  tellParent<ServiceMessage>({ type: 'ready', url: `https://127.0.0.1:${port}` })

  process.once('SIGTERM', () => {
    server.close()
    server.closeAllConnections()
    // What it has not reported or acknowledged goes now.
    enforcer.close().finally(() => process.exit(0))
  })
}

onParent<ServiceSetup>('setup', (setup) => {
  serve(setup).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  })
})
process.channel?.ref()
