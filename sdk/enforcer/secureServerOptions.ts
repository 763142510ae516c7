import { constants } from 'node:crypto'
import type { ServerOptions } from 'node:https'
import type { TlsMaterial } from '../client/mutualTls.ts'

/**
 * The TLS options that an enforcing server must have. `setSecureContext` must get all of them again: left out,
 * `secureOptions` would turn session resumption back on, and a resumed session proves no key.
 */
export const secureServerOptions = (material: TlsMaterial) =>
  ({
    cert: material.certificate,
    key: material.privateKey,
    ca: material.bundle,
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
    // No tickets; and without listeners for newSession and resumeSession Node caches no session either.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }) as const satisfies ServerOptions
