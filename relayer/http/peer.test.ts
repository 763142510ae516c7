import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { expect, test } from 'vitest'
import { deploymentId } from '../../protocol/deployment.ts'
import { InvalidSvidError } from '../../protocol/svidSubject.ts'
import { createSigningAuthority } from '../identity/signingAuthority.ts'
import { createPeerOf } from './peer.ts'

const trustDomain = 'killswitch.test'
const deployment = { chainId: 31337, contract: `0x${'5f'.repeat(20)}` } as const
const issuedAt = Date.UTC(2026, 10, 21)
const lifetime = 300_000

const authorityOf = (domain: string) => createSigningAuthority({ trustDomain: domain, now: issuedAt })
const authority = authorityOf(trustDomain)
const spki = new Uint8Array(
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' }),
)
const issue = (by = authority, domain = trustDomain) =>
  by.issueSvid({
    spiffeId: { trustDomain: domain, type: 'service', name: 'shop' },
    owner: null,
    deployment,
    generation: 7,
    spki,
    lifetime,
    now: issuedAt,
  })

/** A connection whose handshake was long ago: TLS does not look at the certificate again. */
const connection = (pem: string | null) => ({
  getPeerX509Certificate: () => (pem === null ? undefined : new X509Certificate(pem)),
})
let now = issuedAt
const peerOf = createPeerOf({ deployment, trustDomain, now: () => now })

test('an SVID that expires on a connection that stays open ends with it', () => {
  const { pem, expiresAt, serial } = issue()
  const kept = connection(pem)
  now = issuedAt
  expect(peerOf(kept)).toMatchObject({ serial: serial.replace(/^(00)+/, ''), claims: { generation: 7 } })
  now = expiresAt
  expect(() => peerOf(kept)).not.toThrow()
  now = expiresAt + 1
  expect(() => peerOf(kept)).toThrow(expect.objectContaining({ kind: 'revoked', field: 'svid' }))
})

test('a peer without an SVID, or with one of elsewhere, is nobody', () => {
  now = issuedAt
  const other = { kind: 'other identity', field: 'svid' }
  const elsewhere = createPeerOf({ deployment: { ...deployment, chainId: 1 }, trustDomain, now: () => now })
  expect(() => peerOf(connection(null))).toThrow(expect.objectContaining(other))
  expect(() => elsewhere(connection(issue().pem))).toThrow(
    expect.objectContaining({
      ...other,
      message: expect.stringContaining(deploymentId({ ...deployment, chainId: 1 })),
    }),
  )
  const foreign = issue(authorityOf('elsewhere'), 'elsewhere').pem
  expect(() => peerOf(connection(foreign))).toThrow(expect.objectContaining(other))
  expect(() => peerOf(connection(authority.certificate.pem))).toThrow(InvalidSvidError)
})
