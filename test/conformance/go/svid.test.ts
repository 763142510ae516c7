// What the signing authority issues, judged by Go's crypto/x509.
import { execFile, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCrl } from '../../../relayer/identity/crl.ts'
import { createSigningAuthority } from '../../../relayer/identity/signingAuthority.ts'

const hasGo = spawnSync('go', ['version']).status === 0
if (!hasGo)
  console.warn('skipped: no go command, so no SVID is verified with crypto/x509; install Go 1.21 or later')

const now = Date.UTC(2026, 10, 20, 22)
const trustDomain = 'killswitch.ai'
const deployment = { chainId: 31337, contract: `0x${'5f'.repeat(20)}` } as const
const owner = `0x${'11'.repeat(20)}` as const
const name = '0f8fad5b-d9cb-869f-a165-70867728950e'

// Go compiles crypto/x509 first where its cache is empty: half a minute on two cores.
describe.skipIf(!hasGo)('crypto/x509', { timeout: 240_000 }, () => {
  const authority = createSigningAuthority({ trustDomain, now })
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const svid = authority.issueSvid({
    spiffeId: { trustDomain, type: 'trader', name },
    owner,
    deployment,
    generation: 42,
    spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    lifetime: 300_000,
    hosts: ['localhost', '127.0.0.1'],
    now,
  })
  const crl = createCrl(authority, {
    revoked: [
      { serial: svid.serial, revokedAt: now },
      { serial: '00ff', revokedAt: now },
    ],
    number: now,
    now,
    nextUpdate: now + 3_600_000,
  })

  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'conformance-go-'))
    for (const [file, text] of [
      ['ca.crt', authority.certificate.pem],
      ['svid.pem', svid.pem],
      ['crl.pem', crl.pem],
      ['other.crt', createSigningAuthority({ trustDomain, now }).certificate.pem],
    ] as const) {
      writeFileSync(path.join(folder, file), text)
    }
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  // No dependencies and no other tool chain: nothing is fetched.
  const run = (ca: string, at: string) =>
    promisify(execFile)(
      'go',
      ['run', '.', ...[ca, 'svid.pem', 'crl.pem'].map((file) => path.join(folder, file)), at],
      {
        cwd: import.meta.dirname,
        env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod', GOPROXY: 'off' },
      },
    )

  test('parses and verifies an SVID and a CRL', async () => {
    const { stdout } = await run('ca.crt', '2026-11-20T22:01:00Z')
    expect(JSON.parse(stdout)).toEqual({
      uris: [`spiffe://${trustDomain}/trader/${name}`],
      dnsNames: ['localhost'],
      ips: ['127.0.0.1'],
      subject: [
        { oid: '2.5.4.11', value: `eip155:31337:${deployment.contract}` },
        { oid: '0.9.2342.19200300.100.1.1', value: owner },
        { oid: '2.5.4.5', value: '42' },
      ],
      serial: svid.serial,
      notBefore: now - 30_000,
      notAfter: svid.expiresAt,
      isCA: false,
      // KeyUsageDigitalSignature; for the authority KeyUsageCertSign and KeyUsageCRLSign.
      keyUsage: 1,
      caKeyUsage: 32 + 64,
      p256: true,
      unhandledCritical: 0,
      caUris: [`spiffe://${trustDomain}`],
      crlNumber: String(now),
      crlSerials: [svid.serial, 'ff'],
      crlReasons: [9, 9],
      crlNextUpdate: now + 3_600_000,
      hostRefused: true,
    })
  })

  test('refuses the SVID of another authority, and an expired one', async () => {
    await expect(run('other.crt', '2026-11-20T22:01:00Z')).rejects.toThrow('unknown authority')
    await expect(run('ca.crt', '2026-11-20T22:05:01Z')).rejects.toThrow('expired')
  })
})
