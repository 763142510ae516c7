import 'reflect-metadata'
import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as PeculiarCertificate,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
} from '@peculiar/x509'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Hex } from '../../protocol/hex.ts'
import { formatSpiffeId, InvalidSpiffeIdError, isReservedType } from '../../protocol/spiffeId.ts'
import { InvalidSvidError } from '../../protocol/svidSubject.ts'
import { readSvid } from '../../protocol/x509/readSvid.ts'
import { SecretFileExposedError } from './secretFile.ts'
import {
  createSigningAuthority,
  openSigningAuthority,
  SigningAuthorityExpiredError,
  type SvidRequest,
  SvidRequestError,
  UnusableSigningAuthorityError,
} from './signingAuthority.ts'

const trustDomain = 'killswitch.ai'
const now = Date.UTC(2026, 10, 20, 22, 0, 0, 700)
const newSpki = (namedCurve = 'P-256'): Uint8Array =>
  new Uint8Array(generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'der' }))
const spki = newSpki()
const request: SvidRequest = {
  spiffeId: { trustDomain, type: 'trader', name: '0f8fad5b-d9cb-869f-a165-70867728950e' },
  owner: '0x00112233445566778899aabbccddeeff00112233',
  deployment: { chainId: 31337, contract: '0x5fbdb2315678afecb367f032d93f642f64180aa3' },
  generation: 42,
  spki,
  lifetime: 300_000,
  now,
}
const authority = createSigningAuthority({ trustDomain, now })
const issued = (changes: Partial<SvidRequest> = {}) => authority.issueSvid({ ...request, ...changes })

describe('the authority', () => {
  const certificate = new PeculiarCertificate(authority.certificate.pem)

  test('is a SPIFFE signing certificate (X509-SVID, sections 3 and 4)', () => {
    expect(certificate.getExtension(BasicConstraintsExtension)).toMatchObject({
      ca: true,
      pathLength: 0,
      critical: true,
    })
    const usage = certificate.getExtension(KeyUsagesExtension)
    expect(usage?.usages).toBe(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)
    expect(usage?.critical).toBe(true)
    expect(certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
      { type: 'url', value: `spiffe://${trustDomain}` },
    ])
    expect(certificate.subject).toBe(certificate.issuer)
    expect(certificate.notBefore.getTime()).toBe(Date.UTC(2026, 10, 20, 21, 59, 30))
  })

  test('verifies by its own key', async () => {
    const node = new X509Certificate(authority.certificate.pem)
    expect(node.ca).toBe(true)
    expect(node.verify(node.publicKey)).toBe(true)
    expect(await certificate.verify({ date: new Date(now) })).toBe(true)
  })

  test('refuses a malformed trust domain', () => {
    expect(() => createSigningAuthority({ trustDomain: 'Killswitch.ai', now })).toThrow(InvalidSpiffeIdError)
  })
})

