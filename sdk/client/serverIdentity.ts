import type { PeerCertificate } from 'node:tls'
import { formatSpiffeId, parseSpiffeId, type SpiffeId } from '../../protocol/spiffeId.ts'

/** Which server is meant: one SPIFFE ID, or whatever a function says yes to. */
export type ExpectedServer = string | ((server: SpiffeId) => boolean)

/** The server at this address is another one than meant. */
export class UnexpectedServerError extends Error {
  override readonly name = 'UnexpectedServerError'
  readonly host: string
  readonly subjectAltName: string
  constructor(host: string, subjectAltName: string, why: string) {
    super(
      `the server at ${host} is not the expected one: ${why} (subjectAltName: ${subjectAltName || 'none'})`,
    )
    this.host = host
    this.subjectAltName = subjectAltName
  }
}

/** The SPIFFE ID in Node's text of a subjectAltName. @throws {UnexpectedServerError | InvalidSpiffeIdError} */
function serverSpiffeId(host: string, subjectAltName: string): SpiffeId {
  // Node quotes names with special characters; inside the quotes, anything could look like another name.
  if (subjectAltName.includes('"'))
    throw new UnexpectedServerError(host, subjectAltName, 'its names are quoted')
  const uris = subjectAltName.split(', ').filter((name) => name.startsWith('URI:'))
  if (uris.length !== 1)
    throw new UnexpectedServerError(host, subjectAltName, `it has ${uris.length} URIs, not one`)
  return parseSpiffeId((uris[0] as string).slice('URI:'.length))
}

/**
 * `checkServerIdentity` for TLS clients: the SPIFFE ID counts, not the host's name. The chain is judged by TLS itself.
 * @returns the error, as Node wants it, or undefined
 */
export const checkServer =
  (trustDomain: string, expected: ExpectedServer | undefined) =>
  (host: string, certificate: PeerCertificate): Error | undefined => {
    const names = certificate.subjectaltname ?? ''
    try {
      const server = serverSpiffeId(host, names)
      if (server.trustDomain !== trustDomain) {
        return new UnexpectedServerError(host, names, `its trust domain is not ${trustDomain}`)
      }
      if (typeof expected === 'string' && formatSpiffeId(server) !== expected) {
        return new UnexpectedServerError(host, names, `it is not ${expected}`)
      }
      if (typeof expected === 'function' && !expected(server)) {
        return new UnexpectedServerError(host, names, 'the caller refuses this SPIFFE ID')
      }
      return undefined
    } catch (error) {
      return error as Error
    }
  }
