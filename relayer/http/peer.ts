import type { TLSSocket } from 'node:tls'
import { type Deployment, deploymentId } from '../../protocol/deployment.ts'
import { formatSpiffeId } from '../../protocol/spiffeId.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import type { PresentedSvid } from '../identity/issuance.ts'
import { IssuanceRefusedError } from '../identity/issuanceRefused.ts'
import { skew } from '../identity/signingAuthority.ts'

/** Who is at the other end of a mutual TLS connection, as its SVID says. */
export type Peer = PresentedSvid

/**
 * Reads the peer of a connection whose chain TLS has verified.
 * @throws {InvalidSvidError} for a certificate that is no SVID
 * @throws {IssuanceRefusedError} without one, past its time, or for one of another deployment
 */
export const createPeerOf =
  (options: {
    readonly deployment: Deployment
    readonly trustDomain: string
    /** ms */
    readonly now: () => number
  }): ((socket: Pick<TLSSocket, 'getPeerX509Certificate'>) => Peer) =>
  (socket) => {
    const { deployment, trustDomain, now } = options
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined)
      throw new IssuanceRefusedError('other identity', 'svid', '', 'the connection shows no certificate')
    const { claims, serial, notBefore, notAfter } = readSvid(certificate.raw)
    // TLS checked this when the connection opened; it may have been kept open since.
    if (notAfter < now())
      throw new IssuanceRefusedError('revoked', 'svid', serial, 'the presented SVID has expired; attest anew')
    if (claims.deployment !== deploymentId(deployment) || claims.spiffeId.trustDomain !== trustDomain)
      throw new IssuanceRefusedError(
        'other identity',
        'svid',
        formatSpiffeId(claims.spiffeId),
        `the SVID is not of ${trustDomain} and ${deploymentId(deployment)}`,
      )
    return { claims, serial, issuedAt: notBefore + skew }
  }