describe('an SVID', () => {
  test('is a leaf (X509-SVID, sections 2 to 4) as another reader sees it', () => {
    const { pem, serial, expiresAt } = issued()
    const certificate = new PeculiarCertificate(pem)
    expect(certificate.getExtension(BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true })
    const usage = certificate.getExtension(KeyUsagesExtension)
    expect(usage?.usages).toBe(KeyUsageFlags.digitalSignature)
    expect(usage?.critical).toBe(true)
    expect(certificate.getExtension(ExtendedKeyUsageExtension)?.usages).toEqual([
      '1.3.6.1.5.5.7.3.1',
      '1.3.6.1.5.5.7.3.2',
    ])
    expect(certificate.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
      { type: 'url', value: formatSpiffeId(request.spiffeId) },
    ])
    expect(certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(
      Buffer.from(authority.keyId).toString('hex'),
    )
    // RFC 7093, section 2, method 1.
    expect(certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId).toBe(
      createHash('sha256').update(spki.subarray(-65)).digest('hex').slice(0, 40),
    )
    expect(certificate.serialNumber).toBe(serial)
    expect(certificate.notBefore.getTime()).toBe(Date.UTC(2026, 10, 20, 21, 59, 30))
    expect(certificate.notAfter.getTime()).toBe(expiresAt)
    expect(expiresAt).toBe(Date.UTC(2026, 10, 20, 22, 5, 0))
    expect(certificate.issuer).toBe(new PeculiarCertificate(authority.certificate.pem).subject)
  })

  test('is signed by the authority, and only by it', () => {
    const { der } = issued()
    const other = createSigningAuthority({ trustDomain, now })
    const certificate = new X509Certificate(der)
    expect(certificate.verify(new X509Certificate(authority.certificate.der).publicKey)).toBe(true)
    expect(certificate.checkIssued(new X509Certificate(authority.certificate.der))).toBe(true)
    expect(certificate.verify(new X509Certificate(other.certificate.der).publicKey)).toBe(false)
    expect(certificate.checkIssued(new X509Certificate(other.certificate.der))).toBe(false)
  })

  test('has the hosts that it was given beside its one URI', () => {
    const { der } = issued({
      spiffeId: { trustDomain, type: 'relayer', name: 'one' },
      owner: null,
      hosts: ['localhost', '127.0.0.1', '::1'],
    })
    const certificate = new X509Certificate(der)
    expect(certificate.checkHost('localhost')).toBe('localhost')
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBe('::1')
    expect(certificate.checkHost('example.com')).toBeUndefined()
    expect(readSvid(der).claims.spiffeId).toEqual({ trustDomain, type: 'relayer', name: 'one' })
  })

  test('never outlives the authority', () => {
    const { expiresAt } = authority.certificate
    expect(issued({ now: expiresAt - 10_000 }).expiresAt).toBe(expiresAt)
    expect(issued({ now: expiresAt - 1 }).expiresAt).toBe(expiresAt)
    expect(() => issued({ now: expiresAt })).toThrow(SigningAuthorityExpiredError)
  })

  test('has its own serial of 16 octets, whatever the random bytes', () => {
    const serials = new Set(Array.from({ length: 1000 }, () => issued().serial))
    expect(serials.size).toBe(1000)
    for (const octet of [0x00, 0x80, 0xff]) {
      const fixed = createSigningAuthority({ trustDomain, now, random: (n) => new Uint8Array(n).fill(octet) })
      const { der, serial } = fixed.issueSvid(request)
      expect(serial).toMatch(/^[4-7][0-9a-f]{31}$/)
      expect(readSvid(der).serial).toBe(serial)
    }
  })

  test.each<[string, Partial<SvidRequest>, new (...args: never[]) => Error]>([
    ['another trust domain', { spiffeId: { ...request.spiffeId, trustDomain: 'other' } }, SvidRequestError],
    ['a malformed name', { spiffeId: { ...request.spiffeId, name: 'bob' } }, InvalidSpiffeIdError],
    ['an agent without owner', { owner: null }, InvalidSvidError],
    [
      'a workload with an owner',
      { spiffeId: { trustDomain, type: 'service', name: 'shop' } },
      InvalidSvidError,
    ],
    ['a malformed owner', { owner: '0x00' }, InvalidSvidError],
    ['a fraction as generation', { generation: 1.5 }, InvalidSvidError],
    ['a negative generation', { generation: -1 }, InvalidSvidError],
    ['a P-384 key', { spki: newSpki('P-384') }, SvidRequestError],
    ['a key with trailing bytes', { spki: Uint8Array.from([...spki, 0]) }, SvidRequestError],
    ['no lifetime', { lifetime: 0 }, SvidRequestError],
    ['a lifetime that is no number', { lifetime: Number.NaN }, SvidRequestError],
  ])('is refused for %s', (_, changes, type) => {
    expect(() => issued(changes)).toThrow(type)
  })
})

const hexOctets = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((b) => `0x${Buffer.from(b).toString('hex')}` as Hex)
const agentType = fc.stringMatching(/^[a-z0-9-]{1,32}$/).filter((type) => !isReservedType(type))
const domain = fc.stringMatching(/^[a-z0-9._-]{1,255}$/)
const agentOf = (type: string, name: string, owner: Hex) => ({ type, name, owner: owner as Hex | null })
const bearer = fc.oneof(
  fc
    .tuple(agentType, fc.uuid({ version: 8 }), hexOctets(20))
    .map(([type, name, owner]) => agentOf(type, name, owner)),
  fc
    .tuple(
      fc.constantFrom('service', 'relayer', 'admin', 'governance', 'spire'),
      fc.stringMatching(/^[a-z0-9-]{1,63}$/),
    )
    .map(([type, name]) => ({ type, name, owner: null })),
)

