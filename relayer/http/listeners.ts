import { constants } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { getRequestListener } from '@hono/node-server'
import type { Admission } from './admission/admission.ts'
import type { Application } from './application.ts'

/** Where to listen. */
export type Address = { readonly host: string; readonly port: number }

/** A port cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly address: Address
  readonly option: string
  constructor(address: Address, option: string, cause: NodeJS.ErrnoException) {
    const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message
    super(`cannot listen on ${address.host}:${address.port}: ${why}; choose another with ${option}`, {
      cause,
    })
    this.address = address
    this.option = option
  }
}

/** Limits against slow or endless requests, in ms and bytes. */
const limits = {
  requestTimeout: 15_000,
  headersTimeout: 10_000,
  // Node looks every 30 s, and would then end thousands of slow ones in one go.
  connectionsCheckingInterval: 250,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 8_192,
}

/** The public listener. */
export function publicListener(app: Application, admission: Admission): Server {
  const serve = getRequestListener(app.fetch)
  const server = createServer(limits, (request, response) => {
    admission.request(request, response, () => void serve(request, response))
  })
  return server.on('connection', admission.connection)
}

export type TlsIdentity = { readonly key: string; readonly cert: string; readonly ca: string }

/**
 * Everything that decides who may connect, for creation and for each exchange of the certificate alike: what
 * setSecureContext is not given anew returns to its default, and tickets would let a revoked peer resume.
 */
const tlsOptions = ({ key, cert, ca }: TlsIdentity): SecureContextOptions & TlsOptions => ({
  key,
  cert,
  ca,
  minVersion: 'TLSv1.3',
  requestCert: true,
  rejectUnauthorized: true,
  secureOptions: constants.SSL_OP_NO_TICKET,
})

/** The mutual TLS listener: TLS 1.3, a certificate of the trust domain required, no resumption. */
export function mutualTlsListener(
  app: Application,
  identity: TlsIdentity,
  admission: Admission,
): { readonly server: SecureServer; readonly renew: (identity: TlsIdentity) => void } {
  const serve = getRequestListener(app.fetch)
  const server = createSecureServer({ ...limits, ...tlsOptions(identity) }, (request, response) => {
    admission.request(request, response, () => void serve(request, response))
  })
  // Before the handshake, which is what costs.
  server.on('connection', admission.connection)
  return { server, renew: (next) => server.setSecureContext(tlsOptions(next)) }
}

/** @param option that changes the address. @returns the port. @throws {ListenError} */
export const listen = (server: Server | SecureServer, address: Address, option: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(new ListenError(address, option, cause)))
    server.listen(address.port, address.host, () => resolve((server.address() as AddressInfo).port))
  })

/** Stops listening and cuts what is open. */
export const stopListening = (server: Server | SecureServer): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
