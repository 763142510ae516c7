// What is issued, in Node's TLS over real sockets.
import { constants, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import tls from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { createCrl } from './crl.ts'
import { createSigningAuthority, type IssuedSvid, type SigningAuthority } from './signingAuthority.ts'

const trustDomain = 'killswitch.ai'
const now = Date.now()
const authority = createSigningAuthority({ trustDomain, now })
const deployment = { chainId: 31337, contract: `0x${'5f'.repeat(20)}` } as const

type Credential = { readonly key: string; readonly cert: string; readonly svid: IssuedSvid }
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

function issue(by: SigningAuthority, agent: boolean, at = now): Credential {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const svid = by.issueSvid({
    spiffeId: agent
      ? { trustDomain, type: 'trader', name: '0f8fad5b-d9cb-869f-a165-70867728950e' }
      : { trustDomain, type: 'relayer', name: 'one' },
    owner: agent ? `0x${'11'.repeat(20)}` : null,
    deployment,
    generation: 7,
    spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    lifetime: 300_000,
    now: at,
    ...(agent ? {} : { hosts: ['localhost', '127.0.0.1'] }),
  })
  return { key: pem(privateKey), cert: svid.pem, svid }
}

const serverCredential = issue(authority, false)
let server: tls.Server | undefined
afterEach(() => server?.close())

/** @param judge whether the server says why it would refuse, instead of refusing */
async function listen({ crl, judge = false }: { crl?: string; judge?: boolean } = {}): Promise<number> {
  server = tls.createServer({
    ...serverCredential,
    ca: authority.certificate.pem,
    requestCert: true,
    rejectUnauthorized: !judge,
    minVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(crl === undefined ? {} : { crl }),
  })
  server.on('secureConnection', (socket) => {
    if (!socket.authorized) return socket.end(`refused: ${socket.authorizationError}`)
    const der = socket.getPeerX509Certificate()?.raw
    return socket.end(der === undefined ? 'nobody' : JSON.stringify(readSvid(der)))
  })
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** What the server says to the client, or why it refused; an ordinary client, which verifies the host. */
function connect(port: number, options: tls.ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: authority.certificate.pem, ...options })
    let said = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`refused: ${error.code}`))
    socket.on('end', () => resolve(said))
  })
}

test('client and server SVIDs of one authority meet, and the server reads the client', async () => {
  const agent = issue(authority, true)
  const said = JSON.parse(await connect(await listen(), agent)) as ReturnType<typeof readSvid>
  expect(said).toEqual(readSvid(agent.svid.der))
  expect(said.claims.generation).toBe(7)
})

test('the server SVID answers for the hosts that it was given, and for no other', async () => {
  const port = await listen()
  const agent = issue(authority, true)
  expect(await connect(port, { ...agent, servername: 'localhost' })).toContain('claims')
  expect(await connect(port, { ...agent, servername: 'example.com' })).toBe(
    'refused: ERR_TLS_CERT_ALTNAME_INVALID',
  )
})

test('a CRL refuses the SVID on it, and only that', async () => {
  const killed = issue(authority, true)
  const alive = issue(authority, true)
  const crl = createCrl(authority, {
    revoked: [{ serial: killed.svid.serial, revokedAt: now }],
    number: 1,
    now: now - 1000,
    nextUpdate: now + 3_600_000,
  })
  const judge = await listen({ crl: crl.pem, judge: true })
  expect(await connect(judge, killed)).toBe('refused: CERT_REVOKED')
  expect(await connect(judge, alive)).toContain('claims')
  server?.close()
  const strict = await listen({ crl: crl.pem })
  expect(await connect(strict, killed)).not.toContain('claims')
  expect(await connect(strict, alive)).toContain('claims')
})

test('a CRL of another authority or past its nextUpdate lets nobody in', async () => {
  const agent = issue(authority, true)
  const list = { revoked: [], number: 1, now: now - 10_000, nextUpdate: now - 5000 }
  const old = await listen({ crl: createCrl(authority, list).pem, judge: true })
  expect(await connect(old, agent)).toBe('refused: CRL_HAS_EXPIRED')
  server?.close()
  const stranger = createSigningAuthority({ trustDomain, now })
  const crl = createCrl(stranger, { ...list, nextUpdate: now + 60_000 }).pem
  const other = await listen({ crl, judge: true })
  expect(await connect(other, agent)).toBe('refused: UNABLE_TO_GET_CRL')
})

test('without an SVID, with another authority’s or with an expired one there is no connection', async () => {
  const agents: readonly [tls.ConnectionOptions, string][] = [
    [{}, 'UNABLE_TO_GET_ISSUER_CERT'],
    [issue(createSigningAuthority({ trustDomain, now }), true), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [issue(authority, true, now - 600_000), 'CERT_HAS_EXPIRED'],
  ]
  const judge = await listen({ judge: true })
  for (const [agent, why] of agents) expect(await connect(judge, agent)).toBe(`refused: ${why}`)
  server?.close()
  const strict = await listen()
  for (const [agent] of agents) expect(await connect(strict, agent)).not.toContain('claims')
})