test('random claims come back through readSvid and through @peculiar/x509', () => {
  const authorities = fc
    .sample(domain, { numRuns: 5, seed: 1 })
    .map((of) => createSigningAuthority({ trustDomain: of, now }))
  fc.assert(
    fc.property(
      fc.constantFrom(...authorities),
      bearer,
      fc.record({ chainId: fc.integer({ min: 1, max: 999_999_999_999_999 }), contract: hexOctets(20) }),
      fc.integer({ min: 0, max: 999_999_999_999_999 }),
      fc.integer({ min: 1000, max: 86_400_000 }),
      fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2030, 0, 1) }),
      (signer, { type, name, owner }, deployment, generation, lifetime, at) => {
        const spiffeId = { trustDomain: signer.trustDomain, type, name }
        const svid = signer.issueSvid({ spiffeId, owner, deployment, generation, lifetime, now: at, spki })
        const deploymentText = `eip155:${deployment.chainId}:${deployment.contract}`
        expect(readSvid(svid.der)).toEqual({
          claims: { spiffeId, owner, deployment: deploymentText, generation },
          notBefore: Math.floor((at - 30_000) / 1000) * 1000,
          notAfter: svid.expiresAt,
          serial: svid.serial,
        })
        const other = new PeculiarCertificate(svid.pem)
        expect(other.subjectName.getField('OU')).toEqual([deploymentText])
        expect(other.subjectName.getField('0.9.2342.19200300.100.1.1')).toEqual(owner === null ? [] : [owner])
        expect(other.subjectName.getField('2.5.4.5')).toEqual([String(generation)])
        expect(other.getExtension(SubjectAlternativeNameExtension)?.names.toJSON()).toEqual([
          { type: 'url', value: formatSpiffeId(spiffeId) },
        ])
        expect(other.notAfter.getTime()).toBe(svid.expiresAt)
        expect(Buffer.from(other.publicKey.rawData).equals(spki)).toBe(true)
      },
    ),
    { numRuns: 150 },
  )
})

describe('a folder', () => {
  let folder: string
  beforeEach(() => {
    folder = path.join(mkdtempSync(path.join(tmpdir(), 'authority-')), 'keys')
  })
  afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }))
  const open = (changes: { trustDomain?: string; now?: number } = {}) =>
    openSigningAuthority({ folder, trustDomain, now, ...changes })
  const file = (name: string): string => path.join(folder, name)

  test('is made once, private, and gives the same authority again', () => {
    const first = open()
    expect(statSync(file('ca.key')).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder).sort()).toEqual(['ca.crt', 'ca.key'])
    const second = open({ now: now + 86_400_000 })
    expect(second.certificate.pem).toBe(first.certificate.pem)
    expect(readFileSync(file('ca.crt'), 'utf8')).toBe(first.certificate.pem)
    const svid = new X509Certificate(second.issueSvid(request).der)
    expect(svid.verify(new X509Certificate(first.certificate.der).publicKey)).toBe(true)
  })

  test.each([0o640, 0o604, 0o620, 0o660, 0o601])('is refused when ca.key has mode %o', (mode) => {
    open()
    chmodSync(file('ca.key'), mode)
    expect(() => open()).toThrow(SecretFileExposedError)
  })

  test('certifies a key whose first start was cut short', () => {
    open()
    rmSync(file('ca.crt'))
    expect(new X509Certificate(open().certificate.der).ca).toBe(true)
  })

  test('is refused without its key, which stays missing', () => {
    open()
    rmSync(file('ca.key'))
    expect(() => open()).toThrow(UnusableSigningAuthorityError)
    expect(readdirSync(folder)).toEqual(['ca.crt'])
  })

  test('is refused for another trust domain, another key, another kind of key or certificate', () => {
    open()
    expect(() => open({ trustDomain: 'other.ai' })).toThrow('not spiffe://other.ai')
    writeFileSync(file('ca.crt'), issued().pem)
    expect(() => open()).toThrow(UnusableSigningAuthorityError)
    writeFileSync(file('ca.crt'), authority.certificate.pem)
    expect(() => open()).toThrow('another key')
    writeFileSync(file('ca.crt'), 'nothing')
    expect(() => open()).toThrow('no certificate in PEM')
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    writeFileSync(file('ca.key'), p384.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => open()).toThrow('not P-256')
  })

  test('says nothing of a key file that it cannot read', () => {
    open()
    const secret = randomBytes(24).toString('base64')
    writeFileSync(file('ca.key'), `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`)
    try {
      open()
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(UnusableSigningAuthorityError)
      expect(error).not.toHaveProperty('cause.message')
      expect(String((error as Error).stack)).not.toContain(secret)
    }
  })

  test('is refused once expired, and not a ms before', () => {
    const { expiresAt } = open().certificate
    expect(open({ now: expiresAt - 1 }).certificate.expiresAt).toBe(expiresAt)
    expect(() => open({ now: expiresAt })).toThrow(SigningAuthorityExpiredError)
  })
})
